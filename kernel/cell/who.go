package cell

import "go/types"

// Names are the user's names that are in force in a session, sorted.
type Names struct{ Variables, Constants, Functions, Types []string }

// Empty tells that there are none.
func (n Names) Empty() bool {
	return len(n.Variables)+len(n.Constants)+len(n.Functions)+len(n.Types) == 0
}

// Names lists what the session's cells declared.
func (s *Session) Names() Names {
	s.mu.Lock()
	defer s.mu.Unlock()
	var n Names
	for _, name := range sortedKeys(s.objects) {
		switch s.objects[name].(type) {
		case *types.Var:
			n.Variables = append(n.Variables, name)
		case *types.Const:
			n.Constants = append(n.Constants, name)
		case *types.Func:
			n.Functions = append(n.Functions, name)
		case *types.TypeName:
			n.Types = append(n.Types, name)
		}
	}
	return n
}
