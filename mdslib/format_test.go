package mdslib

import (
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestFormatHexdump makes the annotated hexdump of FORMAT.md and compares it with the one in the file.
// UPDATE_FORMAT=1 writes it there.
func TestFormatHexdump(t *testing.T) {
	out := writeAll(t, MDSOptions{Columns: Columns{"Z": "str", "id": "int32", "x": "ndarray"}, Hashes: []string{"sha1"}, SizeLimit: "1mb"},
		[]Sample{{"Z": "s0", "id": 0, "x": [][]int16{{0, 1, 2}, {3, 4, 5}}}, {"Z": "s1", "id": 1, "x": []float64{1}}})
	shard, err := os.ReadFile(filepath.Join(out, "shard.00000.mds"))
	if err != nil {
		t.Fatal(err)
	}
	var text strings.Builder
	at := 0
	dump := func(n int, note string, args ...any) {
		note = fmt.Sprintf(note, args...)
		for n > 0 {
			k := min(n, 16)
			text.WriteString(strings.TrimRight(fmt.Sprintf("%04x  %-47s  %s", at, fmt.Sprintf("% x", shard[at:at+k]), note), " ") + "\n")
			at, n, note = at+k, n-k, ""
		}
	}
	dump(4, "N = 2 samples")
	for i := range 3 {
		dump(4, "off[%d] = %#x%s", i, binary.LittleEndian.Uint32(shard[at:]), []string{": samples begin", "", ": end of the file"}[i])
	}
	first := int(getUint32(shard[4:]))
	dump(first-at, "configuration, UTF-8 JSON: see below")
	config := string(shard[16:first])
	for i := range 2 {
		lengths := shard[at : at+8]
		dump(4, "sample %d: length of Z", i)
		dump(4, "          length of x")
		dump(int(getUint32(lengths)), "          Z, str: \"s%d\"", i)
		dump(4, "          id, int32: %d", i)
		if i == 0 {
			dump(1, "          x, ndarray: type 0x11 = 17: int16")
			dump(1, "          2 dimensions << 2 | 0: of one byte each")
			dump(2, "          shape [2, 3]")
			dump(12, "          elements 0 1 2 3 4 5")
			continue
		}
		dump(1, "          x, ndarray: type 0x42 = 66: float64")
		dump(1, "          1 dimension << 2 | 0: of one byte")
		dump(1, "          shape [1]")
		dump(8, "          element 1.0")
	}
	if at != len(shard) {
		t.Fatalf("%d of %d bytes explained", at, len(shard))
	}
	index, err := os.ReadFile(filepath.Join(out, IndexName))
	if err != nil {
		t.Fatal(err)
	}
	want := "```\n" + text.String() + "```\n\nThe configuration of this shard:\n\n```\n" + config + "\n```\n\nand its index.json:\n\n```\n" + string(index) + "\n```\n"
	doc, err := os.ReadFile("FORMAT.md")
	if err != nil {
		t.Fatal(err)
	}
	const begin, end = "<!-- made by TestFormatHexdump -->\n", "<!-- end -->\n"
	head, rest, ok1 := strings.Cut(string(doc), begin)
	got, tail, ok2 := strings.Cut(rest, end)
	if !ok1 || !ok2 {
		t.Fatal("FORMAT.md has lost its marks")
	}
	if got != want {
		if os.Getenv("UPDATE_FORMAT") != "" {
			if err := os.WriteFile("FORMAT.md", []byte(head+begin+want+end+tail), 0o666); err != nil {
				t.Fatal(err)
			}
			return
		}
		t.Errorf("the hexdump in FORMAT.md is stale: run UPDATE_FORMAT=1 go test -run TestFormatHexdump ./mdslib")
	}
}
