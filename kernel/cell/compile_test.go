package cell

import (
	"context"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// archivesOnce are the clone's archives, which all tests share: listing them takes a second or two.
var archivesOnce = sync.OnceValues(func() (*Archives, error) {
	dir, err := os.MkdirTemp("", "gomosaic cell test")
	if err != nil {
		return nil, err
	}
	temporary = append(temporary, dir)
	ctx, cancel := testContext()
	defer cancel()
	tools, err := FindToolchain(ctx)
	if err != nil {
		return nil, err
	}
	return OpenArchives(ctx, NewModule(tools, "../.."), dir, RuntimePackages, nil)
})

var temporary []string

func TestMain(m *testing.M) {
	status := m.Run()
	for _, dir := range temporary {
		os.RemoveAll(dir)
	}
	os.Exit(status)
}

// newTestSession is a session without a host: cells are checked and rewritten, and counted as run.
func newTestSession(t testing.TB) *Session {
	t.Helper()
	archives, err := archivesOnce()
	if err != nil {
		t.Fatal(err)
	}
	fset := token.NewFileSet()
	return NewSession(Config{Fset: fset, Importer: archives.Importer(fset), Suggest: archives.Suggest,
		Preloads: []Preload{{"display", "gomosaic/display"}}})
}

// generated type-checks the source of units as the compiler will see it.
type generated struct {
	fset  *token.FileSet
	next  types.Importer
	cells map[string]*types.Package
}

func (g *generated) Import(path string) (*types.Package, error) {
	if p := g.cells[path]; p != nil {
		return p, nil
	}
	return g.next.Import(path)
}

func (g *generated) check(u *Unit) error {
	var files []*ast.File
	for _, text := range []string{u.Source, u.Loader} {
		file, err := parser.ParseFile(g.fset, "generated.go", text, parser.SkipObjectResolution)
		if err != nil {
			return fmt.Errorf("%w in\n%s", err, text)
		}
		files = append(files, file)
	}
	p, err := (&types.Config{Importer: g, GoVersion: languageVersion}).Check(u.Path(), g.fset, files, nil)
	if err != nil {
		return fmt.Errorf("%w in\n%s", err, u.Source)
	}
	g.cells[u.Path()] = p
	return nil
}

// prepareArchives makes the archives before fuzzing begins: where they are made anew, an input would take longer than the
// fuzzer waits for one.
func prepareArchives(f *testing.F) {
	if _, err := archivesOnce(); err != nil {
		f.Fatal(err)
	}
}

func newGenerated(t testing.TB) *generated {
	archives, err := archivesOnce()
	if err != nil {
		t.Fatal(err)
	}
	fset := token.NewFileSet()
	return &generated{fset, archives.Importer(fset), map[string]*types.Package{}}
}

// FuzzCompile: any input gives errors in the cell, or a package that compiles.
func FuzzCompile(f *testing.F) {
	prepareArchives(f)
	for _, block := range referenceCells(f) {
		f.Add(strings.Join(block, "\n---\n"))
	}
	f.Add("type T struct{ a int }\n---\nfunc (t T) m() {}\n---\nvar x = T{}.m")
	f.Add("switch x := 1; {}\nswitch y := 2; { default: }")
	f.Add("xs := []int{}\nlen(xs)\n---\nstring(xs[0:0])\n---\nx := x\n---\n[]byte(nil)")
	f.Add("select { case v := <-make(chan int): default: }\nL: for { break L }")
	f.Add("c := make(chan int)\ngo c.f(<-c)\nfor v := range <-make(chan chan int) { c <- <-c; select {} }\nfor v = range c { go func() {}() }\nfor range c {}")
	f.Add("type C chan bool\ntype B bool\nvar b B\nvar c C\n_, b = <-c\nselect { case c <- <-c: case _, b = (<-c): }\nfunc g[T ~chan int](c T) { <-c; c <- 1; for range c {} }")
	f.Fuzz(func(t *testing.T, text string) {
		if strings.Contains(text, "import") && !knownImports(text) {
			return // would ask the go command for an unknown package
		}
		s, g := newTestSession(t), newGenerated(t)
		for i, code := range strings.Split(text, "\n---\n") {
			u, err := s.Compile(code, i+1)
			if err != nil {
				var found Errors
				if !errors.As(err, &found) || found.Text() == "" {
					t.Fatalf("error of type %T: %v", err, err)
				}
				continue
			}
			if !u.Empty() {
				if err := g.check(u); err != nil {
					t.Fatalf("cell %q: %v", code, err)
				}
			}
			s.Commit(u)
		}
	})
}

// knownImports tells whether all imports of a text are in the archives: fuzzing must not run the go command.
func knownImports(text string) bool {
	archives, err := archivesOnce()
	if err != nil {
		return false
	}
	for _, code := range strings.Split(text, "\n---\n") {
		for _, spec := range split(code).imports {
			if !slices.Contains(archives.Paths(spec.path), spec.path) {
				return false
			}
		}
	}
	return true
}

func TestErrors(t *testing.T) {
	s := newTestSession(t)
	_, err := s.Compile("import \"fmt\"\nx := 1\nfmt.Println(x, strngs)\nvar s string = x", 3)
	var found Errors
	if !errors.As(err, &found) {
		t.Fatalf("got %v", err)
	}
	const want = `cell[3]:3:16: undefined: strngs
    fmt.Println(x, strngs)
                   ^
cell[3]:4:16: cannot use x (variable of type int) as string value in variable declaration
    var s string = x
                   ^
    hint: fmt.Sprint(x) makes a text of it`
	if found.Text() != want {
		t.Errorf("got\n%s\nwant\n%s", found.Text(), want)
	}
}

// TestLiteralOfEarlierStruct: the values of a literal without field names are checked also where an earlier cell declares the
// struct.
func TestLiteralOfEarlierStruct(t *testing.T) {
	s := newTestSession(t)
	u, err := s.Compile("type inner struct{ n int8 }\ntype job struct {\n\tid int\n\tf func() error\n\tin inner\n\tany\n}", 1)
	if err != nil {
		t.Fatal(err)
	}
	s.Commit(u)
	for code, want := range map[string]string{
		"job{1, nil, inner{7}, \"x\"}":                                   "",
		"[]*job{{1 << 3, func() error { return nil }, inner{'x'}, nil}}": "",
		"job{\"x\", nil, inner{}, nil}":                                  `cannot use "x" (untyped string constant) as int value in struct literal`,
		"x := 2.5\njob{int(x), nil, inner{1}, x}":                        "",
		"x := 2.5\njob{x, nil, inner{}, x}":                              "cannot use x (variable of type float64) as int value in struct literal",
		"inner{300}":                                                     "cannot use 300 (untyped int constant) as int8 value in struct literal",
		"[]inner{{1.5}}":                                                 "cannot use 1.5 (untyped float constant) as int8 value in struct literal",
		"job{1, func() {}, inner{}, nil}":                                "cannot use func() {} (value of type func()) as func() error value in struct literal",
		"job{nil, nil, inner{}, nil}":                                    "cannot use nil (value of type untyped nil) as int value in struct literal",
		"job{1, nil}":                                                    "too few values in struct literal of type job",
	} {
		_, err := s.Compile(code, 2)
		var found Errors
		if (err == nil) != (want == "") || err != nil && (!errors.As(err, &found) || len(found) != 1 || !strings.HasPrefix(found[0].Message, want)) {
			t.Errorf("%s: got %v, want %q", code, err, want)
		}
	}
}

// TestImportHint: a package is recommended for what it has, one of the standard library also for what it may be to have.
func TestImportHint(t *testing.T) {
	for code, want := range map[string]string{
		"measure.Loop(1)":            "", // a variable that is missing
		"measure.Time(nil)":          `import "gomosaic/kernel/cell/rt/measure"`,
		"strings.Toupper(\"\")":      `import "strings"`,
		"rand.Perm(3)":               `import "math/rand" or import "math/rand/v2"`,
		"measure := 1\nmeasure.Loop": "",
	} {
		_, err := newTestSession(t).Compile(code, 1)
		var found Errors
		if !errors.As(err, &found) || found[0].Hint != want {
			t.Errorf("%s: %v, want the hint %q", code, err, want)
		}
	}
}

// TestNothingChangesBeforeCommit holds Compile to leaving the session as it was.
func TestNothingChangesBeforeCommit(t *testing.T) {
	s := newTestSession(t)
	if _, err := s.Compile("x := 1", 1); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Compile("x", 2); err == nil {
		t.Error("x is known although its cell was not committed")
	}
	u, err := s.Compile("x := 1", 3)
	if err != nil {
		t.Fatal(err)
	}
	s.Commit(u)
	if _, err := s.Compile("x", 4); err != nil {
		t.Error(err)
	}
	s.Reset()
	if _, err := s.Compile("x", 5); err == nil {
		t.Error("x is known after Reset")
	}
}

func TestImportsStay(t *testing.T) {
	s := newTestSession(t)
	if _, err := s.Compile("import \"strings\"\nundefinedName", 1); err == nil {
		t.Fatal("no error")
	}
	if _, err := s.Compile("strings.ToUpper(\"a\")", 2); err != nil {
		t.Errorf("the import of a cell that failed is gone: %v", err)
	}
	s.Reset()
	if _, err := s.Compile("strings.ToUpper(\"a\")", 3); err != nil {
		t.Errorf("the import is gone after Reset: %v", err)
	}
}

func TestUnnameableType(t *testing.T) {
	s := newTestSession(t)
	_, err := s.Compile("import \"os/exec\"\nimport \"reflect\"\nx := reflect.ValueOf\ny := exec.ErrDot", 1)
	if err != nil {
		t.Error(err)
	}
	_, err = s.Compile("import \"crypto/sha256\"\nimport \"encoding/binary\"\nz := binary.LittleEndian", 2)
	if err == nil || !strings.Contains(err.Error(), "unexported type encoding/binary.littleEndian") {
		t.Errorf("got %v", err)
	}
}

func TestArchivesVanish(t *testing.T) {
	archives, err := archivesOnce()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	open := func() (*Archives, bool) {
		listed := false
		a, err := OpenArchives(t.Context(), archives.base, dir, []string{runtimePath}, func(string) { listed = true })
		if err != nil {
			t.Fatal(err)
		}
		return a, listed
	}
	a, listed := open()
	if !listed {
		t.Error("a fresh cache needed no listing")
	}
	if _, listed = open(); listed {
		t.Error("a warm cache was listed again")
	}
	data, err := os.ReadFile(a.index)
	if err != nil {
		t.Fatal(err)
	}
	gone := strings.Replace(string(data), "bufio\tbufio\t", "bufio\tbufio\t/nowhere", 1)
	if err := os.WriteFile(a.index, []byte(gone), 0o644); err != nil {
		t.Fatal(err)
	}
	a, listed = open()
	if file, err := a.File("bufio"); !listed || err != nil || strings.HasPrefix(file, "/nowhere") {
		t.Errorf("a lost archive was not rebuilt: %s, %v", file, err)
	}
	if _, err := a.File("no/such/package"); err == nil || !strings.Contains(err.Error(), "no/such/package") {
		t.Errorf("got %v", err)
	}
}

func TestSuggest(t *testing.T) {
	archives, err := archivesOnce()
	if err != nil {
		t.Fatal(err)
	}
	if got := archives.Suggest("rand"); len(got) < 3 || got[0] != "math/rand" {
		t.Errorf("rand: %q", got)
	}
}

func TestModuleKey(t *testing.T) {
	archives, err := archivesOnce()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	key := func() string {
		k, err := moduleKey(NewModule(archives.tools, dir), nil)
		if err != nil {
			t.Fatal(err)
		}
		return k
	}
	write := func(name, text string) {
		if err := os.WriteFile(dir+"/"+name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write("go.mod", "module m\n")
	write("a.go", "package m\n")
	first := key()
	time.Sleep(time.Millisecond)
	write("a.go", "package m\n") // touched, not changed
	write("a_test.go", "package m\n")
	write("README.md", "m")
	if key() != first {
		t.Error("the key follows what archives do not depend on")
	}
	write("a.go", "package m // changed\n")
	if key() == first {
		t.Error("the key does not follow the source")
	}
}

func testContext() (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.Background(), 5*time.Minute)
}
