package local

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestCache: kept rows are computed once, for the frame and those made of it, and not kept after a run that failed.
func TestCache(t *testing.T) {
	ctx := t.Context()
	path := write(t, filepath.Join(t.TempDir(), "n.csv"), "1\n2\n3\n")
	d := connect(t, "local[2]").Read().Format("csv").Schema("n INT").Load(path)
	if err := d.Persist(ctx, "DISK_ONLY"); err == nil || !strings.Contains(err.Error(), "in memory only") {
		t.Errorf("DISK_ONLY: %v", err)
	}
	if err := d.Cache(ctx); err != nil {
		t.Fatal(err)
	}
	cancelled, cancel := context.WithCancel(ctx)
	cancel()
	if _, err := d.Collect(cancelled); err == nil {
		t.Error("a run whose context has ended went well")
	}
	if n, err := d.Filter("n > 1").Count(ctx); n != 2 || err != nil {
		t.Errorf("%d rows, %v", n, err)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if got := table(t, d.Select("n * 2 AS m").Limit(2)); !slices.Equal(got, []string{"2", "4"}) {
		t.Errorf("kept rows %q", got)
	}
	if err := d.Unpersist(ctx); err != nil {
		t.Fatal(err)
	}
	if _, err := d.Count(ctx); err == nil {
		t.Error("rows are still kept")
	}
}

// TestPartitionedWrite: rows lie in the folders of their values, and reading gives all columns back.
func TestPartitionedWrite(t *testing.T) {
	ctx, dir := t.Context(), t.TempDir()
	s := connect(t, "local[2]")
	d := s.Read().Format("csv").Option("header", "true").Schema("kind STRING, day DATE, n INT").Load(
		write(t, dir+"/in.csv", "kind,day,n\na/b,2026-11-27,1\n,2026-11-27,2\na/b,,3\nc,2026-11-28,4\n"))
	out := filepath.Join(dir, "out")
	for _, mode := range []string{"", "append", "overwrite"} {
		if err := d.Write().Format("csv").Mode(mode).PartitionBy("kind", "day").Save(ctx, out); err != nil {
			t.Fatal(err)
		}
	}
	got := table(t, s.Read().Format("csv").Schema("n INT").Load(out).Select("n", "kind", "day").OrderBy("n"))
	if want := []string{"1|a/b|2026-11-27", "2|<nil>|2026-11-27", "3|a/b|<nil>", "4|c|2026-11-28"}; !slices.Equal(got, want) {
		t.Errorf("read back %q\nwant %q", got, want)
	}
	if _, err := os.Stat(filepath.Join(out, "kind=a%2Fb", "day=2026-11-27")); err != nil {
		t.Error(err)
	}
	if err := d.Filter("kind = 'c'").Write().Format("csv").Mode("overwrite").PartitionBy("kind").Save(ctx, out); err != nil {
		t.Fatal(err)
	}
	if left, _ := filepath.Glob(out + "/*"); !slices.Equal(left, []string{out + "/_SUCCESS", out + "/kind=c"}) {
		t.Errorf("after overwrite %q", left)
	}
	many := s.Range(0, 250).Select("id % 125 AS k", "id").Coalesce(1)
	wide := filepath.Join(dir, "wide")
	if err := many.Write().Format("json").PartitionBy("k").Save(ctx, wide); err != nil {
		t.Fatal(err)
	}
	if n, err := s.Read().Format("json").Load(wide).Select("k", "id").Distinct().Count(ctx); n != 250 || err != nil {
		t.Errorf("%d rows in more folders than files may be open, %v", n, err)
	}
	for says, err := range map[string]error{
		`no column "kin"`:                    d.Write().Format("csv").PartitionBy("kin").Save(ctx, dir+"/x"),
		"all columns are partition columns":  d.Select("n").Write().Format("csv").PartitionBy("n").Save(ctx, dir+"/x"),
		"this engine has no tables":          d.Write().SaveAsTable(ctx, "t"),
		"BucketBy and SortBy are for tables": d.Write().BucketBy(4, "n").Save(ctx, dir+"/x"),
		"holds kind=c/mine.txt, which no Write wrote": func() error {
			write(t, out+"/kind=c/mine.txt", "")
			return d.Write().Format("csv").Mode("overwrite").Save(ctx, out)
		}(),
	} {
		if err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("error %v, want %q", err, says)
		}
	}
}
