// Package reexec lets functions of an ordinary program run in other processes, as functions of a notebook do: the program
// is run again, and runs the function there with the values that its variables had here. Programs that gomosaic export
// writes use it.
package reexec

import (
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

// A process that runs a function learns which, and where the values are.
const (
	envFunction = "GOMOSAIC_REEXEC_FUNCTION"
	envSnapshot = "GOMOSAIC_REEXEC_SNAPSHOT"
)

// Main is called at the start of main. It makes the functions shippable ([ship.Default]); the caller defers clean, which
// removes the values' files. In a process that was started to run one of the functions, it restores the variables, runs
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
	if err := shipper.run(name, os.Getenv(envSnapshot)); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	os.Exit(0)
	return nil
}

type shipper struct {
	functions map[string]Function

	mu   sync.Mutex
	dirs []string // of snapshots
}

func (s *shipper) clean() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, dir := range s.dirs {
		os.RemoveAll(dir)
	}
}

// run runs a function with the variables of a snapshot.
func (s *shipper) run(name, file string) error {
	f, ok := s.functions[name]
	if !ok {
		return fmt.Errorf("reexec: this program has no function %s", name)
	}
	values, err := os.Open(file)
	if err != nil {
		return fmt.Errorf("reexec: %w", err)
	}
	err = snapshot.Load(values, f.Variables, snapshot.TypesOf(f.Types...))
	values.Close()
	if err != nil {
		return err
	}
	f.Run()
	return nil
}

// Ship implements [ship.Shipper]: the program is this executable.
func (s *shipper) Ship(_ context.Context, fn any, entry ship.Entry) (ship.Program, error) {
	if v := reflect.ValueOf(fn); v.Kind() != reflect.Func || v.IsNil() {
		return ship.Program{}, fmt.Errorf("ship: want a function, got %T", fn)
	}
	name := nameOf(fn)
	f, ok := s.functions[name]
	if !ok {
		return ship.Program{}, fmt.Errorf("ship: %s was not given to reexec.Main", name)
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
	file, err := os.Create(filepath.Join(dir, "snapshot"))
	if err != nil {
		return ship.Program{}, fmt.Errorf("ship: %w", err)
	}
	var variables []snapshot.Variable
	for name, pointer := range f.Variables {
		variables = append(variables, snapshot.Variable{Name: name, Key: name, Pointer: pointer})
	}
	_, err = snapshot.Save(file, variables)
	if e := file.Close(); err == nil {
		err = e
	}
	if err != nil {
		return ship.Program{}, fmt.Errorf("ship: %w", err)
	}
	return ship.Program{Path: self, Args: os.Args[1:], Env: []string{envFunction + "=" + name, envSnapshot + "=" + file.Name()}}, nil
}

// nameOf is a function's name in the runtime.
func nameOf(fn any) string {
	if f := runtime.FuncForPC(reflect.ValueOf(fn).Pointer()); f != nil {
		return f.Name()
	}
	return ""
}
