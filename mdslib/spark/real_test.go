//go:build spark

package spark

// Tests against a real server with two executors, local-cluster[2,1,1024]: make test-spark.

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"log"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/types/descriptorpb"

	"gomosaic/mdslib"
	_ "gomosaic/mdslib/local"
	_ "gomosaic/mdslib/local/parquet"
	"gomosaic/mdslib/plan"
	"gomosaic/mdslib/spark/pb"
)

const master = "local-cluster[2,1,1024]"

// python has PySpark, of the same version as the server.
const python = "../../.venv-reference/bin/python"

var (
	session *mdslib.Session // with the server
	direct  *engine         // another session with it
)

func TestMain(m *testing.M) {
	if os.Getenv("GOMOSAIC_TEST_SERVE") != "" { // TestServerEndsWithUs's own process
		os.Exit(m.Run())
	}
	os.Exit(func() int {
		start := time.Now()
		var err error
		if session, err = mdslib.Connect(context.Background(), "spark-local:"+master); err != nil {
			log.Print(err)
			return 1
		}
		defer session.Stop()
		if err := session.SetConf(context.Background(), "spark.sql.shuffle.partitions", "2"); err != nil {
			log.Print(err)
			return 1
		}
		e, err := openLocal(context.Background(), "spark-local:"+master)
		if err != nil {
			log.Print(err)
			return 1
		}
		direct = e.(*engine)
		defer direct.Close()
		log.Printf("Spark %s is ready after %.1f s", direct.version, time.Since(start).Seconds())
		return m.Run()
	}())
}

// remote is the server's connection string, which is secret. PySpark takes a token to a server of this machine without TLS only
// where that is named so.
func remote() string {
	return "sc://localhost:" + direct.target.port + "/;token=" + direct.target.token
}

// TestWire: every message, field and number of ours is Spark's.
func TestWire(t *testing.T) {
	set := &descriptorpb.FileDescriptorSet{File: []*descriptorpb.FileDescriptorProto{protodesc.ToFileDescriptorProto(pb.File_spark_connect_proto)}}
	data, err := proto.Marshal(set)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(python, "-W", "ignore", "testdata/wire.py")
	cmd.Stdin = bytes.NewReader(data)
	out, err := cmd.CombinedOutput()
	t.Logf("%s", out)
	if err != nil {
		t.Error(err)
	}
}

// sources writes the files that the relations read.
func sources(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for name, content := range map[string]string{
		"flowers.csv":  "name,petals,height\nrose,5,0.5\nlily,6,1.25\n,4,\ntulip,6,0.3\nrose,5,0.75\niris,3,-1e-3\n",
		"flowers.json": `{"name":"rose","tags":["red","it's"],"at":{"x":1,"y":null}}` + "\n" + `{"name":"Lilie ü","tags":[],"at":null}` + "\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// relations are the frames of testdata/relations.py by the same names.
func relations(t *testing.T, s *mdslib.Session, dir string) map[string]*mdslib.DataFrame {
	t.Helper()
	sql := func(query string) *mdslib.DataFrame {
		d, err := s.SQL(t.Context(), query)
		if err != nil && s == session {
			t.Fatal(err)
		}
		return d
	}
	csv := s.Read().Format("csv").Option("header", "true").Option("inferSchema", "true").Load(dir + "/flowers.csv")
	numbers := s.Range(0, 100)
	return map[string]*mdslib.DataFrame{
		"csv":                     csv,
		"json":                    s.Read().Format("json").Load(dir + "/flowers.json"),
		"schema":                  s.Read().Format("csv").Schema("a STRING, b BIGINT, c FLOAT").Option("header", "true").Load(dir + "/flowers.csv"),
		"range":                   numbers,
		"sql":                     sql("SELECT id, CAST(id AS STRING) AS s FROM range(7) WHERE id % 2 = 0"),
		"project":                 csv.Select("upper(name) AS n", "petals * 2", "*"),
		"global aggregate":        csv.Select("count(*)", "sum(petals) AS s"),
		"with column":             csv.WithColumn("double", "petals * 2").WithColumn("NAME", "lower(name)"),
		"renamed":                 csv.WithColumnRenamed("name", "flower").WithColumnRenamed("nothing", "x"),
		"drop":                    csv.Drop("name", "nothing"),
		"filter":                  csv.Filter("petals > 4 AND name IS NOT NULL"),
		"limit":                   numbers.Limit(3),
		"sort":                    csv.OrderBy("petals DESC NULLS FIRST", "name"),
		"sort descending":         csv.OrderBy("name DESC", "petals ASC NULLS LAST"),
		"distinct":                csv.Select("petals").Distinct(),
		"duplicates":              csv.DropDuplicates("petals").Select("petals"),
		"union":                   csv.Union(csv.Filter("petals = 5")),
		"union by name":           csv.Select("name", "petals").UnionByName(csv.Select("petals", "name")),
		"repartition":             numbers.Repartition(3).Select("spark_partition_id() AS p", "id").Select("count(DISTINCT p) AS parts", "sum(id) AS s"),
		"aggregate":               csv.GroupBy("petals").Agg("count(1) AS count", "max(name)", "avg(petals + 1) AS mean"),
		"aggregate by expression": csv.GroupBy("petals % 2 AS odd").Agg("count(DISTINCT name) AS names"),
		"sample":                  numbers.Sample(0.3, 7),
		"split 0":                 numbers.RandomSplit([]float64{3, 1}, 11)[0],
		"split 1":                 numbers.RandomSplit([]float64{3, 1}, 11)[1],
		"types": sql("SELECT CAST(1 AS TINYINT) AS b, CAST(-2 AS SMALLINT) AS s, 3 AS i, 4L AS l, CAST(0.1 AS FLOAT) AS f, 0.1D AS d, 1.50BD AS dec," +
			" true AS t, X'00ff' AS bin, DATE'2026-11-27' AS day, TIMESTAMP'2026-11-27 10:00:00.123456Z' AS at, 'x' AS txt," +
			" array(1, NULL) AS a, map('k', 1) AS m, named_struct('p', 1, 'q', array('z')) AS st, CAST(NULL AS INT) AS none, array(named_struct('n', 1.0D)) AS deep"),
		"null rows": sql("SELECT IF(id = 1, NULL, id) AS i, IF(id = 0, NULL, CAST(id AS STRING)) AS s, IF(id = 2, NULL, X'01') AS b FROM range(3)"),
		"empty":     numbers.Filter("id < 0"),
	}
}

// ordered are the relations whose rows come in an order that is theirs.
var ordered = []string{"sort", "sort descending", "limit", "csv", "project", "union", "types", "null rows", "range"}

// text is a value as the other side writes it.
func text(v any, t plan.Type) string {
	switch v := v.(type) {
	case nil:
		return "NULL"
	case float32:
		return pythonHex(float64(v))
	case float64:
		return pythonHex(v)
	case []byte:
		return "0x" + hex.EncodeToString(v)
	case plan.TimestampValue:
		return strconv.FormatInt(int64(v), 10)
	case []any:
		parts := make([]string, len(v))
		for i, e := range v {
			parts[i] = text(e, *t.Elem)
		}
		return "[" + strings.Join(parts, ", ") + "]"
	case plan.StructValue:
		parts := make([]string, len(v))
		for i, e := range v {
			parts[i] = t.Fields[i].Name + ": " + text(e, t.Fields[i].Type)
		}
		return "{" + strings.Join(parts, ", ") + "}"
	case plan.MapValue:
		parts := make([]string, len(v))
		for i, e := range v {
			parts[i] = text(e.Key, *t.Key) + ": " + text(e.Value, *t.Elem)
		}
		slices.Sort(parts)
		return "{" + strings.Join(parts, ", ") + "}"
	}
	return fmt.Sprint(v)
}

// pythonHex is Python's float.hex.
func pythonHex(f float64) string {
	s := strconv.FormatFloat(f, 'x', 13, 64)
	mantissa, exponent, _ := strings.Cut(s, "p")
	n, _ := strconv.Atoi(exponent)
	if f == 0 {
		mantissa = strings.TrimSuffix(mantissa, strings.Repeat("0", 13)) + "0"
	}
	return fmt.Sprintf("%sp%+d", mantissa, n)
}

// table runs a frame.
func table(t *testing.T, d *mdslib.DataFrame) (schema plan.Schema, rows [][]string) {
	t.Helper()
	schema, err := d.Schema(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for b, err := range d.Batches(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		for i := range b.Rows {
			row := make([]string, len(b.Columns))
			for c, v := range b.Row(i) {
				row[c] = text(v, b.Schema.Fields[c].Type)
			}
			rows = append(rows, row)
		}
		for c, f := range b.Schema.Fields {
			if g := schema.Fields[c]; f.Name != g.Name || !f.Type.Equal(g.Type) {
				t.Errorf("the rows have the column %s %s, the schema %s %s", f.Name, f.Type, g.Name, g.Type)
			}
		}
	}
	return schema, rows
}

// TestPySpark: every relation has the schema and the rows that PySpark gives, from the same server.
func TestPySpark(t *testing.T) {
	dir := sources(t)
	cmd := exec.Command(python, "-W", "ignore", "testdata/relations.py", dir)
	cmd.Env = append(os.Environ(), "SPARK_REMOTE="+remote(), "TZ=UTC")
	var problems bytes.Buffer
	cmd.Stderr = &problems
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v\n%s", err, problems.Bytes())
	}
	var raw map[string][2]json.RawMessage
	if err := json.Unmarshal(out, &raw); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	theirs := map[string]struct {
		schema string
		rows   [][]string
	}{}
	for name, pair := range raw {
		one := theirs[name]
		if err := errors.Join(json.Unmarshal(pair[0], &one.schema), json.Unmarshal(pair[1], &one.rows)); err != nil {
			t.Fatal(err)
		}
		theirs[name] = one
	}
	ours := relations(t, session, dir)
	if len(theirs) != len(ours) {
		t.Errorf("%d relations there, %d here", len(theirs), len(ours))
	}
	for name, d := range ours {
		t.Run(name, func(t *testing.T) {
			schema, rows := table(t, d)
			if got := strings.ReplaceAll(plan.StructOf(schema.Fields...).String(), "`", ""); got != theirs[name].schema {
				t.Errorf("schema\n got %s\nwant %s", got, theirs[name].schema)
			}
			compare(t, name, rows, theirs[name].rows)
		})
	}
}

func compare(t *testing.T, name string, got, want [][]string) {
	t.Helper()
	if !slices.Contains(ordered, name) {
		slices.SortFunc(got, slices.Compare[[]string])
		slices.SortFunc(want, slices.Compare[[]string])
	}
	if !slices.EqualFunc(got, want, slices.Equal[[]string]) {
		t.Errorf("rows\n got %q\nwant %q", got, want)
	}
}

// onlySpark has what the local engine does not do, or does in another way where Spark's answer depends on its partitions.
var onlySpark = []string{"sql", "types", "null rows", "repartition", "sample", "split 0", "split 1"}

// TestLocal: the same frames give the same tables on the local engine.
func TestLocal(t *testing.T) {
	here, err := mdslib.Connect(t.Context(), "local")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := here.SQL(t.Context(), "SELECT 1"); err == nil || !strings.Contains(err.Error(), "the engine local has no SQL") {
		t.Errorf("SQL on local: %v", err)
	}
	dir := sources(t)
	there := relations(t, session, dir)
	for name, d := range relations(t, here, dir) {
		if slices.Contains(onlySpark, name) {
			continue
		}
		t.Run(name, func(t *testing.T) {
			schema, rows := table(t, d)
			theirSchema, theirRows := table(t, there[name])
			if !plan.StructOf(schema.Fields...).Equal(plan.StructOf(theirSchema.Fields...)) {
				t.Errorf("schema\nlocal %s\nSpark %s", schema, theirSchema)
			}
			compare(t, name, rows, theirRows)
		})
	}
}

// TestSparkErrors: where and why, of what the server finds at once and of what a task finds.
func TestSparkErrors(t *testing.T) {
	numbers := session.Range(0, 10)
	for name, test := range map[string]struct {
		frame *mdslib.DataFrame
		class string
		state string
		says  string
	}{
		"table":    {session.Table("nope"), "TABLE_OR_VIEW_NOT_FOUND", "42P01", "`nope`"},
		"column":   {numbers.Filter("idd > 3"), "UNRESOLVED_COLUMN.WITH_SUGGESTION", "42703", "Did you mean one of the following? [`id`]"},
		"syntax":   {numbers.Select("id +"), "PARSE_SYNTAX_ERROR", "42601", "id +"},
		"type":     {numbers.Filter("id || 'x'"), "DATATYPE_MISMATCH.FILTER_NOT_BOOLEAN", "42K09", "boolean"},
		"task":     {numbers.Select("10 div (id - 7)"), "DIVIDE_BY_ZERO", "22012", "10 div (id - 7)"},
		"raised":   {numbers.Select("raise_error('no more tulips')"), "USER_RAISED_EXCEPTION", "P0001", "no more tulips"},
		"path":     {session.Read().Format("csv").Load("/nowhere/at/all"), "PATH_NOT_FOUND", "42K03", "/nowhere/at/all"},
		"format":   {session.Read().Format("tulips").Load("/tmp"), "DATA_SOURCE_NOT_FOUND", "42K02", "tulips"},
		"function": {numbers.Select("no_such(id)"), "UNRESOLVED_ROUTINE", "42883", "no_such"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := test.frame.Collect(t.Context())
			var got *mdslib.SparkError
			if !errors.As(err, &got) {
				t.Fatalf("error %T %v", err, err)
			}
			if got.Class != test.class || got.SQLState != test.state || !strings.Contains(err.Error(), test.says) || strings.Contains(err.Error(), "\tat ") || strings.Contains(err.Error(), "+- ") {
				t.Errorf("class %s, state %s\n%v", got.Class, got.SQLState, err)
			}
		})
	}
}

// TestSession: commands, temporary views, settings and files of tables.
func TestSession(t *testing.T) {
	if _, err := session.SQL(t.Context(), "CREATE OR REPLACE TEMPORARY VIEW sevens AS SELECT id * 7 AS n FROM range(4)"); err != nil {
		t.Fatal(err)
	}
	_, rows := table(t, session.Table("sevens").OrderBy("n DESC").Limit(2))
	if !slices.EqualFunc(rows, [][]string{{"21"}, {"14"}}, slices.Equal[[]string]) {
		t.Errorf("rows %q", rows)
	}
	tables, err := session.SQL(t.Context(), "SHOW TABLES")
	if err != nil {
		t.Fatal(err)
	}
	if _, rows := table(t, tables); len(rows) != 1 || rows[0][1] != "sevens" {
		t.Errorf("SHOW TABLES: %q", rows)
	}
	if n, err := session.Table("sevens").Count(t.Context()); n != 4 || err != nil {
		t.Errorf("Count %d, %v", n, err)
	}
	if _, err := (&engine{client: direct.client}).Schema(t.Context(), &plan.Table{Name: "sevens"}); err == nil {
		t.Error("another session sees the view")
	}

	if err := direct.SetConf(t.Context(), "spark.sql.session.timeZone", "Asia/Tokyo"); err != nil {
		t.Fatal(err)
	}
	if zone, err := direct.Conf(t.Context(), "spark.sql.session.timeZone"); zone != "Asia/Tokyo" || err != nil {
		t.Errorf("time zone %q, %v", zone, err)
	}

	frame := session.Range(0, 5).Select("id * 2 AS n")
	if err := frame.CreateTempView(t.Context(), "twos"); err != nil {
		t.Fatal(err)
	}
	if err := frame.CreateTempView(t.Context(), "twos"); err == nil || !strings.Contains(err.Error(), "TEMP_TABLE_OR_VIEW_ALREADY_EXISTS") {
		t.Errorf("a name that is taken: %v", err)
	}
	if err := frame.Filter("n > 0").CreateOrReplaceTempView(t.Context(), "twos"); err != nil {
		t.Error(err)
	}
	joined, err := session.SQL(t.Context(), "SELECT s.n FROM sevens s LEFT SEMI JOIN twos t ON s.n = 7 * t.n")
	if err != nil {
		t.Fatal(err)
	}
	if _, rows := table(t, joined); len(rows) != 1 || rows[0][0] != "14" {
		t.Errorf("joined %q", rows)
	}
	if text, err := joined.Explain(t.Context(), "formatted"); err != nil || !strings.Contains(text, "AdaptiveSparkPlan") {
		t.Errorf("Explain: %v\n%s", err, text)
	}
	if _, err := joined.Explain(t.Context(), "wide"); err == nil || !strings.Contains(err.Error(), "want one of codegen, cost, extended, formatted, simple") {
		t.Errorf("Explain: %v", err)
	}

	var refused *mdslib.SparkError
	if err := session.SetConf(t.Context(), "spark.executor.memory", "9g"); !errors.As(err, &refused) {
		t.Errorf("a setting of the server: %v", err)
	}

	out := filepath.Join(t.TempDir(), "sevens")
	sevens := session.Table("sevens")
	for _, mode := range []string{"", "append", "ignore"} {
		if err := sevens.Write().Mode(mode).Parquet(t.Context(), out); err != nil {
			t.Fatal(err)
		}
	}
	if err := sevens.Write().Parquet(t.Context(), out); err == nil || !strings.Contains(err.Error(), "PATH_ALREADY_EXISTS") {
		t.Errorf("write over it: %v", err)
	}
	if n, err := session.Read().Format("parquet").Load(out).Count(t.Context()); n != 8 || err != nil {
		t.Errorf("%d rows read back, %v", n, err)
	}
	if err := sevens.Write().Format("json").Mode("overwrite").Save(t.Context(), out); err != nil {
		t.Fatal(err)
	}
	if n, err := session.Read().Format("json").Load(out).Count(t.Context()); n != 4 || err != nil {
		t.Errorf("%d rows read back, %v", n, err)
	}
}

// TestLargeRow: a row larger than any batch comes whole, in pieces.
func TestLargeRow(t *testing.T) {
	d, err := session.SQL(t.Context(), "SELECT repeat('0123456789abcdef', 2000000) AS s, 7 AS n")
	if err != nil {
		t.Fatal(err)
	}
	row, err := d.First(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if s := row["s"].(string); len(s) != 32000000 || !strings.HasSuffix(s, "89abcdef") || row["n"] != int32(7) {
		t.Errorf("%d bytes, n %v", len(s), row["n"])
	}
}

// busy is a query that runs for minutes.
const busy = "SELECT sum(hash(a.id, b.id)) AS s FROM range(100000000) a CROSS JOIN range(1000) b"

// TestInterruptQuery: an interrupted query ends here at once, and on the server.
func TestInterruptQuery(t *testing.T) {
	d, err := session.SQL(t.Context(), busy)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	var at time.Time
	time.AfterFunc(3*time.Second, func() { at = time.Now(); cancel() })
	if _, err := d.Collect(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
	took := time.Since(at)
	if took > 2*time.Second {
		t.Errorf("the call returned %v after the interrupt", took)
	}
	start := time.Now() // both executors' only cores must be free again
	if n, err := session.Range(0, 1000).Repartition(4).Count(t.Context()); n != 1000 || err != nil {
		t.Errorf("afterwards %d, %v", n, err)
	}
	t.Logf("returned %v after the interrupt, the next query took %v", took, time.Since(start))
}

// TestCutConnections: results that many connections carry are the same rows, once each.
func TestCutConnections(t *testing.T) {
	proxy, cuts := cutter(t, direct.target.address(), 300*time.Millisecond)
	through := *direct.target
	through.host, through.port, _ = net.SplitHostPort(proxy)
	c, err := dial(t.Context(), &through)
	if err != nil {
		t.Fatal(err)
	}
	defer c.close()
	e := &engine{client: c}
	const rows = 300000
	var sum, next int64
	for b, err := range e.Batches(t.Context(), &plan.Project{Input: &plan.Range{End: rows, Step: 1, Partitions: 8}, Exprs: []string{"id", "repeat(sha1(CAST(id AS STRING)), 5) AS s"}}) {
		if err != nil {
			t.Fatal(err)
		}
		for i, id := range b.Columns[0].Data.([]int64) {
			if id != next || len(b.Columns[1].Data.([]string)[i]) != 200 {
				t.Fatalf("row %d holds %d", next, id)
			}
			next++
			sum += id
		}
		time.Sleep(20 * time.Millisecond) // so that connections are cut while answers are under way
	}
	if sum != rows*(rows-1)/2 {
		t.Errorf("sum %d", sum)
	}
	if n := cuts(); n < 3 {
		t.Errorf("only %d connections were cut", n)
	}
}

// cutter is a proxy in front of an address that cuts every connection after a while.
func cutter(t *testing.T, to string, after time.Duration) (address string, cuts func() int) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	count := make(chan int, 1)
	count <- 0
	go func() {
		for {
			from, err := listener.Accept()
			if err != nil {
				return
			}
			server, err := net.Dial("tcp", to)
			if err != nil {
				from.Close()
				continue
			}
			go func() { _, _ = io.Copy(server, from) }()
			go func() { _, _ = io.Copy(from, server) }()
			time.AfterFunc(after, func() {
				from.Close()
				server.Close()
				count <- <-count + 1
			})
		}
	}()
	return listener.Addr().String(), func() int { n := <-count; count <- n; return n }
}

// images makes a folder of files in folders of classes.
func images(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	r := rand.New(rand.NewPCG(1, 2))
	for i := range 60 {
		class := []string{"daisy", "rose", "tulip"}[i%3]
		if err := os.MkdirAll(filepath.Join(dir, class), 0o777); err != nil {
			t.Fatal(err)
		}
		data := make([]byte, 1000+r.IntN(200000))
		for j := range data {
			data[j] = byte(r.Uint32())
		}
		if err := os.WriteFile(filepath.Join(dir, class, fmt.Sprintf("%04d.jpg", i)), data, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// split is the tutorial's: the same rows of the same files on any engine.
func split(t *testing.T, s *mdslib.Session, dir string) *mdslib.DataFrame {
	t.Helper()
	d := s.Read().Format("binaryFile").Option("recursiveFileLookup", "true").Option("pathGlobFilter", "*.{jpg,jpeg}").Load(dir).
		WithColumn("label", "element_at(split(path, '/'), -2)")
	labels, err := mdslib.LabelsOf(t.Context(), d, "label")
	if err != nil {
		t.Fatal(err)
	}
	return d.WithColumn("label_index", labels.IndexExpr("label")).
		WithColumn("name", "regexp_extract(path, '[^/]+/[^/]+$', 0)").
		WithColumn("bucket", "pmod(xxhash64(name), 10000)").WithColumn("position", "xxhash64(name, 1)").
		Filter("bucket < 8000").OrderBy("position").Limit(40).Select("content AS image", "label_index AS label", "name")
}

// samples are those of a data set, their bytes as a hash.
func samples(t *testing.T, dir string) []string {
	t.Helper()
	d, err := mdslib.OpenDataset(dir, mdslib.ReadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	var all []string
	for s, err := range d.All() {
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, fmt.Sprintf("%v %v %x", s["name"], s["label"], sha256.Sum256(s["image"].([]byte))))
	}
	return all
}

// TestConversion: the data set made of Spark's rows has the local engine's samples, in the same order.
func TestConversion(t *testing.T) {
	dir, out := images(t), t.TempDir()
	here, err := mdslib.Connect(t.Context(), "local")
	if err != nil {
		t.Fatal(err)
	}
	options := func(name string) mdslib.MDSOptions {
		return mdslib.MDSOptions{Out: filepath.Join(out, name), Columns: mdslib.Columns{"image": "bytes", "label": "int64", "name": "str"}, Hashes: []string{"sha1"}, SizeLimit: "1mb"}
	}
	report, err := mdslib.DataFrameToMDS(t.Context(), split(t, session, dir), options("spark"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := mdslib.DataFrameToMDS(t.Context(), split(t, here, dir), options("local")); err != nil {
		t.Fatal(err)
	}
	if got, want := samples(t, options("spark").Out), samples(t, options("local").Out); !slices.Equal(got, want) || len(got) != 40 {
		t.Errorf("samples\nSpark %q\nlocal %q", got, want)
	}
	if report.Samples != 40 || report.Shards < 2 || !strings.Contains(report.Engine, "the rows of Spark "+direct.version) {
		t.Errorf("report %+v", report)
	}

	yielded := options("yielded")
	yielded.Columns = mdslib.Columns{"name": "str"}
	yielded.UDFIterable = func(rows iter.Seq2[mdslib.Sample, error]) iter.Seq2[mdslib.Sample, error] {
		return func(yield func(mdslib.Sample, error) bool) {
			for row, err := range rows {
				if !yield(mdslib.Sample{"name": row["name"]}, err) || !yield(mdslib.Sample{"name": "again"}, err) {
					return
				}
			}
		}
	}
	if report, err := mdslib.DataFrameToMDS(t.Context(), split(t, session, dir), yielded); err != nil || report.Samples != 80 {
		t.Errorf("UDFIterable: %v, %v", report, err)
	}
}

// TestConversionFailures: no failure leaves a data set, nor a query that runs on.
func TestConversionFailures(t *testing.T) {
	convert := func(ctx context.Context, d *mdslib.DataFrame) (string, error) {
		out := filepath.Join(t.TempDir(), "out")
		_, err := mdslib.DataFrameToMDS(ctx, d, mdslib.MDSOptions{Out: out, SizeLimit: "10kb", Compression: "none"})
		if entries, _ := os.ReadDir(out); len(entries) > 0 {
			t.Errorf("%s is left", entries[0].Name())
		}
		return out, err
	}
	rows := session.Range(0, 200000).Select("id", "repeat('x', 100) AS s")
	for name, test := range map[string]struct {
		frame *mdslib.DataFrame
		says  string
	}{
		"null":    {rows.Select("nullif(id, 150000) AS n"), `spark: row 150000 of the DataFrame: column "n": it is NULL`},
		"task":    {rows.Select("10 div (id - 199999) AS n"), "DIVIDE_BY_ZERO"},
		"no rows": {rows.Filter("id < 0"), "the DataFrame has no rows"},
		"column":  {rows.Select("idd"), "UNRESOLVED_COLUMN"},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := convert(t.Context(), test.frame); err == nil || !strings.Contains(err.Error(), test.says) {
				t.Errorf("error %v, want %q", err, test.says)
			}
		})
	}
	t.Run("interrupt", func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
		defer cancel()
		_, err := convert(ctx, session.Range(0, 1<<40).Select("id", "repeat('x', 100) AS s"))
		if !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "the conversion was interrupted") {
			t.Errorf("error %v", err)
		}
		if n, err := session.Range(0, 10).Count(t.Context()); n != 10 || err != nil {
			t.Errorf("afterwards %d, %v", n, err)
		}
	})
}
