package worker

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestLocalFile: files are read whole and in pieces; what does not have the checksum beside it is an error.
func TestLocalFile(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for _, size := range []int{0, 1, 511, 512, 513, 5000} {
		path := filepath.Join(t.TempDir(), "a b.bin")
		want := make([]byte, size)
		for i := range want {
			want[i] = byte(r.Uint32())
		}
		sums := []byte{'c', 'r', 'c', 0, 0, 0, 2, 0}
		for rest := want; len(rest) > 0; {
			n := min(512, len(rest))
			sums = binary.BigEndian.AppendUint32(sums, crc32.ChecksumIEEE(rest[:n]))
			rest = rest[n:]
		}
		flipped := bytes.Clone(want)
		if size > 0 {
			flipped[size-1] ^= 1
		}
		for name, c := range map[string]struct {
			file, sums []byte
			bad        bool
		}{
			"no checksums":    {want, nil, false},
			"checksums":       {want, sums, false},
			"other checksums": {flipped, sums, size > 0},
			"too few":         {want, sums[:max(8, len(sums)-1)], size > 0},
			"another file":    {want, []byte("checked: yes"), false},
		} {
			if err := os.WriteFile(path, c.file, 0o666); err != nil {
				t.Fatal(err)
			}
			_ = os.Remove(filepath.Join(filepath.Dir(path), ".a b.bin.crc"))
			if c.sums != nil {
				if err := os.WriteFile(filepath.Join(filepath.Dir(path), ".a b.bin.crc"), c.sums, 0o666); err != nil {
					t.Fatal(err)
				}
			}
			got, err := readFile(nil, "file://"+path)
			if c.bad {
				if err == nil || !strings.Contains(err.Error(), "the checksum in .a b.bin.crc is of other bytes") {
					t.Errorf("%d bytes, %s: %v", size, name, err)
				}
				continue
			}
			if err != nil || !bytes.Equal(got, want) {
				t.Errorf("%d bytes, %s: %d, %v", size, name, len(got), err)
			}
			f, err := OpenLocalFile("file:" + path)
			if err != nil {
				t.Fatal(err)
			}
			for range 50 {
				at, p := r.IntN(size+2), make([]byte, r.IntN(1500))
				q := make([]byte, len(p))
				n, err := f.ReadAt(p, int64(at))
				m, ferr := bytes.NewReader(want).ReadAt(q, int64(at))
				if n != m || !bytes.Equal(p[:n], q[:m]) || err != ferr && len(p) > 0 {
					t.Errorf("%d bytes, %s: %d at %d: %d, %v, want %d, %v", size, name, len(p), at, n, err, m, ferr)
				}
			}
			if err := f.Close(); err != nil {
				t.Error(err)
			}
		}
	}
}
