package mdslib

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestWriterKilled kills a process that is writing: what it leaves must not read as a data set, and can be gone on
// with or replaced.
func TestWriterKilled(t *testing.T) {
	if out := os.Getenv("MDSLIB_TEST_WRITE_FOREVER"); out != "" {
		opts, samples := killedWriter(t, os.Getenv("MDSLIB_TEST_FORMAT"), out)
		w, err := NewMDSWriter(opts)
		if err != nil {
			t.Fatal(err)
		}
		for {
			for _, s := range samples {
				if err := w.Write(s); err != nil {
					t.Fatal(err)
				}
			}
			if x := w.Index(); len(x.Shards) > 3 && strings.HasPrefix(x.Shards[0].RawData.Basename, "shard.00000.") { // they may finish in any order
				os.Stdout.WriteString("under way\n")
			}
		}
	}
	for _, format := range []string{"mds", "json", "csv"} {
		t.Run(format, func(t *testing.T) { writerKilled(t, format) })
	}
}

// killedWriter is what the process that is killed writes, over and over.
func killedWriter(t *testing.T, format, out string) (MDSOptions, []Sample) {
	if format == "mds" {
		samples := rows(100)
		for _, s := range samples {
			delete(s, "ignored")
		}
		return MDSOptions{Out: out, Columns: rowColumns, SizeLimit: "20kb", Compression: "zstd"}, samples
	}
	return MDSOptions{Out: out, Columns: textColumns, Format: format, SizeLimit: "100"}, textRows(t)
}

func writerKilled(t *testing.T, format string) {
	opts, samples := killedWriter(t, format, filepath.Join(t.TempDir(), "out"))
	out := opts.Out
	child := exec.Command(os.Args[0], "-test.run=^TestWriterKilled$")
	child.Env = append(os.Environ(), "MDSLIB_TEST_WRITE_FOREVER="+out, "MDSLIB_TEST_FORMAT="+format)
	stdout, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(stdout).ReadString('\n')
	killErr := child.Process.Kill()
	child.Wait()
	if err != nil || killErr != nil || !strings.Contains(line, "under way") {
		t.Fatalf("child said %q: %v, %v", line, err, killErr)
	}
	if left := names(t, out); len(left) < 3 {
		t.Errorf("only %v were written", left)
	}
	if _, err := OpenDataset(out, ReadOptions{}); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a killed writer left a data set: %v", err)
	}
	if _, err := NewMDSWriter(opts); !errors.Is(err, fs.ErrExist) {
		t.Errorf("the remains are not noticed: %v", err)
	}
	opts.Resume = true
	w, err := NewMDSWriter(opts)
	if err != nil {
		t.Fatal(err)
	}
	if w.Resumed() == 0 {
		t.Error("nothing of what was written stayed")
	}
	var all []Sample
	for i, round := range []int64{w.Resumed(), 30} { // what stayed, and what follows
		for range round {
			s := samples[len(all)%len(samples)]
			all = append(all, s)
			if i == 1 {
				if err := w.Write(s); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	checkSamples(t, readAll(t, out), all)
	opts.Resume, opts.ExistOK = false, true
	checkSamples(t, readAll(t, writeAll(t, opts, samples[:20])), samples[:20])
}

func checkSamples(t *testing.T, got, want []Sample) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%d samples, want %d", len(got), len(want))
	}
	for i := range want {
		if fmt.Sprint(got[i]) != fmt.Sprint(want[i]) {
			t.Fatalf("sample %d: got %v, want %v", i, got[i], want[i])
		}
	}
}
