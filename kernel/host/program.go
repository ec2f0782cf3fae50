package host

import (
	"context"
	"os"

	"gomosaic/kernel/cell"
	"gomosaic/kernel/cell/rt/snapshot"
	"gomosaic/mdslib/ship"
)

// buildProgram makes the program that the host asked for.
func (s *Session) buildProgram(m message) (string, error) {
	variables, err := os.ReadFile(m.Snapshot)
	if err != nil {
		return "", err
	}
	types := make([]snapshot.TypeRef, len(m.Types))
	for i, t := range m.Types {
		types[i] = snapshot.TypeRef(t)
	}
	program, err := s.model.Program(m.Function, ship.Entry{Package: m.Package, Func: m.Func, Arch: m.Arch}, variables, types)
	if err != nil {
		return "", err
	}
	return cell.BuildProgram(context.Background(), s.module, s.folder.path, cell.QuoteField(s.options.Binary)+" host toolexec", program)
}
