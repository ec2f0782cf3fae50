//go:build spark

package spark

// Tests against a real server with two executors, local-cluster[2,1,1024]: make test-spark.

import (
	"bytes"
	"context"
	"errors"
	"log"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/types/descriptorpb"

	"gomosaic/kernel/cell/rt/reexec"
	"gomosaic/mdslib"
	_ "gomosaic/mdslib/local"
	_ "gomosaic/mdslib/local/parquet"
	"gomosaic/mdslib/plan"
	"gomosaic/mdslib/spark/pb"
	_ "gomosaic/mdslib/store/s3"
	stores "gomosaic/mdslib/store/storetest/servers"
)

// inTime is within what something ends that would else go on for minutes: on a quiet machine in a second or few, which the tests log.
const inTime = 30 * time.Second

const master = "local-cluster[2,1,1024]"

// python has PySpark, of the same version as the server.
const python = "../../.venv-reference/bin/python"

var (
	session *mdslib.Session // with the server
	direct  *engine         // another session with it
	bucket  string          // the folder of the bucket "shards", which S3_ENDPOINT_URL serves
)

func TestMain(m *testing.M) {
	if os.Getenv("GOMOSAIC_TEST_SERVE") != "" { // TestServerEndsWithUs's own process
		os.Exit(m.Run())
	}
	if os.Getenv("GOMOSAIC_RANK_FUNC") != "" {
		mainRank()
	}
	if os.Getenv("GOMOSAIC_TEST_LAUNCHER") != "" {
		mainLauncher()
	}
	if os.Getenv("GOMOSAIC_TEST_CONVERTER") != "" {
		mainConverter()
	}
	clean := reexec.Main(append(shippable, ranks...)...) // on executors it does not return
	if os.Getenv("GOMOSAIC_TEST_MAPPER") != "" {
		mainMapper()
	}
	os.Exit(func() int {
		defer clean()
		start := time.Now()
		folder, err := os.MkdirTemp("", "gomosaic-s3-")
		if err != nil {
			log.Print(err)
			return 1
		}
		defer os.RemoveAll(folder)
		objects, err := stores.S3(context.Background(), folder, "shards") // the executors get our environment
		if err != nil {
			log.Print(err)
			return 1
		}
		defer objects.Close()
		bucket = filepath.Join(folder, "data", "shards")
		for name, value := range map[string]string{"AWS_ACCESS_KEY_ID": stores.S3AccessKey, "AWS_SECRET_ACCESS_KEY": stores.S3SecretKey, "AWS_REGION": "us-east-1", "S3_ENDPOINT_URL": objects.URL} {
			os.Setenv(name, value)
		}
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
	if _, rows := table(t, tables); !slices.ContainsFunc(rows, func(row []string) bool { return row[1] == "sevens" }) {
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
