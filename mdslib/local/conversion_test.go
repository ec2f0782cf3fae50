package local

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"maps"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"gomosaic/display"
	"gomosaic/mdslib"
	"gomosaic/mdslib/store"
)

// A child of these tests converts, and the parent ends it.
const childVariable = "GOMOSAIC_TEST_CONVERT"

func TestMain(m *testing.M) {
	if os.Getenv(childVariable) == "" {
		os.Exit(m.Run())
	}
	root, out := os.Args[len(os.Args)-2], os.Args[len(os.Args)-1]
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	session, err := mdslib.Connect(ctx, "local[2]")
	if err != nil {
		panic(err)
	}
	if os.Getenv(childVariable) == "small disk" {
		limit := syscall.Rlimit{Cur: 40 << 10, Max: 40 << 10}
		if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &limit); err != nil {
			panic(err)
		}
		signal.Ignore(syscall.SIGXFSZ) // as on a full disk, the write fails
	}
	d := session.Read().Format("binaryFile").Option("recursiveFileLookup", "true").Load(root).Select("content AS data", "length", "element_at(split(path, '/'), -1) AS name")
	opts := mdslib.MDSOptions{Out: out, SizeLimit: "64kb", Compression: "none", Resume: os.Getenv(childVariable) == "resume", Progress: func(p mdslib.WriteProgress) {
		fmt.Println("shards", p.Shards)
		if os.Getenv(childVariable) != "small disk" && p.Shards > 30 {
			select {} // until it is ended
		}
	}}
	if _, err = mdslib.DataFrameToMDS(ctx, d, opts); err != nil {
		fmt.Println(strings.ReplaceAll(err.Error(), "\n", " "))
		os.Exit(1)
	}
	fmt.Println("written")
}

// child starts the conversion in a process of its own.
func child(t *testing.T, mode, root, out string) (*exec.Cmd, *bufio.Scanner) {
	t.Helper()
	cmd := exec.Command(os.Args[0], root, out)
	cmd.Env = append(os.Environ(), childVariable+"="+mode)
	stdout, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cmd.Process.Kill(); cmd.Wait() })
	return cmd, bufio.NewScanner(stdout)
}

// noDataset holds that nothing at a folder reads as the data set.
func noDataset(t *testing.T, dir string) {
	t.Helper()
	if _, err := mdslib.OpenDataset(dir, mdslib.ReadOptions{}); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("%s opens: %v", dir, err)
	}
	if err := mdslib.MergeIndex(t.Context(), dir, mdslib.MergeOptions{}); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("%s merges: %v", dir, err)
	}
	if _, err := mdslib.RebuildIndex(t.Context(), dir, mdslib.RebuildOptions{}); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("%s is rebuilt: %v", dir, err)
	}
}

// manyBlobs makes eight partitions of files.
func manyBlobs(t *testing.T) string {
	t.Helper()
	root := t.TempDir()
	for i := range 96 {
		write(t, filepath.Join(root, fmt.Sprintf("%02d.bin", i)), strings.Repeat(fmt.Sprintf("%02d", i), 40<<10))
	}
	return root
}

// TestKilled: what a killed conversion leaves reads as no data set; the next one says what it is, goes on with it if asked to,
// or replaces it.
func TestKilled(t *testing.T) {
	root := manyBlobs(t)
	for _, mode := range []string{"resume", "plain"} {
		out := filepath.Join(t.TempDir(), "out")
		cmd, lines := child(t, mode, root, out)
		for lines.Scan() && lines.Text() != "shards 30" {
		}
		if err := cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		cmd.Wait()
		noDataset(t, out)
		d := connect(t, "local[2]").Read().Format("binaryFile").Option("recursiveFileLookup", "true").Load(root).Select("content AS data", "length", "element_at(split(path, '/'), -1) AS name")
		opts := mdslib.MDSOptions{Out: out, SizeLimit: "64kb", Compression: "none"}
		if _, err := mdslib.DataFrameToMDS(t.Context(), d, opts); !errors.Is(err, fs.ErrExist) || !strings.Contains(err.Error(), "left by a conversion that was killed") {
			t.Errorf("onto the remains: %v", err)
		}
		opts.Resume = true
		if _, err := mdslib.DataFrameToMDS(t.Context(), d.Filter("length > 1"), opts); !errors.Is(err, fs.ErrExist) || !strings.Contains(err.Error(), "of other data") {
			t.Errorf("resume with another plan: %v", err)
		}
		if mode == "plain" {
			opts.Resume, opts.ExistOK = false, true
		}
		r, err := mdslib.DataFrameToMDS(t.Context(), d, opts)
		if err != nil || r.Samples != 96 || r.Replaced {
			t.Fatalf("%s: %+v, %v", mode, r, err)
		}
		if mode == "resume" && (r.ResumedSamples == 0 || r.ResumedSamples >= 96) {
			t.Errorf("resumed %d samples", r.ResumedSamples)
		}
		whole := filepath.Join(t.TempDir(), "whole")
		if _, err := mdslib.DataFrameToMDS(t.Context(), d, mdslib.MDSOptions{Out: whole, SizeLimit: "64kb", Compression: "none"}); err != nil {
			t.Fatal(err)
		}
		if !mapsEqual(files(t, out), files(t, whole)) {
			t.Errorf("%s: the data set differs from one written at once", mode)
		}
	}
}

// TestInterrupted: a SIGINT ends the conversion; nothing of it is left, or with Resume what is complete.
func TestInterrupted(t *testing.T) {
	root := manyBlobs(t)
	out := filepath.Join(t.TempDir(), "out")
	d := frame(t, "local[2]", root).Select("data", "name")
	for _, resume := range []bool{false, true} {
		ctx, cancel := context.WithCancel(t.Context())
		opts := mdslib.MDSOptions{Out: out, SizeLimit: "64kb", Compression: "none", Resume: resume, Progress: func(p mdslib.WriteProgress) {
			if p.Samples > 40 {
				cancel()
			}
		}}
		_, err := mdslib.DataFrameToMDS(ctx, d, opts)
		if !errors.Is(err, context.Canceled) || !strings.Contains(err.Error(), "interrupted") {
			t.Fatal(err)
		}
		if !resume {
			if _, err := os.Stat(out); !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("the folder is still there: %v", err)
			}
			continue
		}
		if !strings.Contains(err.Error(), "run it again with Resume") {
			t.Errorf("the error doesn't say how to go on: %v", err)
		}
		noDataset(t, out)
		opts.Progress = nil
		r, err := mdslib.DataFrameToMDS(t.Context(), d, opts)
		if err != nil || r.ResumedSamples == 0 || r.Samples != 96 || !strings.Contains(r.String(), "were there from an earlier attempt") {
			t.Errorf("%+v, %v", r, err)
		}
	}
	// Go funcs can't be compared with those of an earlier run, and a temporary folder doesn't stay.
	for want, opts := range map[string]mdslib.MDSOptions{
		"OnInvalid":  {Out: filepath.Join(t.TempDir(), "x"), Resume: true, OnInvalid: func(error) error { return nil }},
		"that stays": {Out: "mem://x", Resume: true},
	} {
		if _, err := mdslib.DataFrameToMDS(t.Context(), d, opts); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want an error with %q, got %v", want, err)
		}
	}
}

// TestDiskFull: a write that fails leaves nothing that reads as a data set.
func TestDiskFull(t *testing.T) {
	out := filepath.Join(t.TempDir(), "out")
	cmd, lines := child(t, "small disk", manyBlobs(t), out)
	var said string
	for lines.Scan() {
		said = lines.Text()
	}
	if err := cmd.Wait(); err == nil || !strings.Contains(said, "file too large") || !strings.Contains(said, "nothing is left") {
		t.Errorf("%v: %s", err, said)
	}
	if _, err := os.Stat(out); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the folder is still there: %v", err)
	}
}

// failing is a store that takes so many files.
type failing struct {
	store.Store
	left *atomic.Int64
}

func (f failing) Put(ctx context.Context, path, key string) error {
	if f.left.Add(-1) < 0 {
		return fmt.Errorf("the bucket is closed (%w)", fs.ErrPermission)
	}
	return f.Store.Put(ctx, path, key)
}

// TestRemoteFails: what was copied to the remote is removed again.
func TestRemoteFails(t *testing.T) {
	remote := t.TempDir()
	var left atomic.Int64
	url := fmt.Sprintf("failing%d://x", time.Now().UnixNano())
	store.Register(strings.TrimSuffix(url, "://x"), func(ctx context.Context, place string) (store.Store, error) {
		s, err := store.Open(ctx, filepath.Join(remote, strings.TrimPrefix(place, url)))
		return failing{s, &left}, err
	})
	d := frame(t, "local[2]", manyBlobs(t))
	for _, takes := range []int64{0, 3, 20, 30} { // of 25 files or so with the merged index
		left.Store(takes)
		_, err := mdslib.DataFrameToMDS(t.Context(), d, mdslib.MDSOptions{Out: url, SizeLimit: "2mb", Compression: "none"})
		n := len(files(t, remote))
		if err == nil {
			if n < 10 {
				t.Errorf("%d files at the remote", n)
			}
			break
		}
		if n != 0 || !errors.Is(err, fs.ErrPermission) || !strings.Contains(err.Error(), "no data set was written to "+url) {
			t.Errorf("after %d files: %d at the remote, %v", takes, n, err)
		}
	}
	// With Resume what was converted stays here, and only the copying is done again.
	if err := os.RemoveAll(remote); err != nil {
		t.Fatal(err)
	}
	opts := mdslib.MDSOptions{Out: filepath.Join(t.TempDir(), "local"), Remote: url, SizeLimit: "2mb", Compression: "none", Resume: true}
	left.Store(5)
	if _, err := mdslib.DataFrameToMDS(t.Context(), d, opts); err == nil || !strings.Contains(err.Error(), "run it again with Resume") || len(files(t, remote)) != 0 {
		t.Errorf("a failing remote: %v", err)
	}
	noDataset(t, opts.Out)
	left.Store(1000)
	r, err := mdslib.DataFrameToMDS(t.Context(), d, opts)
	if err != nil || r.ResumedSamples != 96 || r.Samples != 96 {
		t.Fatalf("%+v, %v", r, err)
	}
	if _, err := os.Stat(opts.Out); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the local copy is still there: %v", err)
	}
	if n := len(table(t, connect(t, "local").Read().Format("mds").Load(remote))); n != 96 {
		t.Errorf("%d samples at the remote", n)
	}
	// Over an earlier data set: that stays as it was until all shards are there.
	before := files(t, remote)
	left.Store(2)
	_, err = mdslib.DataFrameToMDS(t.Context(), d, mdslib.MDSOptions{Out: url, Compression: "none", ExistOK: true})
	if err == nil || !maps.Equal(files(t, remote), before) || !strings.Contains(err.Error(), "is as it was") {
		t.Errorf("over an earlier data set: %v", err)
	}
	left.Store(int64(len(r.Partitions))) // shards, but not their indexes
	_, err = mdslib.DataFrameToMDS(t.Context(), d, mdslib.MDSOptions{Out: url, Compression: "none", ExistOK: true})
	if err == nil || !strings.Contains(err.Error(), "has lost its index.json") {
		t.Errorf("over an earlier data set: %v", err)
	}
	if _, err := os.Stat(filepath.Join(remote, mdslib.IndexName)); err == nil {
		t.Error("the remote reads as a data set")
	}
}

// shown collects what is published.
type shown struct{ html strings.Builder }

func (s *shown) Publish(d display.Data, _ bool) error {
	fmt.Fprintln(&s.html, d.Data[display.MIMETypeHTML])
	return nil
}

// TestProgressBar: the bar counts partitions and ends with the conversion, well or not.
func TestProgressBar(t *testing.T) {
	d := frame(t, "local", blobs(t, 60)).Repartition(3)
	for text, frame := range map[string]*mdslib.DataFrame{"3/3": d, "0/3": d.Select("1 / 0 AS x")} {
		s := &shown{}
		restore := display.SetPublisher(s)
		_, err := mdslib.DataFrameToMDS(t.Context(), frame, mdslib.MDSOptions{Out: filepath.Join(t.TempDir(), "out"), ProgressBar: true})
		display.Flush()
		restore()
		if got := s.html.String(); !strings.Contains(got, "writing MDS") || !strings.Contains(got, text) || (err == nil) != strings.Contains(got, "samples=60") {
			t.Errorf("want %s, got (%v)\n%s", text, err, got)
		}
	}
}

// pairs yields two samples for each row whose number is even.
func pairs(rows iter.Seq2[mdslib.Sample, error]) iter.Seq2[mdslib.Sample, error] {
	return func(yield func(mdslib.Sample, error) bool) {
		for row, err := range rows {
			if err != nil {
				yield(nil, err)
				return
			}
			n := row["n"].(int32)
			for half := range 2 {
				if n%2 == 0 && !yield(mdslib.Sample{"n": n, "half": half}, nil) {
					return
				}
			}
		}
	}
}

func TestUDFIterable(t *testing.T) {
	d := csv(t, "n\n0\n1\n2\n3\n4\n5\n", "header", "true", "inferSchema", "true").Repartition(2)
	out := filepath.Join(t.TempDir(), "out")
	opts := mdslib.MDSOptions{Out: out, Columns: mdslib.Columns{"n": "int32", "half": "int8"}, UDFIterable: pairs}
	r, err := mdslib.DataFrameToMDS(t.Context(), d, opts)
	if err != nil || r.Samples != 6 {
		t.Fatal(r, err)
	}
	wantLines(t, "samples", table(t, connect(t, "local").Read().Format("mds").Load(out)), "0|0", "1|0", "0|2", "1|2", "0|4", "1|4")
	type rows = iter.Seq2[mdslib.Sample, error]
	for want, udf := range map[string]func(rows) rows{
		"Columns must say":              pairs,
		"UDFIterable yields no samples": func(rows) rows { return func(func(mdslib.Sample, error) bool) {} },
		"UDFIterable: no more": func(rows) rows {
			return func(yield func(mdslib.Sample, error) bool) { yield(nil, errors.New("no more")) }
		},
		`column "half": `: func(in rows) rows {
			return func(yield func(mdslib.Sample, error) bool) {
				for row := range in {
					row["half"] = 1000
					if !yield(row, nil) {
						return
					}
				}
			}
		},
		"UDFIterable: the func panicked: no luck": func(in rows) rows {
			return func(yield func(mdslib.Sample, error) bool) {
				for range in {
					panic("no luck")
				}
			}
		},
		"people.csv, line 5: expression": func(in rows) rows { // an error of the rows counts, even where the func passes it by
			return func(yield func(mdslib.Sample, error) bool) {
				for row, err := range in {
					if err == nil && !yield(mdslib.Sample{"n": row["n"], "half": 0}, nil) {
						return
					}
				}
			}
		},
	} {
		opts := mdslib.MDSOptions{Out: filepath.Join(t.TempDir(), "out"), Columns: opts.Columns, UDFIterable: udf}
		d := d
		if want == "Columns must say" {
			opts.Columns = nil
		}
		if strings.HasPrefix(want, "people") {
			d = d.WithColumn("bad", "1 / (n - 3)")
		}
		if _, err := mdslib.DataFrameToMDS(t.Context(), d, opts); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want an error with %q, got %v", want, err)
		}
		if left := files(t, filepath.Dir(opts.Out)); len(left) != 0 {
			t.Errorf("%s: %v is left", want, slices.Collect(keys(left)))
		}
	}
}

// TestNoMergedIndex: the partitions are data sets of their own, which MergeIndex makes one.
func TestNoMergedIndex(t *testing.T) {
	d := frame(t, "local", blobs(t, 60)).Repartition(3)
	out, remote := filepath.Join(t.TempDir(), "out"), t.TempDir()
	r, err := mdslib.DataFrameToMDS(t.Context(), d, mdslib.MDSOptions{Out: out, Remote: remote, KeepLocal: true, NoMergedIndex: true})
	if err != nil || len(r.Partitions) != 3 || !r.NoMergedIndex {
		t.Fatal(r, err)
	}
	for _, dir := range []string{out, remote} {
		if _, err := mdslib.OpenDataset(dir, mdslib.ReadOptions{}); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s has an index: %v", dir, err)
		}
		if n := len(table(t, connect(t, "local").Read().Format("mds").Load(dir+"/00000", dir+"/00001", dir+"/00002"))); n != 60 {
			t.Errorf("%d samples", n)
		}
	}
	if err := mdslib.MergeIndex(t.Context(), out, mdslib.MergeOptions{}); err != nil {
		t.Fatal(err)
	}
	if n := len(table(t, connect(t, "local").Read().Format("mds").Load(out))); n != 60 {
		t.Errorf("%d samples after merging", n)
	}
}

// The report is drawn with a chart of its shards and a line for each partition.
func TestReport(t *testing.T) {
	out := filepath.Join(t.TempDir(), "out")
	r, err := mdslib.DataFrameToMDS(t.Context(), frame(t, "local", blobs(t, 90)).Repartition(3), mdslib.MDSOptions{Out: out, SizeLimit: "32kb", Hashes: []string{"sha1"}})
	if err != nil {
		t.Fatal(err)
	}
	shards := 0
	var raw, stored int64
	for _, p := range r.Partitions {
		shards += len(p.ShardBytes)
		for i, b := range p.ShardBytes {
			raw, stored = raw+b, stored+p.ShardZipBytes[i]
		}
	}
	if shards != r.Shards || raw != r.RawBytes || stored != r.ZipBytes || r.Ratio() < 1.2 || r.MBPerSecond() <= 0 {
		t.Errorf("%+v", r)
	}
	for _, part := range []string{`alt="Shard sizes: `, "data:image/svg+xml;base64,", "<td>00002</td><td>30</td>", "<th>ratio</th>"} {
		if !strings.Contains(r.HTML(), part) {
			t.Errorf("%q is missing in\n%s", part, r.HTML())
		}
	}
	many := mdslib.Report{Columns: mdslib.Columns{}}
	for i := range 2000 {
		many.Columns[fmt.Sprintf("c%04d", i)] = "int"
	}
	if text := many.String(); len(text) > 1500 || !strings.Contains(text, "c0049: int, and 1 950 more\n") {
		t.Errorf("2,000 columns: %s", text)
	}
}
