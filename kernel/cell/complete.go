package cell

import (
	"cmp"
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Match is a possible completion.
type Match struct {
	Text string
	Kind string // function, variable, constant, type, field, method, module, keyword
}

// Completer answers questions about code that is being written, with the session's types. It has an importer of its
// own need: none of its methods changes the session.
type Completer struct {
	Session *Session
	// Paths lists import paths by prefix; may be nil.
	Paths func(prefix string) []string
}

// Complete lists what may stand at the cursor. The matches replace code[start:end].
func (k Completer) Complete(code string, cursor int) (start, end int, matches []Match) {
	cursor = max(0, min(cursor, len(code)))
	start, end = wordAround(code, cursor)
	prefix := code[start:cursor]
	if from, ok := importPathAt(code, cursor); ok {
		if k.Paths != nil {
			for _, path := range k.Paths(code[from:cursor]) {
				matches = append(matches, Match{path, "module"})
			}
		}
		return from, cursor, matches
	}
	k.Session.mu.Lock()
	defer k.Session.mu.Unlock()
	scope := k.Session.look(code, cursor)
	defer scope.c.drop()
	if base, ok := selectorBase(code, start); ok {
		matches = scope.members(base)
	} else {
		matches = scope.names()
	}
	matches = slices.DeleteFunc(matches, func(m Match) bool { return !hasPrefixFold(m.Text, prefix) })
	slices.SortFunc(matches, func(a, b Match) int {
		if x, y := strings.HasPrefix(a.Text, prefix), strings.HasPrefix(b.Text, prefix); x != y {
			if x {
				return -1
			}
			return 1
		}
		return cmp.Compare(a.Text, b.Text)
	})
	return start, end, slices.CompactFunc(matches, func(a, b Match) bool { return a.Text == b.Text })
}

func hasPrefixFold(text, prefix string) bool {
	return len(text) >= len(prefix) && strings.EqualFold(text[:len(prefix)], prefix)
}

func isWordRune(r rune) bool { return r == '_' || unicode.IsLetter(r) || unicode.IsDigit(r) }

// wordAround is the identifier that the cursor is in or behind.
func wordAround(code string, cursor int) (start, end int) {
	start, end = cursor, cursor
	for start > 0 {
		r, n := utf8.DecodeLastRuneInString(code[:start])
		if !isWordRune(r) {
			break
		}
		start -= n
	}
	for end < len(code) {
		r, n := utf8.DecodeRuneInString(code[end:])
		if !isWordRune(r) {
			break
		}
		end += n
	}
	return start, end
}

// importPathAt tells whether the cursor is in the path of an import, and where the path starts.
func importPathAt(code string, cursor int) (from int, ok bool) {
	line := code[strings.LastIndex(code[:cursor], "\n")+1 : cursor]
	quote := strings.LastIndexByte(line, '"')
	if quote < 0 || strings.Count(line, `"`)%2 == 0 {
		return 0, false
	}
	inGroup := strings.LastIndex(code[:cursor], "import (") > strings.LastIndexByte(code[:cursor], ')')
	if !strings.HasPrefix(strings.TrimSpace(line), "import") && !inGroup {
		return 0, false
	}
	return cursor - len(line) + quote + 1, true
}

// selectorBase is the expression before the dot in front of the word at start.
func selectorBase(code string, start int) (base string, ok bool) {
	head := strings.TrimRight(code[:start], " \t\n")
	if !strings.HasSuffix(head, ".") {
		return "", false
	}
	head = head[:len(head)-1]
	depth, i := 0, len(head)
scan:
	for i > 0 {
		r, n := utf8.DecodeLastRuneInString(head[:i])
		switch {
		case r == ')' || r == ']' || r == '}':
			depth++
		case r == '(' || r == '[' || r == '{':
			if depth--; depth < 0 {
				break scan
			}
		case depth > 0 || isWordRune(r) || r == '.' || r == '"':
		default:
			break scan
		}
		i -= n
	}
	return head[i:], head[i:] != ""
}

// view is what is in scope at a place in code: the cell is checked as far as it goes, errors or not.
type view struct {
	c     *compilation
	pos   token.Pos
	inner *types.Scope // innermost at the cursor
}

// look checks code for its types. The statement at the cursor is rarely complete; the parser recovers, and the checker
// goes on after errors.
func (s *Session) look(code string, cursor int) *view {
	code = normalize(code)
	c := newCompilation(s, code, 0)
	seq := s.seq
	s.seq++ // names of a cell of its own
	c.seq = s.seq
	defer func() { s.seq = seq }()
	c.parseMagics() // what is wrong with them does not matter here
	c.parts = split(c.goText)
	v := &view{c: c}
	v.try(cursor)
	return v
}

// try runs the stages up to the check; whatever an unfinished text does to them, what is known then is used.
func (v *view) try(cursor int) {
	c := v.c
	defer func() { _ = recover() }() // go/types and our stages expect text that parses
	c.parse()
	if c.bodyFile == nil || len(c.bodyFile.Decls) == 0 {
		return
	}
	f, ok := c.bodyFile.Decls[0].(*ast.FuncDecl)
	if !ok || f.Body == nil {
		return
	}
	c.body = f.Body
	c.resolveImports()
	c.collect()
	c.rename()
	c.check()
	for _, file := range []*ast.File{c.bodyFile, c.functionFile} {
		fragment, tf := c.s.fragmentAt(file.FileStart), c.s.fset.File(file.FileStart)
		p := tf.Pos(min(cursor+fragment.prefix, tf.Size()))
		inner := c.pkg.Scope().Innermost(p)
		if inner == nil {
			continue
		}
		if file == c.bodyFile || inner.Parent() != c.pkg.Scope() { // within a function of the cell
			v.inner, v.pos = inner, p
		}
	}
}

// names are all names in scope.
func (v *view) names() []Match {
	var out []Match
	add := func(o types.Object) {
		name := strings.TrimSuffix(o.Name(), freshMark)
		if !isGenerated(name) && name != "_" {
			out = append(out, Match{name, objectKind(o)})
		}
	}
	for scope := v.inner; scope != nil; scope = scope.Parent() {
		for _, name := range scope.Names() {
			if o := scope.Lookup(name); scope.Parent() == nil || o.Pos() <= v.pos || o.Parent() == nil || v.c.pkg != nil && scope == v.c.pkg.Scope() {
				add(o)
			}
		}
	}
	for _, o := range v.c.s.objects {
		add(o)
	}
	if v.c.pkg != nil {
		for _, name := range v.c.pkg.Scope().Names() {
			add(v.c.pkg.Scope().Lookup(name))
		}
	}
	for _, name := range types.Universe.Names() {
		add(types.Universe.Lookup(name))
	}
	for name := range v.c.imports {
		out = append(out, Match{name, "module"})
	}
	for name := range preludeNames {
		if o := v.c.s.preludeObject(name); o != nil {
			add(o)
		}
	}
	for t := token.BREAK; t <= token.VAR; t++ {
		out = append(out, Match{t.String(), "keyword"})
	}
	return out
}

// members are a package's objects, or the fields and methods of an expression's value.
func (v *view) members(base string) []Match {
	var out []Match
	if path, ok := v.packagePath(base); ok {
		pkg, err := v.c.s.importer.Import(path)
		if err != nil {
			return nil
		}
		for _, name := range pkg.Scope().Names() {
			if exported(name) {
				out = append(out, Match{name, objectKind(pkg.Scope().Lookup(name))})
			}
		}
		return out
	}
	t := v.typeOf(base)
	if t == nil {
		return nil
	}
	return memberMatches(t)
}

// packagePath tells whether base is the name of a package that nothing hides.
func (v *view) packagePath(base string) (string, bool) {
	path, ok := v.c.imports[base]
	if !ok {
		return "", false
	}
	if v.inner != nil {
		if _, o := v.inner.LookupParent(base, v.pos); o != nil {
			if _, isPkg := o.(*types.PkgName); !isPkg {
				return "", false
			}
		}
	}
	return path, v.c.s.objects[base] == nil || v.c.imported[path]
}

// typeOf is the type of an expression at the cursor, or the type that it names.
func (v *view) typeOf(expr string) types.Type {
	e, err := parser.ParseExpr(expr)
	if err != nil || v.c.pkg == nil {
		return nil
	}
	v.declareNames(e)
	info := &types.Info{Types: map[ast.Expr]types.TypeAndValue{}}
	if err := types.CheckExpr(v.c.s.fset, v.c.pkg, v.pos, e, info); err != nil && info.Types[e].Type == nil {
		return nil
	}
	return info.Types[e].Type
}

// declareNames puts into the package scope what an expression needs and the cell did not mention elsewhere.
func (v *view) declareNames(e ast.Expr) {
	ast.Inspect(e, func(n ast.Node) bool {
		id, ok := n.(*ast.Ident)
		if !ok || v.c.pkg.Scope().Lookup(id.Name) != nil {
			return true
		}
		if fresh := v.c.pkg.Scope().Lookup(id.Name + freshMark); fresh != nil {
			id.Name += freshMark
			return true
		}
		if path, ok := v.c.imports[id.Name]; ok {
			if pkg, err := v.c.s.importer.Import(path); err == nil {
				v.c.pkg.Scope().Insert(types.NewPkgName(token.NoPos, v.c.pkg, id.Name, pkg))
			}
		} else if o := v.c.s.preludeObject(id.Name); o != nil {
			v.c.pkg.Scope().Insert(o)
		}
		return true
	})
}

// memberMatches lists fields and methods that a selector reaches, promoted ones too.
func memberMatches(t types.Type) []Match {
	var out []Match
	visible := func(o types.Object) bool { return o.Exported() || fromCell(o.Pkg()) }
	methods := types.NewMethodSet(t)
	if _, isPointer := t.Underlying().(*types.Pointer); !isPointer && !types.IsInterface(t) {
		methods = types.NewMethodSet(types.NewPointer(t))
	}
	for i := range methods.Len() {
		if o := methods.At(i).Obj(); visible(o) {
			out = append(out, Match{o.Name(), "method"})
		}
	}
	seen := map[types.Type]bool{}
	var fields func(types.Type)
	fields = func(t types.Type) {
		if p, ok := t.Underlying().(*types.Pointer); ok {
			t = p.Elem()
		}
		s, ok := t.Underlying().(*types.Struct)
		if !ok || seen[t] {
			return
		}
		seen[t] = true
		for i := range s.NumFields() {
			f := s.Field(i)
			if visible(f) {
				out = append(out, Match{f.Name(), "field"})
			}
			if f.Embedded() {
				fields(f.Type())
			}
		}
	}
	fields(t)
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
