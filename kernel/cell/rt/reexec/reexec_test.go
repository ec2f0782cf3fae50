package reexec

import (
	"os"
	"strings"
	"testing"

	"gomosaic/mdslib/ship"
)

func train() {}

var rate = 0.1

// TestCopies: as long as the values are the same, so is the program.
func TestCopies(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	s := &shipper{functions: map[string]Function{nameOf(train): {Func: train, Variables: map[string]any{"rate": &rate}}}}
	var paths []string
	for _, rate = range []float64{0.1, 0.1, 0.2, 0.1} {
		p, err := s.Ship(t.Context(), train, ship.Entry{})
		if err != nil {
			t.Fatal(err)
		}
		paths = append(paths, p.Path)
	}
	if paths[0] != paths[1] || paths[0] == paths[2] || paths[0] != paths[3] {
		t.Errorf("programs %q", paths)
	}
	s.clean()
	if _, err := os.Stat(paths[0]); err == nil {
		t.Error("a copy is left")
	}
}

// TestUnnamed: a function that Main was not given is an error that says what to add.
func TestUnnamed(t *testing.T) {
	_, err := (&shipper{}).Ship(t.Context(), train, ship.Entry{Package: "gomosaic/trainlib/distributor", Func: "RankMain"})
	want := "reexec.train was not given to reexec.Main at the beginning of main: add reexec.Function{Func: train, Run: func() { distributor.RankMain(train) }} there"
	if err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("error %v, want %q", err, want)
	}
}
