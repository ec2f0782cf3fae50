package cell

import "go/types"

// preludeName says which package's object a predeclared name stands for.
type preludeName struct{ path, name string }

// preludeNames are the names that every cell knows without an import. They are the outermost of the user's scopes:
// anything that the user declares or imports under such a name wins. A function without parameters returns a
// pointer to the variable that is meant.
var preludeNames = map[string]preludeName{
	"ctx":     {runtimePath, "Context"},
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
	there, ok := pkg.Scope().Lookup(from.name).(*types.Func)
	if !ok {
		return nil
	}
	var o types.Object = types.NewFunc(there.Pos(), pkg, name, there.Signature())
	isVariable := there.Signature().Params().Len() == 0
	if isVariable {
		o = types.NewVar(there.Pos(), pkg, name, there.Signature().Results().At(0).Type().(*types.Pointer).Elem())
	}
	if s.prelude == nil {
		s.prelude = map[string]types.Object{}
	}
	s.prelude[name] = o
	s.places[o] = place{path: from.path, name: from.name, pointer: isVariable}
	return o
}
