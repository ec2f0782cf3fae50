//go:build spark

package spark

// Errors of tasks: those that come again are heard at once and end a conversion, others are left to Spark, which tries again.

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"gomosaic/mdslib"
)

// triesOf counts the folders that tasks have made for a partition below a folder, until the func that it returns is called.
func triesOf(out, partition string) (count func() int) {
	seen, stop, done := map[string]bool{}, make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		tick := time.NewTicker(20 * time.Millisecond)
		defer tick.Stop()
		for {
			for _, pattern := range []string{"_attempt-*/" + partition + "-*", partition + "-*"} {
				found, _ := filepath.Glob(filepath.Join(out, pattern))
				for _, dir := range found {
					seen[dir] = true
				}
			}
			select {
			case <-stop:
				return
			case <-tick.C:
			}
		}
	}()
	return func() int { close(stop); <-done; return len(seen) }
}

// TestFailureHeardAtOnce: an error of a row is that of its conversion long before the rows after it are read, by a single try, in
// folders and at stores, and nothing is left.
func TestFailureHeardAtOnce(t *testing.T) {
	// Each partition takes minutes to read.
	rows, err := session.SQL(t.Context(), strings.NewReplacer("SELECT id", "SELECT nullif(id, 15) AS id", "240", "40000000", "40000000L", "100000L").Replace(slowQuery))
	if err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct{ way, url, folder string }{
		"TRANSFORM in a folder":  {"transform", filepath.Join(t.TempDir(), "out"), ""},
		"TRANSFORM at a store":   {"transform", "s3://shards/heard", filepath.Join(bucket, "heard")},
		"mapInArrow in a folder": {"mapInArrow", filepath.Join(t.TempDir(), "out"), ""},
	} {
		t.Run(name, func(t *testing.T) {
			folder := cmp.Or(test.folder, test.url)
			tries := triesOf(folder, "00000")
			began := time.Now()
			_, err := mdslib.DataFrameToMDS(t.Context(), rows, slowOptions(test.url, test.way))
			took := time.Since(began)
			if err == nil || !strings.Contains(err.Error(), `spark: row 15 of partition 0: column "id": it is NULL`) {
				t.Errorf("error %v", err)
			}
			if n := tries(); n > 1 || took > 2*inTime {
				t.Errorf("%d tries, %v", n, took)
			}
			if left, _ := filepath.Glob(filepath.Join(folder, "*", "*")); len(left) > 0 {
				t.Errorf("%v are left", left)
			}
			noWorkers(t)
		})
	}
	if n, err := session.Range(0, 1000).Repartition(4).Count(t.Context()); n != 1000 || err != nil {
		t.Errorf("afterwards %d, %v", n, err)
	}
}

// triesFile is a file that has a line for each try of partition 0.
var triesFile string

// noteTry adds a line.
func noteTry() (first bool) {
	text, _ := os.ReadFile(triesFile)
	f, err := os.OpenFile(triesFile, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o666)
	if err == nil {
		fmt.Fprintln(f, "a try")
		f.Close()
	}
	return len(text) == 0
}

// failing fails with an error at row 3, if is there.
func failing(rows iter.Seq2[mdslib.Sample, error], fails func() error) iter.Seq2[mdslib.Sample, error] {
	return func(yield func(mdslib.Sample, error) bool) {
		for row, err := range rows {
			if err == nil && row["id"] == int64(3) {
				err = fails()
			}
			if !yield(row, err) {
				return
			}
		}
	}
}

// flaky has a full disk at its first try.
func flaky(rows iter.Seq2[mdslib.Sample, error]) iter.Seq2[mdslib.Sample, error] {
	return failing(rows, func() error {
		if noteTry() {
			return &fs.PathError{Op: "write", Path: "/tulips", Err: syscall.ENOSPC}
		}
		return nil
	})
}

// thorny fails at each try.
func thorny(rows iter.Seq2[mdslib.Sample, error]) iter.Seq2[mdslib.Sample, error] {
	return failing(rows, func() error {
		noteTry()
		return errors.New("it has thorns")
	})
}

// pricking fails at row 15.
func pricking(row mdslib.Sample) (mdslib.Sample, error) {
	if row["id"] == int64(15) {
		noteTry()
		return nil, errors.New("it pricks")
	}
	return row, nil
}

// TestFailureOfMapHeardAtOnce: so is an error of a Map before the conversion.
func TestFailureOfMapHeardAtOnce(t *testing.T) {
	places := []string{"s3://shards/pricked", filepath.Join(t.TempDir(), "out")}
	bothWays(t, func(t *testing.T) {
		out := places[0]
		places = places[1:]
		triesFile = filepath.Join(t.TempDir(), "tries")
		rows, err := session.SQL(t.Context(), strings.NewReplacer("240", "40000000", "40000000L", "100000L").Replace(slowQuery))
		if err != nil {
			t.Fatal(err)
		}
		_, err = mdslib.DataFrameToMDS(t.Context(), rows.Map("id BIGINT, s STRING, slow BOOLEAN", pricking), slowOptions(out, "executors"))
		text, _ := os.ReadFile(triesFile)
		if err == nil || !strings.Contains(err.Error(), "spark: row 15 of partition 0 (id: 15): Map: it pricks") || strings.Count(string(text), "\n") != 1 {
			t.Errorf("%v after %q", err, text)
		}
		heard(t)
		noWorkers(t)
	})
}

// heard checks that the error of the try that was noted last was the conversion's soon.
func heard(t *testing.T) {
	t.Helper()
	stat, err := os.Stat(triesFile)
	if err != nil {
		t.Fatal(err)
	}
	if took := time.Since(stat.ModTime()); took > inTime { // on a quiet machine 2 s
		t.Errorf("it took %v to be heard", took)
	}
}

// counted notes that it is called.
func counted(row mdslib.Sample) (mdslib.Sample, error) {
	noteTry()
	return row, nil
}

// TestMapIsKept: a conversion of rows that Spark keeps does not map them again.
func TestMapIsKept(t *testing.T) {
	s, err := mdslib.Connect(t.Context(), remote()) // sessions differ in whether they keep such rows
	if err != nil {
		t.Fatal(err)
	}
	defer s.Stop()
	triesFile = filepath.Join(t.TempDir(), "tries")
	rows := s.Range(0, 10).Repartition(1).Map("id BIGINT", counted)
	if err := rows.Persist(t.Context(), ""); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if _, err := mdslib.DataFrameToMDS(t.Context(), rows, mdslib.MDSOptions{Out: filepath.Join(t.TempDir(), "out"), SparkWriters: "executors"}); err != nil {
			t.Fatal(err)
		}
	}
	if text, _ := os.ReadFile(triesFile); strings.Count(string(text), "\n") != 10 {
		t.Errorf("10 rows are mapped %d times", strings.Count(string(text), "\n"))
	}
	if err := rows.Unpersist(t.Context()); err != nil {
		t.Error(err)
	}
}

// TestTriesOfFuncs: an error of a func's own ends the conversion at its first try, one of a disk is tried again.
func TestTriesOfFuncs(t *testing.T) {
	rows := session.Range(0, 100).Repartition(2).Select("id")
	for _, way := range []string{"transform", "mapInArrow"} {
		triesFile = filepath.Join(t.TempDir(), "tries")
		opts := mdslib.MDSOptions{Out: filepath.Join(t.TempDir(), "out"), Columns: mdslib.Columns{"id": "int64"}, SparkWriters: way, UDFIterable: flaky}
		report, err := mdslib.DataFrameToMDS(t.Context(), rows, opts)
		if text, _ := os.ReadFile(triesFile); err != nil || report.Samples != 100 || strings.Count(string(text), "\n") != 2 {
			t.Errorf("%s: %v, %v after %q", way, report, err, text)
		}
		triesFile = filepath.Join(t.TempDir(), "tries")
		opts.Out, opts.UDFIterable = filepath.Join(t.TempDir(), "out"), thorny
		_, err = mdslib.DataFrameToMDS(t.Context(), rows, opts)
		if text, _ := os.ReadFile(triesFile); err == nil || !strings.Contains(err.Error(), "(id: 3): UDFIterable: it has thorns") || strings.Count(string(text), "\n") != 1 {
			t.Errorf("%s: %v after %q", way, err, text)
		}
		heard(t)
		noWorkers(t)
	}
}
