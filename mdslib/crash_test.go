package mdslib

import (
	"bufio"
	"errors"
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
	out := os.Getenv("MDSLIB_TEST_WRITE_FOREVER")
	if out != "" {
		w, err := NewMDSWriter(MDSOptions{Out: out, Columns: rowColumns, SizeLimit: "20kb", Compression: "zstd"})
		if err != nil {
			t.Fatal(err)
		}
		for samples := rows(100); ; {
			for _, s := range samples {
				if err := w.Write(s); err != nil {
					t.Fatal(err)
				}
			}
			if x := w.Index(); len(x.Shards) > 3 && x.Shards[0].RawData.Basename == "shard.00000.mds" { // they may finish in any order
				os.Stdout.WriteString("under way\n")
			}
		}
	}
	out = filepath.Join(t.TempDir(), "out")
	child := exec.Command(os.Args[0], "-test.run=^TestWriterKilled$")
	child.Env = append(os.Environ(), "MDSLIB_TEST_WRITE_FOREVER="+out)
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
	if _, err := NewMDSWriter(MDSOptions{Out: out, Columns: rowColumns}); !errors.Is(err, fs.ErrExist) {
		t.Errorf("the remains are not noticed: %v", err)
	}
	w, err := NewMDSWriter(MDSOptions{Out: out, Columns: rowColumns, SizeLimit: "20kb", Compression: "zstd", Resume: true})
	if err != nil {
		t.Fatal(err)
	}
	if w.Resumed() == 0 {
		t.Error("nothing of what was written stayed")
	}
	var all []Sample
	for i, round := range []int64{w.Resumed(), 30} { // what stayed, and what follows
		for range round {
			s := rows(100)[len(all)%100]
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
	checkRows(t, readAll(t, out), all)
	samples := rows(20)
	checkRows(t, readAll(t, writeAll(t, MDSOptions{Out: out, Columns: rowColumns, ExistOK: true}, samples)), samples)
}
