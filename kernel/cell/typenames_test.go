package cell

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestRestoreNames: the names in the object file of a cell; what programs see of them is in testdata/names.txt.
func TestRestoreNames(t *testing.T) {
	archives, err := archivesOnce()
	if err != nil {
		t.Fatal(err)
	}
	s, b := newTestSession(t), newTestBuilder(t, archives)
	u, err := s.Compile("type point struct{ x int; Y string `json:\"y\"` }\nfunc (p point) norm() int { return p.x }\nvar v any = point{}", 1)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.Build(t.Context(), u); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(b.dir, "c1", "cell.a")
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"\x00\x01x", "\x0b*main.point", "\x01\x04norm", "\x03\x01Y\x08json:\"y\""} {
		if !strings.Contains(string(data), want) {
			t.Errorf("%q is not in the object file", want)
		}
	}
	again, err := restoreNamesIn(data)
	if err != nil || len(again) != len(data) {
		t.Errorf("a second time: %d bytes of %d, %v", len(again), len(data), err)
	}
	for name, other := range map[string]string{"empty": "", "cut": string(data[:len(data)/2]), "no archive": strings.Repeat("x", 200),
		"another Go": strings.Replace(string(data), languageVersion, "go1.99", 2), "another machine": strings.ReplaceAll(string(data), " amd64 ", " s390x ")} {
		if _, err := restoreNamesIn([]byte(other)); !errors.Is(err, errOtherFormat) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
