package host

import (
	"context"
	"errors"
	"fmt"
	"os"
	"reflect"
	"runtime"

	"gomosaic/kernel/cell/rt/snapshot"
	"gomosaic/mdslib/ship"
)

// shipper implements [ship.Shipper]: the front knows the source, the host has the values. Ship asks the front which
// variables the function captures, writes their values to a file, and asks for the program.
type shipper struct{ s *server }

// Ship compiles a function that a cell declares at top level, and all that it uses, into a program.
func (h *shipper) Ship(ctx context.Context, fn any, entry ship.Entry) (ship.Program, error) {
	v := reflect.ValueOf(fn)
	if v.Kind() != reflect.Func || v.IsNil() {
		return ship.Program{}, fmt.Errorf("ship: want a function that a cell declares, got %T", fn)
	}
	f := runtime.FuncForPC(v.Pointer())
	if f == nil {
		return ship.Program{}, errors.New("ship: the function has no name")
	}
	request := message{Kind: msgPlan, Function: f.Name(), Package: entry.Package, Func: entry.Func, Arch: entry.Arch}
	answer, err := h.s.call(ctx, request)
	if err != nil {
		return ship.Program{}, err
	}
	variables := make([]snapshot.Variable, len(answer.Plan))
	for i, p := range answer.Plan {
		h.s.mu.Lock()
		pointer := h.s.cells[p.Cell].variables[p.Key]
		h.s.mu.Unlock()
		if pointer == nil {
			return ship.Program{}, fmt.Errorf("ship: variable %s is not in this host", p.Name)
		}
		variables[i] = snapshot.Variable{Name: p.Name, Key: fmt.Sprintf("%d.%s", p.Cell, p.Key), Pointer: pointer}
	}
	file, err := os.CreateTemp(h.s.folder, "snapshot-*")
	if err != nil {
		return ship.Program{}, err
	}
	defer os.Remove(file.Name())
	refs, err := snapshot.Save(file, variables)
	if e := file.Close(); err == nil {
		err = e
	}
	if err != nil {
		return ship.Program{}, fmt.Errorf("ship: %w", err)
	}
	request.Kind, request.Snapshot = msgBuild, file.Name()
	for _, r := range refs {
		request.Types = append(request.Types, string(r))
	}
	answer, err = h.s.call(ctx, request)
	if err != nil {
		return ship.Program{}, err
	}
	return ship.Program{Path: answer.Text}, nil
}
