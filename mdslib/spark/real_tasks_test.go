//go:build spark

package spark

// Tasks that write shards, where things go wrong, and where rows are large.

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"gomosaic/mdslib"
)

// slowQuery has 4 partitions of 60 rows of which each takes a while.
const slowQuery = "SELECT id, repeat('x', 5000) AS s, reflect('java.util.concurrent.locks.LockSupport', 'parkNanos', 40000000L) IS NULL AS slow FROM range(0, 240, 1, 4)"

func slowRows(t *testing.T) *mdslib.DataFrame {
	t.Helper()
	d, err := session.SQL(t.Context(), slowQuery)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// slowOptions write them in small shards.
func slowOptions(out, way string) mdslib.MDSOptions {
	return mdslib.MDSOptions{Out: out, Columns: mdslib.Columns{"id": "int64", "s": "str", "slow": "uint8"}, SizeLimit: "20kb", Compression: "none", SparkWriters: way}
}

// workers are the processes on the executors of this test's servers that convert or map rows now, with their parents: by TRANSFORM the
// executors' Java.
func workers(t *testing.T) map[int]int {
	t.Helper()
	all := map[int]int{}
	lines, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range lines {
		text, err := os.ReadFile(line)
		if err != nil || !bytes.Contains(text, []byte("gomosaic-job-")) && !bytes.Contains(text, []byte("gomosaic-func-")) || bytes.HasPrefix(text, []byte("/bin/bash")) || !onOurs(filepath.Dir(line)) {
			continue
		}
		if stat, err := os.ReadFile(filepath.Join(filepath.Dir(line), "stat")); err == nil {
			pid, _ := strconv.Atoi(filepath.Base(filepath.Dir(line)))
			_, rest, _ := strings.Cut(string(stat), ") ")
			all[pid], _ = strconv.Atoi(strings.Fields(rest)[1])
		}
	}
	return all
}

// onOurs tells whether a process has our environment, as those on executors of servers that we started have.
func onOurs(proc string) bool {
	env, err := os.ReadFile(filepath.Join(proc, "environ"))
	return err == nil && bytes.Contains(env, []byte("S3_ENDPOINT_URL="+os.Getenv("S3_ENDPOINT_URL")+"\x00"))
}

// noWorkers waits until no worker is left; one that began when its conversion had been given up has 20 s to say so.
func noWorkers(t *testing.T) {
	t.Helper()
	for end := time.Now().Add(20*time.Second + inTime); len(workers(t)) > 0; time.Sleep(100 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("workers %v are left", workers(t))
		}
	}
}

// whenUnderWay calls fn once tasks that write below a folder have written shards.
func whenUnderWay(t *testing.T, out string, fn func()) {
	t.Helper()
	go func() {
		for range 2400 { // the worker may have to be built first
			time.Sleep(100 * time.Millisecond)
			shards, _ := filepath.Glob(filepath.Join(out, "_attempt-*", "0*", "shard.*"))
			if stored, _ := filepath.Glob(filepath.Join(out, "0*", "shard.*")); len(shards)+len(stored) > 1 {
				fn()
				return
			}
		}
		t.Error("no task got under way")
	}()
}

// numbersOf are the ids of a data set.
func numbersOf(t *testing.T, dir string) []int64 {
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
		all = append(all, s["id"].(int64))
	}
	return all
}

// TestTasksKilled: a task that is killed, and then an executor, are run again, and the data set is whole; nothing else is left.
func TestTasksKilled(t *testing.T) {
	for name, kill := range map[string]func(pid, parent int){
		"worker":   func(pid, _ int) { _ = syscall.Kill(pid, syscall.SIGKILL) },
		"executor": func(_, parent int) { _ = syscall.Kill(parent, syscall.SIGKILL) },
	} {
		t.Run(name, func(t *testing.T) {
			out := filepath.Join(t.TempDir(), "out")
			killed := make(chan bool, 1)
			whenUnderWay(t, out, func() {
				for pid, parent := range workers(t) {
					kill(pid, parent)
					killed <- true
					return
				}
			})
			var last mdslib.WriteProgress
			opts := slowOptions(out, "transform")
			opts.Progress = func(p mdslib.WriteProgress) { last = p }
			report, err := mdslib.DataFrameToMDS(t.Context(), slowRows(t), opts)
			if err != nil {
				t.Fatal(err)
			}
			if len(killed) == 0 {
				t.Error("none was killed")
			}
			if got := numbersOf(t, out); len(got) != 240 || !slices.IsSorted(got) || len(report.Partitions) != 4 || last.Samples != 240 {
				t.Errorf("%d samples in %d partitions, progress %+v", len(got), len(report.Partitions), last)
			}
			entries, err := os.ReadDir(out)
			if err != nil || len(entries) != 5 {
				t.Errorf("%v, %v", entries, err)
			}
			noWorkers(t)
		})
	}
}

// TestTasksInterrupted: an interrupted conversion leaves no files, no worker, and free executors.
func TestTasksInterrupted(t *testing.T) {
	for _, way := range []string{"transform", "mapInArrow"} {
		out := filepath.Join(t.TempDir(), "out")
		ctx, cancel := context.WithCancel(t.Context())
		whenUnderWay(t, out, cancel)
		query := strings.Replace(slowQuery, "240", "1000000000", 1)
		if way == "mapInArrow" { // its rows come 10,000 at a time
			query = strings.Replace(query, "40000000L", "100000L", 1)
		}
		endless, err := session.SQL(t.Context(), query)
		if err != nil {
			t.Fatal(err)
		}
		_, err = mdslib.DataFrameToMDS(ctx, endless, slowOptions(out, way))
		if !errors.Is(err, context.Canceled) || !strings.Contains(err.Error(), "interrupted") {
			t.Errorf("%s: error %v", way, err)
		}
		noWorkers(t)
		if entries, err := os.ReadDir(out); err == nil {
			t.Errorf("%s: %v are left", way, entries)
		}
	}
	if n, err := session.Range(0, 1000).Repartition(4).Count(t.Context()); n != 1000 || err != nil {
		t.Errorf("afterwards %d, %v", n, err)
	}
}

// TestTasksFail: an error of a row is told with its place by each way; rows may be left out.
func TestTasksFail(t *testing.T) {
	rows, err := session.SQL(t.Context(), "SELECT nullif(id, 70) AS id, 'x' AS s FROM range(0, 100, 1, 2)")
	if err != nil {
		t.Fatal(err)
	}
	for _, way := range []string{"transform", "mapInArrow"} {
		out := filepath.Join(t.TempDir(), "out")
		_, err := mdslib.DataFrameToMDS(t.Context(), rows, mdslib.MDSOptions{Out: out, SparkWriters: way})
		if err == nil || !strings.Contains(err.Error(), `spark: row 20 of partition 1: column "id": it is NULL`) {
			t.Errorf("%s: %v", way, err)
		}
		if _, err := os.Stat(out); err == nil {
			t.Errorf("%s: the folder is left", way)
		}
		var invalid []string
		report, err := mdslib.DataFrameToMDS(t.Context(), rows, mdslib.MDSOptions{Out: out, SparkWriters: way, OnInvalid: func(err error) error {
			invalid = append(invalid, err.Error())
			return nil
		}})
		if err != nil || report.Samples != 99 || len(invalid) != 1 || !strings.Contains(invalid[0], "row 20 of partition 1") {
			t.Errorf("%s: rows left out: %v, %v, %v", way, report, err, invalid)
		}
	}
	if _, err := mdslib.DataFrameToMDS(t.Context(), rows, mdslib.MDSOptions{Out: filepath.Join(t.TempDir(), "out"), SparkWriters: "hive"}); err == nil || !strings.Contains(err.Error(), "want transform") {
		t.Errorf("SparkWriters: %v", err)
	}
	if _, err := mdslib.DataFrameToMDS(t.Context(), rows, mdslib.MDSOptions{Out: "gs://bucket/x", SparkWriters: "executors"}); err == nil || !strings.Contains(err.Error(), "do not write to gs://") {
		t.Errorf("a store that workers lack: %v", err)
	}
}

// TestLargeRows: rows of 64 MB pass executors of 1 GiB; files of 512 MB go by path; skewed and empty partitions are as they are.
func TestLargeRows(t *testing.T) {
	large, err := session.SQL(t.Context(), "SELECT id, CAST(repeat(CAST(id AS STRING), IF(id = 3, 64000000, 10)) AS BINARY) AS data FROM range(0, 8, 1, 4) WHERE id < 4")
	if err != nil {
		t.Fatal(err)
	}
	out := filepath.Join(t.TempDir(), "rows")
	report, err := mdslib.DataFrameToMDS(t.Context(), large, mdslib.MDSOptions{Out: out, SparkWriters: "transform"})
	if err != nil || report.Samples != 4 || len(report.Partitions) != 2 {
		t.Fatalf("%v, %v", report, err)
	}
	d, err := mdslib.OpenDataset(out, mdslib.ReadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	if s, err := d.Get(3); err != nil || len(s["data"].([]byte)) != 64000000 || bytes.Count(s["data"].([]byte), []byte("3")) != 64000000 {
		t.Errorf("the large row: %d bytes, %v", len(s["data"].([]byte)), err)
	}

	dir := t.TempDir()
	const size = 512_000_000
	file := filepath.Join(dir, "large ü%20.jpg")
	if err := os.WriteFile(file, []byte("tulip"), 0o666); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(file, size); err != nil {
		t.Fatal(err)
	}
	files := session.Read().Format("binaryFile").Load(dir).Filter("length > 0").WithColumnRenamed("content", "image").Repartition(2).Select("image", "length")
	out = filepath.Join(t.TempDir(), "files")
	if report, err = mdslib.DataFrameToMDS(t.Context(), files, mdslib.MDSOptions{Out: out, SparkWriters: "transform", SizeLimit: "600mb"}); err != nil || report.RawBytes < size {
		t.Fatalf("%v, %v", report, err)
	}
}

// TestRowTooLarge: the error of a row that no executor has the memory for names the file, its size and the setting.
func TestRowTooLarge(t *testing.T) {
	if os.Getenv("GOMOSAIC_LONG") == "" {
		return // executors that run out of memory take a minute to say so; TestWhoWrites has the rest
	}
	file := filepath.Join(t.TempDir(), "large.jpg")
	if err := os.WriteFile(file, []byte("tulip"), 0o666); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(file, 512_000_000); err != nil {
		t.Fatal(err)
	}
	changed := session.Read().Format("binaryFile").Load(filepath.Dir(file)).Select("concat(content, X'00') AS image")
	out := filepath.Join(t.TempDir(), "out")
	_, err := mdslib.DataFrameToMDS(t.Context(), changed, mdslib.MDSOptions{Out: out, SparkWriters: "transform"})
	if err == nil || !strings.Contains(err.Error(), "large.jpg, of 512.0 MB") || !strings.Contains(err.Error(), "spark.executor.memory") {
		t.Errorf("error %v", err)
	}
	if _, err := os.Stat(out); err == nil {
		t.Error("something is left")
	}
	if n, err := session.Range(0, 1000).Repartition(4).Count(t.Context()); n != 1000 || err != nil {
		t.Errorf("afterwards %d, %v", n, err)
	}
}

// mainConverter converts slow rows in a session of its own, and will be killed.
func mainConverter() {
	s, err := mdslib.Connect(context.Background(), os.Getenv("GOMOSAIC_TEST_CONVERTER"))
	if err == nil {
		var rows *mdslib.DataFrame
		if rows, err = s.SQL(context.Background(), os.Getenv("GOMOSAIC_TEST_QUERY")); err == nil {
			_, err = mdslib.DataFrameToMDS(context.Background(), rows, slowOptions(os.Getenv("GOMOSAIC_TEST_OUT"), "transform"))
		}
	}
	log.Fatal(err)
}

// startConverter starts a driver of its own that writes the rows of a query to out, and kills it when its tasks have written
// shards below a folder.
func startConverter(t *testing.T, out, folder, query string) (driver *exec.Cmd, killed func() bool) {
	t.Helper()
	driver = exec.Command(os.Args[0])
	driver.Env = append(os.Environ(), "GOMOSAIC_TEST_CONVERTER="+remote(), "GOMOSAIC_TEST_OUT="+out, "GOMOSAIC_TEST_QUERY="+query)
	driver.Stderr = os.Stderr
	var done atomic.Bool
	whenUnderWay(t, folder, func() { done.Store(true); _ = driver.Process.Kill() })
	if err := driver.Start(); err != nil {
		t.Fatal(err)
	}
	return driver, done.Load
}

// TestDriverKilled: a driver that is killed in the middle leaves no data set and, when its tasks are through, no process; another
// replaces what it left, also while its tasks still write.
func TestDriverKilled(t *testing.T) {
	out := filepath.Join(t.TempDir(), "out")
	driver, killed := startConverter(t, out, out, slowQuery)
	if _ = driver.Wait(); !killed() {
		t.Fatal("it ended by itself")
	}
	if _, err := mdslib.OpenDataset(out, mdslib.ReadOptions{}); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("what is left opens as a data set: %v", err)
	}
	rows, err := session.SQL(t.Context(), "SELECT id FROM range(0, 100, 1, 4)")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := mdslib.DataFrameToMDS(t.Context(), rows, mdslib.MDSOptions{Out: out, SparkWriters: "transform"}); !errors.Is(err, fs.ErrExist) || !strings.Contains(err.Error(), "killed or still runs") {
		t.Errorf("what is left is not noticed: %v", err)
	}
	if _, err := mdslib.DataFrameToMDS(t.Context(), rows, mdslib.MDSOptions{Out: out, SparkWriters: "transform", ExistOK: true}); err != nil {
		t.Fatal(err)
	}
	noWorkers(t)
	if got := numbersOf(t, out); len(got) != 100 || !slices.IsSorted(got) {
		t.Errorf("%d samples", len(got))
	}
}

// TestTasksWriteToS3: tasks write to a store themselves, with the executors' own keys; what they replace and what is not theirs
// are told apart, and no failure leaves a data set.
func TestTasksWriteToS3(t *testing.T) {
	rows, err := session.SQL(t.Context(), "SELECT id, repeat('x', 5000) AS s FROM range(0, 400, 1, 4)")
	if err != nil {
		t.Fatal(err)
	}
	opts := mdslib.MDSOptions{Out: "s3://shards/flowers", SizeLimit: "100kb", Hashes: []string{"sha1"}, SparkWriters: "executors"}
	for round, n := range []int{400, 100} {
		opts.ExistOK = round > 0
		report, err := mdslib.DataFrameToMDS(t.Context(), rows.Filter(fmt.Sprint("id < ", n)), opts)
		if err != nil {
			t.Fatal(err)
		}
		got := numbersOf(t, filepath.Join(bucket, "flowers"))
		if len(got) != n || !slices.IsSorted(got) || report.Samples != int64(n) {
			t.Errorf("%d samples, report %+v", len(got), report)
		}
		shards, err := filepath.Glob(filepath.Join(bucket, "flowers", "*", "shard.*"))
		if err != nil || len(shards) != report.Shards {
			t.Errorf("%d shards lie there, %d were written, %v", len(shards), report.Shards, err)
		}
	}
	opts.Out = "s3://shards/failed"
	_, err = mdslib.DataFrameToMDS(t.Context(), rows.Select("nullif(id, 399) AS id", "s"), opts)
	if err == nil || !strings.Contains(err.Error(), "it is NULL") {
		t.Errorf("error %v", err)
	}
	if left, _ := filepath.Glob(filepath.Join(bucket, "failed", "*", "*")); len(left) > 0 {
		t.Errorf("%v are left", left)
	}
}

// TestMosaicReads: mosaicml-streaming reads the data sets that tasks write, with the values of Spark's rows.
func TestMosaicReads(t *testing.T) {
	rows, err := session.SQL(t.Context(), "SELECT id, concat('name ', id) AS s, unhex(sha2(CAST(id AS STRING), 256)) AS data, id / 4 AS d FROM range(0, 1000, 1, 4)")
	if err != nil {
		t.Fatal(err)
	}
	out := filepath.Join(t.TempDir(), "out")
	if _, err := mdslib.DataFrameToMDS(t.Context(), rows, mdslib.MDSOptions{Out: out, SizeLimit: "20kb", Hashes: []string{"sha1", "xxh64"}, SparkWriters: "executors"}); err != nil {
		t.Fatal(err)
	}
	said, err := exec.Command(python, "-W", "ignore", "testdata/mosaic.py", out, "1000").CombinedOutput()
	if err != nil {
		t.Errorf("%v\n%s", err, said)
	}
}
