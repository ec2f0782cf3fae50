// Package reexec lets functions of an ordinary program run in other processes, as functions of a notebook do: the program
// is run again, and runs the function there with the values that its variables had here. Programs that gomosaic export
// writes use it, and so may any other whose Map runs on Spark's executors:
//
//	func main() {
//		defer reexec.Main(reexec.Function{
//			Func: shrink, Run: func() { worker.Map(shrink) }, Variables: map[string]any{"width": &width},
//		})()
//
// The copy that runs elsewhere holds the values itself, so one file is all that it needs there. Where the program is linked
// with C, the other machine must have the C library that it needs: build it with CGO_ENABLED=0 for others.
package reexec

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"maps"
	"os"
	"path"
	"path/filepath"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"sync"

	"gomosaic/kernel/cell/rt/snapshot"
	"gomosaic/mdslib/ship"
)

// Function is a function that may be shipped.
type Function struct {
	Func      any            // the function
	Run       func()         // calls the entry with it, in the other process
	Variables map[string]any // pointers to the package variables that it reaches, by name
	Types     []any          // values of types that may lie in interfaces among them
}

// envFunction tells a process that runs a function which one.
const envFunction = "GOMOSAIC_REEXEC_FUNCTION"

// Main is called at the start of main. It makes the functions shippable ([ship.Default]), and no others: those that
// distributor.Run is given are to be among them. The caller defers clean, which removes the copies of the program. In a process that was started to run one of the functions, it restores the variables, runs
// it and exits.
func Main(functions ...Function) (clean func()) {
	shipper := &shipper{functions: map[string]Function{}}
	for _, f := range functions {
		shipper.functions[nameOf(f.Func)] = f
	}
	ship.Register(shipper)
	name := os.Getenv(envFunction)
	if name == "" {
		return shipper.clean
	}
	if err := shipper.run(name); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	os.Exit(0)
	return nil
}

type shipper struct {
	functions map[string]Function

	mu     sync.Mutex
	dirs   []string                 // of copies
	copies map[copyKey]ship.Program // those made so far
}

// copyKey tells copies of the program apart: by the function, and a hash of the values.
type copyKey struct {
	function string
	values   [sha256.Size]byte
}

func (s *shipper) clean() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, dir := range s.dirs {
		os.RemoveAll(dir)
	}
}

// run runs a function with the variables that this copy of the program holds.
func (s *shipper) run(name string) error {
	f, ok := s.functions[name]
	if !ok {
		return fmt.Errorf("reexec: this program has no function %s", name)
	}
	values, err := heldValues()
	if err != nil {
		return fmt.Errorf("reexec: %w", err)
	}
	if err := snapshot.Load(bytes.NewReader(values), f.Variables, snapshot.TypesOf(f.Types...)); err != nil {
		return err
	}
	f.Run()
	return nil
}

// Ship implements [ship.Shipper]: the program is a copy of this executable, with the values behind it; the same one as long as they
// are the same.
func (s *shipper) Ship(_ context.Context, fn any, entry ship.Entry) (ship.Program, error) {
	if v := reflect.ValueOf(fn); v.Kind() != reflect.Func || v.IsNil() {
		return ship.Program{}, fmt.Errorf("ship: want a function, got %T", fn)
	}
	name := nameOf(fn)
	f, ok := s.functions[name]
	if !ok {
		short := name[strings.LastIndexByte(name, '.')+1:]
		return ship.Program{}, fmt.Errorf("ship: %s was not given to reexec.Main at the beginning of main: add reexec.Function{Func: %s, Run: func() { %s.%s(%[2]s) }} there, with the Variables that it uses", name, short, path.Base(entry.Package), entry.Func)
	}
	if entry.Arch != "" && entry.Arch != runtime.GOARCH {
		return ship.Program{}, fmt.Errorf("ship: this program is for %s machines, and has no copy for %s", runtime.GOARCH, entry.Arch)
	}
	var variables []snapshot.Variable
	for _, name := range slices.Sorted(maps.Keys(f.Variables)) {
		variables = append(variables, snapshot.Variable{Name: name, Key: name, Pointer: f.Variables[name]})
	}
	var values bytes.Buffer
	if _, err := snapshot.Save(&values, variables); err != nil {
		return ship.Program{}, fmt.Errorf("ship: %w", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	key := copyKey{name, sha256.Sum256(values.Bytes())}
	if p, ok := s.copies[key]; ok {
		return p, nil
	}
	self, err := os.Executable()
	if err != nil {
		return ship.Program{}, fmt.Errorf("ship: the path of this program: %w", err)
	}
	dir, err := os.MkdirTemp("", "gomosaic-reexec-")
	if err != nil {
		return ship.Program{}, fmt.Errorf("ship: %w", err)
	}
	s.dirs = append(s.dirs, dir)
	copied := filepath.Join(dir, filepath.Base(self))
	if err := writeCopy(copied, self, values.Bytes()); err != nil {
		return ship.Program{}, fmt.Errorf("ship: %w", err)
	}
	p := ship.Program{Path: copied, Args: os.Args[1:], Env: []string{envFunction + "=" + name}}
	if s.copies == nil {
		s.copies = map[copyKey]ship.Program{}
	}
	s.copies[key] = p
	return p, nil
}

// nameOf is a function's name in the runtime.
func nameOf(fn any) string {
	if f := runtime.FuncForPC(reflect.ValueOf(fn).Pointer()); f != nil {
		return f.Name()
	}
	return ""
}
