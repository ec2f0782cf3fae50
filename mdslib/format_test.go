package mdslib

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// hexdump is an annotated hexdump being made of data.
type hexdump struct {
	text strings.Builder
	data []byte
	at   int
}

// next writes the next n bytes with a note.
func (h *hexdump) next(n int, note string, args ...any) {
	note = fmt.Sprintf(note, args...)
	for n > 0 {
		k := min(n, 16)
		h.text.WriteString(strings.TrimRight(fmt.Sprintf("%04x  %-47s  %s", h.at, fmt.Sprintf("% x", h.data[h.at:h.at+k]), note), " ") + "\n")
		h.at, n, note = h.at+k, n-k, ""
	}
}

// block is the dump, of all bytes, as a block of code.
func (h *hexdump) block(t *testing.T) string {
	t.Helper()
	if h.at != len(h.data) {
		t.Fatalf("%d of %d bytes explained", h.at, len(h.data))
	}
	return "```\n" + h.text.String() + "```\n"
}

// inFormat compares a text with what stands in FORMAT.md after the mark of the test; UPDATE_FORMAT=1 writes it there.
func inFormat(t *testing.T, want string) {
	t.Helper()
	doc, err := os.ReadFile("FORMAT.md")
	if err != nil {
		t.Fatal(err)
	}
	begin, end := "<!-- made by "+t.Name()+" -->\n", "<!-- end -->\n"
	head, rest, ok1 := strings.Cut(string(doc), begin)
	got, tail, ok2 := strings.Cut(rest, end)
	if !ok1 || !ok2 {
		t.Fatal("FORMAT.md has lost its marks")
	}
	if got == want {
		return
	}
	if os.Getenv("UPDATE_FORMAT") == "" {
		t.Fatalf("a hexdump in FORMAT.md is stale: run UPDATE_FORMAT=1 go test -run TestFormat ./mdslib")
	}
	if err := os.WriteFile("FORMAT.md", []byte(head+begin+want+end+tail), 0o666); err != nil {
		t.Fatal(err)
	}
}

func readFile(t *testing.T, path ...string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(path...))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// TestFormatHexdump is of an MDS shard.
func TestFormatHexdump(t *testing.T) {
	out := writeAll(t, MDSOptions{Columns: Columns{"Z": "str", "id": "int32", "x": "ndarray"}, Hashes: []string{"sha1"}, SizeLimit: "1mb"},
		[]Sample{{"Z": "s0", "id": 0, "x": [][]int16{{0, 1, 2}, {3, 4, 5}}}, {"Z": "s1", "id": 1, "x": []float64{1}}})
	shard := readFile(t, out, "shard.00000.mds")
	h := &hexdump{data: shard}
	h.next(4, "N = 2 samples")
	for i := range 3 {
		h.next(4, "off[%d] = %#x%s", i, getUint32(shard[h.at:]), []string{": samples begin", "", ": end of the file"}[i])
	}
	first := int(getUint32(shard[4:]))
	h.next(first-h.at, "configuration, UTF-8 JSON: see below")
	config := string(shard[16:first])
	for i := range 2 {
		lengths := shard[h.at : h.at+8]
		h.next(4, "sample %d: length of Z", i)
		h.next(4, "          length of x")
		h.next(int(getUint32(lengths)), "          Z, str: \"s%d\"", i)
		h.next(4, "          id, int32: %d", i)
		if i == 0 {
			h.next(1, "          x, ndarray: type 0x11 = 17: int16")
			h.next(1, "          2 dimensions << 2 | 0: of one byte each")
			h.next(2, "          shape [2, 3]")
			h.next(12, "          elements 0 1 2 3 4 5")
			continue
		}
		h.next(1, "          x, ndarray: type 0x42 = 66: float64")
		h.next(1, "          1 dimension << 2 | 0: of one byte")
		h.next(1, "          shape [1]")
		h.next(8, "          element 1.0")
	}
	inFormat(t, h.block(t)+"\nThe configuration of this shard:\n\n```\n"+config+"\n```\n\nand its index.json:\n\n```\n"+string(readFile(t, out, IndexName))+"\n```\n")
}

// TestFormatText is of the two files of a csv shard.
func TestFormatText(t *testing.T) {
	out := writeAll(t, MDSOptions{Columns: Columns{"word": "str", "n": "int"}, Format: "csv", SizeLimit: "none"},
		[]Sample{{"n": 7, "word": "hé"}, {"n": -1, "word": ""}})
	data := &hexdump{data: readFile(t, out, "shard.00000.csv")}
	data.next(7, `"n,word" and the newline: the columns, in no sample`)
	data.next(6, `sample 0: "7,hé" and the newline`)
	data.next(4, `sample 1: "-1," and the newline`)
	meta := &hexdump{data: readFile(t, out, "shard.00000.csv.meta")}
	meta.next(4, "N = 2 samples")
	for i := range 3 {
		meta.next(4, "off[%d] = %#x%s", i, getUint32(meta.data[meta.at:]), []string{": samples begin, in the other file", "", ": its end"}[i])
	}
	config := string(meta.data[meta.at:])
	meta.next(len(config), "configuration, UTF-8 JSON: see below")
	inFormat(t, data.block(t)+"\nIts meta file:\n\n"+meta.block(t)+"\nThe configuration:\n\n```\n"+config+"\n```\n")
}

// TestFormatEncodings is of values of the encodings that have a layout of their own.
func TestFormatEncodings(t *testing.T) {
	var text strings.Builder
	for _, c := range []struct {
		encoding string
		value    any
		what     string
		fields   []any // bytes and note by turns
	}{
		{"ndarray", Array{[]int{300, 1}, make([]uint8, 300)}, "300 x 1 zeros of type uint8, without the last 292", []any{
			1, "type 8: uint8", 1, "2 dimensions << 2 | 1: of two bytes each", 4, "shape [300, 1]", 8, "elements"}},
		{"ndarray:int16", []int16{1, -2}, "1 and -2", []any{1, "1 dimension << 2 | 0: of one byte", 1, "shape [2]", 4, "elements"}},
		{"ndarray:int16:2", []int16{1, -2}, "1 and -2", []any{4, "elements"}},
		{"pil", &PILImage{Mode: "RGB", Width: 2, Height: 1, Pix: []byte{255, 0, 0, 0, 0, 255}}, "a red and a blue pixel", []any{
			4, "width 2", 4, "height 1", 4, "3 bytes of mode", 3, "RGB", 6, "pixels, row by row"}},
		{"list[pil]", []any{&PILImage{Mode: "L", Width: 1, Height: 1, Pix: []byte{9}}}, "a list of one grey pixel", []any{
			4, "0", 4, "1 element", 4, "it has 14 bytes", 12, "width 1, height 1, 1 byte of mode", 1, "L", 1, "the pixel"}},
		{"jpeg_array", []any{[]byte("\xff\xd8…"), []byte("\xff\xd8")}, "two files of 5 and 2 bytes, cut short", []any{
			4, "2 elements", 4, "the first has 5 bytes", 4, "the second has 2", 5, "the first file", 2, "the second"}},
		{"str_decimal", Decimal("-1E+50"), "-1E+50", []any{6, "the text"}},
		{"pkl", PyTuple{1, nil}, "(1, None)", []any{2, "protocol 4", 9, "a frame of 6 bytes", 2, "1", 1, "None", 1, "a tuple of two", 1, "which is memorised", 1, "the end"}},
	} {
		e, err := ParseEncoding(c.encoding)
		if err != nil {
			t.Fatal(err)
		}
		data, err := e.Append(nil, c.value)
		if err != nil {
			t.Fatal(err)
		}
		if c.encoding == "ndarray" {
			data = data[:len(data)-292]
		}
		h := &hexdump{data: data}
		for i := 0; i < len(c.fields); i += 2 {
			h.next(c.fields[i].(int), c.fields[i+1].(string))
		}
		fmt.Fprintf(&text, "%s: %s\n%s\n", c.encoding, c.what, strings.Trim(h.block(t), "`\n"))
	}
	inFormat(t, "```\n"+text.String()+"```\n")
}
