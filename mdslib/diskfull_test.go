//go:build unix

package mdslib

import (
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// TestDiskFull: files that cannot grow, as on a full disk, are an error of the writer that names the file and stays;
// what is left does not read as a data set, and once there is room the writer goes on with it.
func TestDiskFull(t *testing.T) {
	if out := os.Getenv("MDSLIB_TEST_DISK_FULL"); out != "" {
		fullDisk(out, os.Getenv("MDSLIB_TEST_FORMAT"), os.Getenv("MDSLIB_TEST_COMPRESSION"))
		return
	}
	for _, c := range []struct{ format, compression, file string }{
		{"mds", "", "shard.00003.mds"},
		{"mds", "br:1", "shard.00003.mds.br"},
		{"mds", "bz2:1", "shard.00003.mds.bz2"},
		{"mds", "gz:0", "shard.00003.mds.gz"},
		{"mds", "snappy", "shard.00003.mds.snappy"},
		{"mds", "zstd", "shard.00003.mds.zstd"},
		{"json", "", "shard.00003.json"},
		{"csv", "", "shard.00003.csv"},
		{"tsv", "gz", "shard.00003.tsv.gz"},
	} {
		t.Run(c.format+" "+c.compression, func(t *testing.T) {
			out := filepath.Join(t.TempDir(), "out")
			child := exec.Command(os.Args[0], "-test.run=^TestDiskFull$")
			child.Env = append(os.Environ(), "MDSLIB_TEST_DISK_FULL="+out, "MDSLIB_TEST_FORMAT="+c.format, "MDSLIB_TEST_COMPRESSION="+c.compression)
			said, err := child.CombinedOutput()
			if err != nil {
				t.Fatalf("%v: %s", err, said)
			}
			for _, when := range []string{"write", "close"} {
				if want := when + ": mdslib: write " + filepath.Join(out, c.file) + ": write " + filepath.Join(out, c.file) + ": file too large"; !strings.Contains(string(said), want) {
					t.Errorf("no %q in\n%s", want, said)
				}
			}
			if _, err := OpenDataset(out, ReadOptions{}); !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("a data set is left: %v", err)
			}
			opts := fullDiskOptions(out, c.format, c.compression)
			opts.Resume = true
			w, err := NewMDSWriter(opts)
			if err != nil {
				t.Fatal(err)
			}
			stayed := w.Resumed()
			if err := errors.Join(w.Write(noiseSample(c.format, 200)), w.Close()); err != nil {
				t.Fatal(err)
			}
			if got := readAll(t, out); stayed == 0 || int64(len(got)) != stayed+1 {
				t.Errorf("%d samples stayed and one was added: %d read", stayed, len(got))
			}
		})
	}
}

func fullDiskOptions(out, format, compression string) MDSOptions {
	columns := Columns{"x": "bytes"}
	if format != "mds" {
		columns["x"] = "str"
	}
	return MDSOptions{Out: out, Format: format, Columns: columns, SizeLimit: "100kb", Compression: compression}
}

// noiseSample is a sample that no compression makes much smaller.
func noiseSample(format string, size int) Sample {
	noise := make([]byte, size)
	rand.NewChaCha8([32]byte{1}).Read(noise)
	if format == "mds" {
		return Sample{"x": noise}
	}
	return Sample{"x": base64.StdEncoding.EncodeToString(noise)[:size]}
}

// fullDisk writes shards of one sample each, the fourth larger than any file may be.
func fullDisk(out, format, compression string) {
	signal.Ignore(syscall.SIGXFSZ) // so that the limit is an error, as a full disk is, and no end of the process
	w, err := NewMDSWriter(fullDiskOptions(out, format, compression))
	if err == nil {
		err = syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: 150_000, Max: 150_000})
	}
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	for i := 0; err == nil; i++ { // the error of a shard that is written while the next fills comes with a later sample
		size := 90_000
		if i == 3 {
			size = 300_000
		}
		err = w.Write(noiseSample(format, size))
	}
	fmt.Println("write:", err)
	fmt.Println("close:", w.Close())
}
