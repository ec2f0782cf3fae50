//go:build spark

package spark

// What goes to Spark and comes back by other ways than plans and rows: frames of this process, Arrow records, structs, tables, kept
// rows.

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/apache/arrow/go/v17/arrow"

	"gomosaic/mdslib"
	"gomosaic/mdslib/arrowmds"
)

type measured struct {
	Name  string `mds:"name"`
	N     int32
	Share *float64
	Seen  time.Time
	Price mdslib.Decimal
	Tags  []string
	At    struct{ X, Y float32 }
	By    map[string]int64
}

// TestCreate: structs, maps and Arrow records go to Spark and come back, small ones in the plan and large ones sent ahead.
func TestCreate(t *testing.T) {
	ctx := t.Context()
	half := 0.5
	in := []measured{
		{"rose", -5, &half, time.Date(2026, 11, 27, 10, 0, 0, 123456000, time.UTC), "1.500000000000000000", []string{"red", ""}, struct{ X, Y float32 }{1, 2}, map[string]int64{"Ada": 1 << 40}},
		{"Lilie ü", 6, nil, time.Unix(0, 0).UTC(), "-2.000000000000000000", nil, struct{ X, Y float32 }{}, nil},
	}
	d, err := session.CreateDataFrame(ctx, in, "")
	if err != nil {
		t.Fatal(err)
	}
	back, err := mdslib.CollectAs[measured](ctx, d.OrderBy("N"))
	if err != nil {
		t.Fatal(err)
	}
	if got, want := fmt.Sprintf("%+v", back), fmt.Sprintf("%+v", in); strings.ReplaceAll(got, fmt.Sprint(back[0].Share), "") != strings.ReplaceAll(want, fmt.Sprint(&half), "") || *back[0].Share != half {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if n, err := d.Filter("By['Ada'] = 1099511627776 AND Seen = TIMESTAMP'2026-11-27 10:00:00.123456Z'").Count(ctx); n != 1 || err != nil {
		t.Errorf("%d rows, %v", n, err)
	}
	if _, err := mdslib.CollectAs[struct{ Share float64 }](ctx, d); err == nil || !strings.Contains(err.Error(), `column "Share": it is NULL`) {
		t.Errorf("NULL into a float64: %v", err)
	}

	many := make([]mdslib.Sample, 5000)
	for i := range many {
		many[i] = mdslib.Sample{"i": i, "s": strings.Repeat(string(rune('a'+i%26)), 5000)}
	}
	large, err := session.CreateDataFrame(ctx, many, "i INT, s STRING")
	if err != nil {
		t.Fatal(err)
	}
	for range 2 { // the second finds what was sent
		_, rows := table(t, large.Select("count(*)", "sum(i)", "sum(length(s))", "count(DISTINCT substring(s, 1, 1))"))
		if want := []string{"5000", "12497500", "25000000", "26"}; len(rows) != 1 || !slices.Equal(rows[0], want) {
			t.Errorf("large rows: %q, want %q", rows, want)
		}
	}

	if err := session.SetConf(ctx, "spark.sql.session.localRelationSizeLimit", "20000000"); err != nil {
		t.Fatal(err)
	}
	if _, err := session.CreateDataFrame(ctx, many, "i INT, s STRING"); err == nil || !strings.Contains(err.Error(), "the rows are more than 20.0 MB, which spark.sql.session.localRelationSizeLimit sets") {
		t.Errorf("more rows than the server takes: %v", err)
	}
	if err := session.SetConf(ctx, "spark.sql.session.localRelationSizeLimit", "3221225472"); err != nil {
		t.Fatal(err)
	}

	var records []arrow.Record
	sent := 0
	for r, err := range arrowmds.ToArrow(ctx, session.Range(0, 50000).Select("id", "CAST(id AS STRING) AS s", "id % 2 = 0 AS even", "IF(id % 3 = 0, NULL, 0.5D) AS x")) {
		if err != nil {
			t.Fatal(err)
		}
		defer r.Release()
		records = append(records, r)
		sent += int(r.NumRows())
	}
	if sent != 50000 {
		t.Errorf("ToArrow gave %d rows", sent)
	}
	again, err := arrowmds.FromArrow(ctx, session, records...)
	if err != nil {
		t.Fatal(err)
	}
	_, rows := table(t, again.Select("count(*)", "sum(id)", "sum(CAST(s AS BIGINT))", "count_if(even)", "count(x)"))
	if want := []string{"50000", "1249975000", "1249975000", "25000", "33333"}; len(rows) != 1 || !slices.Equal(rows[0], want) {
		t.Errorf("of records: %q, want %q", rows, want)
	}
}

// TestTables: files in folders, tables with buckets, rows inserted, and kept rows.
func TestTables(t *testing.T) {
	ctx, dir := t.Context(), t.TempDir()
	frame := session.Range(0, 20).Select("id", "id % 3 AS k", "IF(id = 7, NULL, 'a/b') AS name")
	out := filepath.Join(dir, "parts")
	if err := frame.Write().PartitionBy("k", "name").Mode("Overwrite").Save(ctx, out); err != nil {
		t.Fatal(err)
	}
	here, err := mdslib.Connect(ctx, "local")
	if err != nil {
		t.Fatal(err)
	}
	ours := filepath.Join(dir, "ours")
	if err := here.Read().Format("parquet").Load(out).Write().PartitionBy("k", "name").Save(ctx, ours); err != nil {
		t.Fatal(err)
	}
	folders := func(dir string) []string {
		found, _ := filepath.Glob(dir + "/*/*")
		for i := range found {
			found[i], _ = filepath.Rel(dir, found[i])
		}
		return found
	}
	if got, want := folders(ours), folders(out); !slices.Equal(got, want) || len(got) != 4 {
		t.Errorf("folders\n got %q\nwant %q", got, want)
	}
	_, rows := table(t, session.Read().Format("parquet").Load(ours).Select("count(*)", "sum(id)", "sum(k)", "count(name)"))
	if want := []string{"20", "190", "19", "19"}; !slices.Equal(rows[0], want) {
		t.Errorf("Spark reads our folders as %q, want %q", rows[0], want)
	}

	if err := frame.Write().BucketBy(2, "k").SortBy("id").SaveAsTable(ctx, "bucketed"); err != nil {
		t.Fatal(err)
	}
	defer session.SQL(ctx, "DROP TABLE bucketed")
	if err := frame.Write().SaveAsTable(ctx, "bucketed"); err == nil || !strings.Contains(err.Error(), "TABLE_OR_VIEW_ALREADY_EXISTS") {
		t.Errorf("a table that is there: %v", err)
	}
	if err := frame.Write().Format("json").Mode("overwrite").SaveAsTable(ctx, "bucketed"); err != nil {
		t.Fatal(err)
	}
	if err := frame.Filter("id < 5").Write().InsertInto(ctx, "bucketed"); err != nil {
		t.Fatal(err)
	}
	if n, err := session.Table("bucketed").Count(ctx); n != 25 || err != nil {
		t.Errorf("%d rows in the table, %v", n, err)
	}
	if err := frame.Filter("id < 5").Write().Mode("overwrite").InsertInto(ctx, "bucketed"); err != nil {
		t.Fatal(err)
	}
	if n, err := session.Table("bucketed").Count(ctx); n != 5 || err != nil {
		t.Errorf("%d rows in the table, %v", n, err)
	}
	if err := frame.Write().Mode("perhaps").InsertInto(ctx, "bucketed"); err == nil || !strings.Contains(err.Error(), `mode "perhaps"`) {
		t.Errorf("mode: %v", err)
	}

	file := filepath.Join(dir, "kept.csv")
	if err := os.WriteFile(file, []byte("1\n2\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	kept := session.Read().Format("csv").Schema("n INT").Load(file)
	if err := kept.Persist(ctx, "MEMORY"); err == nil || !strings.Contains(err.Error(), "want one of DISK_ONLY") {
		t.Errorf("level: %v", err)
	}
	if err := kept.Persist(ctx, "MEMORY_ONLY"); err != nil {
		t.Fatal(err)
	}
	if text, err := kept.Filter("n > 0").Explain(ctx, ""); err != nil || !strings.Contains(text, "InMemoryTableScan") {
		t.Errorf("Explain of a kept plan: %v\n%s", err, text)
	}
	if err := kept.Unpersist(ctx); err != nil {
		t.Fatal(err)
	}
	if text, err := kept.Filter("n > 0").Explain(ctx, ""); err != nil || strings.Contains(text, "InMemoryTableScan") {
		t.Errorf("Explain of a plan not kept any more: %v\n%s", err, text)
	}
}
