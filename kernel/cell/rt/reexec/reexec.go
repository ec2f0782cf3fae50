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
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
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

// Main is called at the start of main. It makes the functions shippable ([ship.Default]); the caller defers clean, which
// removes the copies of the program. In a process that was started to run one of the functions, it restores the variables, runs
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

	mu   sync.Mutex
	dirs []string // of copies
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

// Ship implements [ship.Shipper]: the program is a copy of this executable, with the values behind it.
func (s *shipper) Ship(_ context.Context, fn any, entry ship.Entry) (ship.Program, error) {
	if v := reflect.ValueOf(fn); v.Kind() != reflect.Func || v.IsNil() {
		return ship.Program{}, fmt.Errorf("ship: want a function, got %T", fn)
	}
	name := nameOf(fn)
	f, ok := s.functions[name]
	if !ok {
		return ship.Program{}, fmt.Errorf("ship: %s was not given to reexec.Main at the beginning of main", name)
	}
	if entry.Arch != "" && entry.Arch != runtime.GOARCH {
		return ship.Program{}, fmt.Errorf("ship: this program is for %s machines, and has no copy for %s", runtime.GOARCH, entry.Arch)
	}
	self, err := os.Executable()
	if err != nil {
		return ship.Program{}, fmt.Errorf("ship: the path of this program: %w", err)
	}
	dir, err := os.MkdirTemp("", "gomosaic-reexec-")
	if err != nil {
		return ship.Program{}, fmt.Errorf("ship: %w", err)
	}
	s.mu.Lock()
	s.dirs = append(s.dirs, dir)
	s.mu.Unlock()
	var variables []snapshot.Variable
	for name, pointer := range f.Variables {
		variables = append(variables, snapshot.Variable{Name: name, Key: name, Pointer: pointer})
	}
	var values bytes.Buffer
	if _, err := snapshot.Save(&values, variables); err != nil {
		return ship.Program{}, fmt.Errorf("ship: %w", err)
	}
	path := filepath.Join(dir, filepath.Base(self))
	if err := writeCopy(path, self, values.Bytes()); err != nil {
		return ship.Program{}, fmt.Errorf("ship: %w", err)
	}
	return ship.Program{Path: path, Args: os.Args[1:], Env: []string{envFunction + "=" + name}}, nil
}

// nameOf is a function's name in the runtime.
func nameOf(fn any) string {
	if f := runtime.FuncForPC(reflect.ValueOf(fn).Pointer()); f != nil {
		return f.Name()
	}
	return ""
}
