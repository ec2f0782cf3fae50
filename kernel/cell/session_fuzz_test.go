package cell

import (
	"errors"
	"strings"
	"testing"
)

// FuzzSession: the reference cells in any order and company, two bytes of the input a cell. What one block declares meets
// what another means by the same name: each cell gives errors, or a package that compiles.
func FuzzSession(f *testing.F) {
	prepareArchives(f)
	var pool []string
	for _, block := range referenceCells(f) {
		pool = append(pool, block...)
	}
	f.Add([]byte("redeclaration"))
	f.Fuzz(func(t *testing.T, order []byte) {
		s, g := newTestSession(t), newGenerated(t)
		var cells []string
		for i := 0; i+1 < len(order) && i < 40; i += 2 {
			code := pool[(int(order[i])<<8|int(order[i+1]))%len(pool)]
			if !knownImports(code) {
				continue
			}
			cells = append(cells, code)
			u, err := s.Compile(code, len(cells))
			if err != nil {
				var found Errors
				if !errors.As(err, &found) || found.Text() == "" {
					t.Fatalf("error of type %T: %v", err, err)
				}
				continue
			}
			if !u.Empty() {
				if err := g.check(u); err != nil {
					t.Fatalf("%v\nafter\n%s", err, strings.Join(cells, "\n---\n"))
				}
			}
			s.Commit(u)
		}
	})
}
