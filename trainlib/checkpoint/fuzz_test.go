package checkpoint

import (
	"archive/zip"
	"bytes"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// programs are the pickles of the .pt files in testdata.
func programs(f *testing.F) [][]byte {
	paths, err := filepath.Glob("testdata/*.pt")
	if err != nil {
		f.Fatal(err)
	}
	var all [][]byte
	for _, p := range paths {
		z, err := zip.OpenReader(p)
		if err != nil { // the legacy file is a row of pickles
			b, err := os.ReadFile(p)
			if err != nil {
				f.Fatal(err)
			}
			all = append(all, b)
			continue
		}
		for _, e := range z.File {
			if strings.HasSuffix(e.Name, "data.pkl") {
				r, err := e.Open()
				if err != nil {
					f.Fatal(err)
				}
				b, err := io.ReadAll(r)
				if err != nil {
					f.Fatal(err)
				}
				all = append(all, b)
			}
		}
		z.Close()
	}
	return all
}

// FuzzPickle: whatever the bytes, the machine stops with a value or a located error, and every tensor in the value lies in
// its storage.
func FuzzPickle(f *testing.F) {
	for _, p := range programs(f) {
		f.Add(p)
	}
	f.Add([]byte("\x80\x02]q\x00h\x00a."))                      // a list in itself
	f.Add([]byte("\x80\x04\x8c\x02os\x8c\x06system\x93."))      // a global by stack
	f.Add([]byte("\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19.")) // the legacy magic number
	f.Add([]byte("\x80\x02ccollections\nOrderedDict\n)R}u."))   // items without a mark
	f.Fuzz(func(t *testing.T, in []byte) {
		v, n, err := unpickle(in)
		if err != nil {
			if _, ok := err.(*FormatError); !ok {
				t.Fatalf("error of type %T", err)
			}
			return
		}
		if n > len(in) {
			t.Fatalf("read %d of %d bytes", n, len(in))
		}
		eachTensor(v, func(path string, ref *tensorRef) {
			if err := ref.check(); err != nil {
				t.Fatalf("%s: %v", path, err)
			}
		})
	})
}

// FuzzSafetensors: whatever the bytes, every entry of a header that is accepted lies in the file and has its shape's size.
func FuzzSafetensors(f *testing.F) {
	b, err := os.ReadFile("testdata/state_dict.safetensors")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Add([]byte("\x02\x00\x00\x00\x00\x00\x00\x00{}"))
	f.Add([]byte("\x40\x00\x00\x00\x00\x00\x00\x00" + `{"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]}}           ` + "ab"))
	f.Add([]byte("\xff\xff\xff\xff\xff\xff\xff\xff{}"))
	f.Fuzz(func(t *testing.T, in []byte) {
		entries, err := parseSafetensors(bytes.NewReader(in), int64(len(in)))
		if err != nil {
			return
		}
		for _, e := range entries {
			size := int64(e.DType.ElementBytes())
			for _, n := range e.Shape {
				size *= int64(n)
			}
			if e.begin < 0 || e.end > int64(len(in)) || e.end-e.begin != size {
				t.Fatalf("%+v in a file of %d bytes", e, len(in))
			}
		}
	})
}
