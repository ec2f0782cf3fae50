package cell

import (
	"cmp"
	"go/token"
	"go/types"
	"slices"
	"strings"

	"gomosaic/kernel/cell/magic"
)

// Match is a possible completion.
type Match struct {
	Text string
	Kind string // function, variable, constant, type, field, method, module, keyword, label, magic, path

	rank int // smaller is nearer to the cursor
}

// Completer answers questions about code that is being written, with the types of what the session has committed. It
// changes nothing, waits for no cell that compiles or runs, and starts no go command. Safe for concurrent use.
type Completer struct {
	Session *Session
	Dir     string                       // folder that paths in strings are relative to
	Paths   func(prefix string) []string // importable packages by import path; may be nil
	Names   func(prefix string) []string // names of importable packages; may be nil
}

// Complete lists what may stand at the cursor, the likely ones first. The matches replace code[start:end].
func (k Completer) Complete(code string, cursor int) (start, end int, matches []Match) {
	cursor = max(0, min(cursor, len(code)))
	head := normalize(code[:cursor])
	shift := cursor - len(head)
	s := spotAt(head+normalize(code[cursor:]), len(head))
	switch s.kind {
	case inText:
		return cursor, cursor, nil
	case inMagic:
		matches = magicMatches(s)
	case inPath:
		matches = pathMatches(k.Dir, s.text)
	case inImport:
		if k.Paths != nil {
			for _, path := range k.Paths(s.text) {
				matches = append(matches, Match{Text: path, Kind: "module"})
			}
		}
	default:
		matches = k.goMatches(s)
	}
	return s.start + shift, s.end + shift, matches
}

// goMatches are what Go allows at the word.
func (k Completer) goMatches(s *spot) []Match {
	prefix := s.code[s.start:s.at]
	if labels, ok := s.labels(); ok {
		return ordered(matchesOf("label", 0, labels...), prefix)
	}
	v, done := k.Session.look(s)
	defer done()
	if base, ok := s.selectorBase(); ok {
		return ordered(v.members(base), prefix)
	}
	if keys := ordered(v.keys(), prefix); len(keys) > 0 {
		return keys
	}
	matches := v.names()
	if k.Names != nil && prefix != "" {
		matches = append(matches, matchesOf("module", 4, k.Names(prefix)...)...)
	}
	return ordered(matches, prefix)
}

func matchesOf(kind string, rank int, texts ...string) []Match {
	var out []Match
	for _, text := range texts {
		out = append(out, Match{text, kind, rank})
	}
	return out
}

// ordered keeps the matches with a prefix, in any case, each text once: those in the prefix's own case first, then by
// rank and alphabet.
func ordered(matches []Match, prefix string) []Match {
	matches = slices.DeleteFunc(matches, func(m Match) bool { return !hasPrefixFold(m.Text, prefix) })
	slices.SortFunc(matches, func(a, b Match) int {
		return cmp.Or(-compareBool(strings.HasPrefix(a.Text, prefix), strings.HasPrefix(b.Text, prefix)),
			cmp.Compare(a.rank, b.rank), cmp.Compare(a.Text, b.Text))
	})
	seen := map[string]bool{}
	return slices.DeleteFunc(matches, func(m Match) bool {
		was := seen[m.Text]
		seen[m.Text] = true
		return was
	})
}

func compareBool(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return 1
	}
	return -1
}

func hasPrefixFold(text, prefix string) bool {
	return len(text) >= len(prefix) && strings.EqualFold(text[:len(prefix)], prefix)
}

// magicMatches are the magics whose names begin as the text at the cursor; those of a whole cell on its first line only.
func magicMatches(s *spot) []Match {
	var out []Match
	for _, m := range magic.All() {
		if m.Name == magic.Shell {
			continue
		}
		if m.Line {
			out = append(out, Match{Text: "%" + m.Name, Kind: "magic"})
		}
		if m.Cell && s.start == 0 {
			out = append(out, Match{Text: "%%" + m.Name, Kind: "magic", rank: 1})
		}
	}
	return ordered(out, s.text)
}

// names are all names in scope.
func (v *view) names() []Match {
	var out []Match
	add := func(o types.Object, rank int) {
		name := strings.TrimSuffix(o.Name(), freshMark)
		if !isGenerated(name) && name != "_" {
			out = append(out, Match{name, objectKind(o), rank})
		}
	}
	for scope := v.inner; scope != nil && scope != v.packageScope() && scope != types.Universe; scope = scope.Parent() {
		for _, name := range scope.Names() {
			if o := scope.Lookup(name); o.Pos() <= v.pos {
				add(o, 0)
			}
		}
	}
	for _, o := range v.c.s.objects {
		add(o, 1)
	}
	if scope := v.packageScope(); scope != nil {
		for _, name := range scope.Names() {
			add(scope.Lookup(name), 1)
		}
	}
	for name := range preludeNames {
		if o := v.c.s.preludeObject(name); o != nil {
			add(o, 2)
		}
	}
	for name := range v.c.imports {
		out = append(out, Match{name, "module", 2})
	}
	for _, name := range types.Universe.Names() {
		add(types.Universe.Lookup(name), 3)
	}
	for t := token.BREAK; t <= token.VAR; t++ {
		out = append(out, Match{t.String(), "keyword", 3})
	}
	return out
}

// members are a package's objects, or the fields and methods of an expression's value or type. A package that is not
// imported yet is looked for by its name.
func (v *view) members(base string) []Match {
	if path, ok := v.packagePath(base); ok {
		return v.packageMembers(path)
	}
	if t := v.typeOf(base); t.Type != nil {
		return memberMatches(t)
	}
	var out []Match
	if suggest := v.c.s.config.Suggest; suggest != nil && token.IsIdentifier(base) && v.object(base) == nil {
		for _, path := range suggest(base) {
			out = append(out, v.packageMembers(path)...)
		}
	}
	return out
}

func (v *view) packageMembers(path string) []Match {
	pkg, err := v.c.s.importer.Import(path)
	if err != nil {
		return nil
	}
	var out []Match
	for _, name := range pkg.Scope().Names() {
		if exported(name) {
			out = append(out, Match{Text: name, Kind: objectKind(pkg.Scope().Lookup(name))})
		}
	}
	return out
}

// memberMatches lists fields and methods that a selector reaches, promoted ones too; of a type its methods only.
func memberMatches(of types.TypeAndValue) []Match {
	var out []Match
	visible := func(o types.Object) bool { return o.Exported() || fromCell(o.Pkg()) }
	methods := types.NewMethodSet(of.Type)
	if _, isPointer := of.Type.Underlying().(*types.Pointer); !isPointer && !types.IsInterface(of.Type) {
		methods = types.NewMethodSet(types.NewPointer(of.Type))
	}
	for i := range methods.Len() {
		if o := methods.At(i).Obj(); visible(o) {
			out = append(out, Match{Text: o.Name(), Kind: "method"})
		}
	}
	if of.IsType() {
		return out
	}
	seen := map[types.Type]bool{}
	var fields func(types.Type)
	fields = func(t types.Type) {
		s := structOf(t)
		if s == nil || seen[t] {
			return
		}
		seen[t] = true
		for i := range s.NumFields() {
			f := s.Field(i)
			if visible(f) {
				out = append(out, Match{Text: f.Name(), Kind: "field"})
			}
			if f.Embedded() {
				fields(f.Type())
			}
		}
	}
	fields(of.Type)
	return out
}

// structOf is the struct that a type or what it points to is made of, or nil.
func structOf(t types.Type) *types.Struct {
	if p, ok := t.Underlying().(*types.Pointer); ok {
		t = p.Elem()
	}
	s, _ := t.Underlying().(*types.Struct)
	return s
}

// keys are the fields that the struct literal around the cursor has no value for yet.
func (v *view) keys() []Match {
	s, used := v.literal()
	if s == nil {
		return nil
	}
	var out []Match
	for i := range s.NumFields() {
		if f := s.Field(i); (f.Exported() || fromCell(f.Pkg())) && !slices.Contains(used, f.Name()) {
			out = append(out, Match{Text: f.Name(), Kind: "field"})
		}
	}
	return out
}

func objectKind(o types.Object) string {
	switch o := o.(type) {
	case *types.PkgName:
		return "module"
	case *types.Const:
		return "constant"
	case *types.TypeName:
		return "type"
	case *types.Func, *types.Builtin:
		return "function"
	case *types.Var:
		if o.IsField() {
			return "field"
		}
	}
	return "variable"
}
