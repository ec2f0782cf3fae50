package worker

import (
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"gomosaic/mdslib"
	"gomosaic/mdslib/plan"
)

var columns = mdslib.Columns{"n": "int64", "s": "str"}

// start begins a conversion as a driver does, and makes the job of its tasks.
func start(t *testing.T, opts mdslib.MDSOptions) (*mdslib.Conversion, *Job) {
	t.Helper()
	opts.Columns = columns
	c, err := mdslib.StartConversion(t.Context(), opts, "")
	if err != nil {
		t.Fatal(err)
	}
	j := job(t, "n BIGINT, s STRING", TextPlain, TextBase64)
	if j.Options, j.Marker, err = c.TaskOptions(t.Context()); err != nil {
		t.Fatal(err)
	}
	j.Token = c.TaskToken()
	return c, j
}

// numbers are rows n to m-1; a stop among them is an error.
func numbers(n, m int64) iter.Seq2[[]any, error] {
	return func(yield func([]any, error) bool) {
		for i := n; i < m; i++ {
			if !yield([]any{i, fmt.Sprint("row ", i)}, nil) {
				return
			}
		}
	}
}

// convert runs a task.
func convert(t *testing.T, j *Job, partition int, rows iter.Seq2[[]any, error]) mdslib.PartitionReport {
	t.Helper()
	r, err := Convert(t.Context(), j, partition, rows)
	if err != nil {
		t.Fatal(err)
	}
	return r.PartitionReport
}

// read gives the numbers of a data set's samples.
func read(t *testing.T, dir string) []int64 {
	t.Helper()
	d, err := mdslib.OpenDataset(dir, mdslib.ReadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	var all []int64
	for s, err := range d.All() {
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, s["n"].(int64))
	}
	return all
}

// files lists the files below a folder.
func files(t *testing.T, dir string) []string {
	t.Helper()
	var all []string
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			name, _ := filepath.Rel(dir, path)
			all = append(all, name)
		}
		return err
	})
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	return all
}

// killed leaves what a task leaves that is killed: a shard, and no index.
func killed(t *testing.T, j *Job, partition int) {
	t.Helper()
	dir := filepath.Join(j.Options.Out+j.Options.Remote, fmt.Sprintf("%05d-%s-killed", partition, j.Token))
	if err := os.MkdirAll(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "shard.00000.mds"), []byte("half"), 0o666); err != nil {
		t.Fatal(err)
	}
}

// TestTries: of tasks that were killed, tried again or run twice at once, those that are reported make the data set, in the
// order of the partitions; an earlier one stays until then; and nothing of the others is left.
func TestTries(t *testing.T) {
	for name, set := range map[string]func(dir string) (opts mdslib.MDSOptions, out string){
		"shared folder": func(dir string) (mdslib.MDSOptions, string) {
			return mdslib.MDSOptions{Out: filepath.Join(dir, "out")}, filepath.Join(dir, "out")
		},
		"remote": func(dir string) (mdslib.MDSOptions, string) {
			return mdslib.MDSOptions{Out: filepath.Join(dir, "local"), Remote: filepath.Join(dir, "remote")}, filepath.Join(dir, "remote")
		},
		"both": func(dir string) (mdslib.MDSOptions, string) {
			return mdslib.MDSOptions{Out: filepath.Join(dir, "local"), Remote: filepath.Join(dir, "remote"), KeepLocal: true}, filepath.Join(dir, "remote")
		},
	} {
		t.Run(name, func(t *testing.T) {
			opts, out := set(t.TempDir())
			opts.SizeLimit, opts.ExistOK = "200", true
			for round, rows := range []int64{40, 25} { // the second replaces the first
				c, j := start(t, opts)
				killed(t, j, 0)
				convert(t, j, 1, numbers(rows, rows+20)) // a second try was quicker
				reports := []mdslib.PartitionReport{convert(t, j, 0, numbers(0, rows)), convert(t, j, 1, numbers(rows, rows+20))}
				if round > 0 {
					if got := read(t, out); len(got) != 60 {
						t.Errorf("while the tasks run the earlier data set has %d samples", len(got))
					}
				} else if _, err := os.Stat(filepath.Join(out, mdslib.IndexName)); err == nil {
					t.Error("while the tasks run there is an index")
				}
				if err := c.CheckTasks(reports); err != nil {
					t.Fatal(err)
				}
				report, err := c.Commit(t.Context(), "tasks", reports)
				if err != nil {
					t.Fatal(err)
				}
				if got, want := read(t, out), rows+20; int64(len(got)) != want || !slices.IsSorted(got) || report.Samples != want {
					t.Errorf("%d samples %v, want %d in order; report %+v", len(got), got, want, report)
				}
				shards := 0
				for _, f := range files(t, out) {
					if strings.Contains(f, "shard.") {
						shards++
					}
					if strings.Contains(f, "killed") || strings.Contains(f, "_attempt") {
						t.Errorf("%s is left", f)
					}
				}
				if shards != report.Shards {
					t.Errorf("%d shards lie there, %d are in the index", shards, report.Shards)
				}
				if _, err := os.Stat(opts.Out); opts.KeepLocal && (err != nil || len(read(t, opts.Out)) != int(rows)+20) {
					t.Errorf("the local copy: %v", err)
				} else if opts.Remote != "" && !opts.KeepLocal && err == nil {
					t.Error("the local folder is left")
				}
			}
		})
	}
}

// TestTasksAborted: nothing is left of a conversion that failed, wherever its tasks wrote.
func TestTasksAborted(t *testing.T) {
	for _, remote := range []bool{false, true} {
		dir := t.TempDir()
		opts := mdslib.MDSOptions{Out: filepath.Join(dir, "out")}
		if remote {
			opts.Remote = filepath.Join(dir, "remote")
		}
		c, j := start(t, opts)
		convert(t, j, 0, numbers(0, 10))
		killed(t, j, 1)
		synctest.Test(t, func(t *testing.T) {
			if err := c.Abort(errors.New("a task failed")); !strings.Contains(err.Error(), "removed") {
				t.Errorf("error %v", err)
			}
		})
		if left := files(t, dir); len(left) > 0 {
			t.Errorf("remote %t: %v are left", remote, left)
		}
	}
}

// TestTaskOutlivesAbort: a task that still writes while its conversion is removed leaves nothing, and ends with an error.
func TestTaskOutlivesAbort(t *testing.T) {
	out := filepath.Join(t.TempDir(), "out")
	c, j := start(t, mdslib.MDSOptions{Out: out, SizeLimit: "100"})
	begun, ended := make(chan bool), make(chan error)
	go func() {
		_, err := Convert(t.Context(), j, 0, func(yield func([]any, error) bool) {
			for i := int64(0); yield([]any{i, "x"}, nil); i++ {
				if i == 100 {
					close(begun)
				}
			}
		})
		ended <- err
	}()
	<-begun
	_ = c.Abort(errors.New("interrupted"))
	if err := <-ended; !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the task: %v", err)
	}
	if entries, err := os.ReadDir(out); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("%v are left, %v", entries, err)
	}
}

// TestTasksElsewhere: tasks that don't share the folder say so; what this process does not see is no part of a data set, nor
// are other conversions' folders, nor a partition that comes twice.
func TestTasksElsewhere(t *testing.T) {
	c, j := start(t, mdslib.MDSOptions{Out: filepath.Join(t.TempDir(), "out")})
	good := convert(t, j, 0, numbers(0, 10))
	away := *j
	away.Marker += "-elsewhere"
	if _, err := Convert(t.Context(), &away, 1, numbers(0, 10)); err == nil || !strings.HasPrefix(err.Error(), ErrNotShared) {
		t.Errorf("a folder that is not shared: %v", err)
	}
	_, remote := start(t, mdslib.MDSOptions{Remote: t.TempDir()})
	remote.Options.Remote = t.TempDir()
	if _, err := Convert(t.Context(), remote, 1, numbers(0, 10)); err == nil || !strings.HasPrefix(err.Error(), ErrNotShared) {
		t.Errorf("a store that is another one: %v", err)
	}
	volume := *j
	volume.Options.Out, volume.Options.Remote, volume.Marker = "", "/Volumes/nowhere/flowers/train", ""
	if _, err := Convert(t.Context(), &volume, 1, numbers(0, 10)); err == nil || !strings.HasPrefix(err.Error(), ErrNotShared) {
		t.Errorf("a volume that is not mounted: %v", err)
	}
	away = *j
	away.Options.Out, away.Marker = t.TempDir(), ""
	unseen := convert(t, &away, 1, numbers(0, 10))
	foreign := *j
	foreign.Token = "another"
	other := convert(t, &foreign, 1, numbers(0, 10))
	for name, reports := range map[string][]mdslib.PartitionReport{"unseen": {good, unseen}, "another's": {good, other}, "twice": {good, good}} {
		if err := c.CheckTasks(reports); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	if err := c.CheckTasks([]mdslib.PartitionReport{good}); err != nil {
		t.Error(err)
	}
}

// TestInvalidRows: an error says row, partition and column and leaves nothing; a job may leave such rows out, and list them.
func TestInvalidRows(t *testing.T) {
	rows := func(yield func([]any, error) bool) {
		_ = yield([]any{int64(1), "a"}, nil) && yield([]any{nil, "b"}, nil) && yield([]any{int64(3), nil}, nil)
	}
	out := filepath.Join(t.TempDir(), "out")
	_, j := start(t, mdslib.MDSOptions{Out: out, NullAs: map[string]any{"s": "none"}})
	before := files(t, out)
	if _, err := Convert(t.Context(), j, 7, rows); err == nil || !strings.Contains(err.Error(), `row 1 of partition 7: column "n": it is NULL`) {
		t.Errorf("error %v", err)
	}
	if left := files(t, out); !slices.Equal(left, before) {
		t.Errorf("%v are left", left)
	}
	j.SkipInvalid = true
	r, err := Convert(t.Context(), j, 7, rows)
	if err != nil || r.Samples != 2 || len(r.Invalid) != 1 || r.Invalid[0].Row != 1 || r.Invalid[0].Column != "n" {
		t.Errorf("%+v, %v", r, err)
	}
	stop := errors.New("cut")
	if _, err := Convert(t.Context(), j, 8, func(yield func([]any, error) bool) { _ = yield([]any{int64(1), "a"}, nil) && yield(nil, stop) }); !errors.Is(err, stop) {
		t.Errorf("rows that break off: %v", err)
	}
}

// TestFiles: a column by path has the files' bytes; a file that is gone is named.
func TestFiles(t *testing.T) {
	dir := t.TempDir()
	for name, content := range map[string]string{"a b.jpg": "rose", "ü%20.jpg": strings.Repeat("tulip", 1000), "none": ""} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	out := filepath.Join(t.TempDir(), "out")
	j := &Job{Schema: plan.Schema{Fields: []plan.Field{{Name: "image", Type: plan.Of(plan.Binary)}}}, Texts: []Text{TextFile}, Token: "token",
		Options: mdslib.MDSOptions{Out: out, Columns: mdslib.Columns{"image": "bytes"}}}
	r, err := ConvertText(t.Context(), j, strings.NewReader("0\t"+mime([]byte("file:"+dir+"/a b.jpg"))+"\tE\n0\t"+mime([]byte("file://"+dir+"/ü%20.jpg"))+"\tE\n0\t"+mime([]byte(dir+"/none"))+"\tE\n"))
	if err != nil {
		t.Fatal(err)
	}
	d, err := mdslib.OpenDataset(filepath.Join(out, r.Dir), mdslib.ReadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	for i, want := range []int{4, 5000, 0} {
		if s, err := d.Get(i); err != nil || len(s["image"].([]byte)) != want {
			t.Errorf("sample %d: %v, %v", i, s, err)
		}
	}
	if _, err := ConvertText(t.Context(), j, strings.NewReader("0\t"+mime([]byte("file:"+dir+"/gone.jpg"))+"\tE\n")); err == nil || !strings.Contains(err.Error(), `row 0 of partition 0: column "image"`) || !strings.Contains(err.Error(), "gone.jpg") || !final(err) {
		t.Errorf("a file that is gone: %v", err)
	}
	if r, err := ConvertText(t.Context(), j, strings.NewReader("")); r != nil || err != nil {
		t.Errorf("no rows: %v, %v", r, err)
	}
}

// TestBeats: a task that takes longer than a moment shows how far it is, and leaves nothing behind.
func TestBeats(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		b := newBeats(dir, "00012-token-try")
		b.row(5)
		b.written(mdslib.WriteProgress{Shards: 2, Samples: 4, StoredBytes: 100, RawBytes: 200})
		time.Sleep(beatEvery + time.Millisecond)
		synctest.Wait()
		if got, err := ReadBeats(dir); err != nil || len(got) != 1 || got[12] != (Beat{Rows: 5, Samples: 4, RawBytes: 200, StoredBytes: 100, Shards: 2}) {
			t.Errorf("%v, %v", got, err)
		}
		b.end()
	})
	if left := files(t, dir); len(left) > 0 {
		t.Errorf("%v are left", left)
	}
}
