package cell

import "go/types"

// preludeName says which package's object a predeclared name stands for.
type preludeName struct{ path, name string }

// preludeNames are the names that every cell knows without an import. They are the outermost of the user's scopes:
// anything that the user declares or imports under such a name wins.
var preludeNames = map[string]preludeName{
	"ctx":     {runtimePath, "Ctx"},
	"check":   {runtimePath, "Check"},
	"check1":  {runtimePath, "Check1"},
	"Display": {displayPath, "Display"},
}

// preludeObject makes (once) the object that a predeclared name stands for, or nil if its package cannot be loaded.
func (s *Session) preludeObject(name string) types.Object {
	if o := s.prelude[name]; o != nil {
		return o
	}
	from, ok := preludeNames[name]
	if !ok {
		return nil
	}
	pkg, err := s.importer.Import(from.path)
	if err != nil {
		return nil
	}
	var o types.Object
	switch there := pkg.Scope().Lookup(from.name).(type) {
	case *types.Var:
		o = types.NewVar(there.Pos(), pkg, name, there.Type())
	case *types.Func:
		o = types.NewFunc(there.Pos(), pkg, name, there.Signature())
	default:
		return nil
	}
	if s.prelude == nil {
		s.prelude = map[string]types.Object{}
	}
	s.prelude[name] = o
	s.places[o] = place{path: from.path, name: from.name}
	return o
}
