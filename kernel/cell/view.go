package cell

import (
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"maps"
	"slices"
)

// view is what is in scope at a place in unfinished code: the cell is checked as far as it goes, errors or not.
type view struct {
	c     *compilation
	spot  *spot
	pos   token.Pos
	inner *types.Scope // innermost at the cursor
}

// publish makes what the session has committed visible to [Completer]s, which then need not wait for a cell that is
// being compiled. The caller holds s.mu.
func (s *Session) publish() {
	s.published.Store(&Session{
		config: s.config, fset: s.fset, importer: ready(s.importer), seq: s.seq,
		objects: maps.Clone(s.objects), places: maps.Clone(s.places), imports: maps.Clone(s.imports), dots: slices.Clone(s.dots),
		types: maps.Clone(s.types), fragments: maps.Clone(s.fragments),
	})
}

// ready is an importer's quick side: it fails where the go command would have to be asked.
func ready(i types.Importer) types.Importer {
	if quick, ok := i.(interface{ Ready() types.Importer }); ok {
		return quick.Ready()
	}
	return i
}

// look checks code for its types. The statement at the cursor is rarely complete; the parser recovers, and the checker
// goes on after errors. done ends the use of the view.
func (s *Session) look(at *spot) (v *view, done func()) {
	s = s.published.Load()
	s.mu.Lock()
	code := at.code
	if at.start == at.end && at.token(at.next-1) == token.PERIOD { // the word that will be there: else the next line's is taken
		code = code[:at.at] + "_" + code[at.at:]
	}
	c := newCompilation(s, code, 0)
	c.seq, c.looking = s.seq+1, true
	c.goText = code
	c.parts = split(code)
	v = &view{c: c, spot: at}
	v.try(at.at)
	return v, func() {
		c.drop()
		s.mu.Unlock()
	}
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

func (v *view) packageScope() *types.Scope {
	if v.c.pkg == nil {
		return nil
	}
	return v.c.pkg.Scope()
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

// typeOf is the type of an expression at the cursor, or the type that it names; its Type is nil where there is none.
func (v *view) typeOf(expr string) types.TypeAndValue {
	e, err := parser.ParseExpr(expr)
	if err != nil || v.c.pkg == nil {
		return types.TypeAndValue{}
	}
	v.declareNames(e)
	info := &types.Info{Types: map[ast.Expr]types.TypeAndValue{}}
	_ = types.CheckExpr(v.c.s.fset, v.c.pkg, v.pos, e, info) // what an incomplete expression has is still its type
	if t := info.Types[e]; t.Type != nil && t.Type != types.Typ[types.Invalid] {
		return t
	}
	return types.TypeAndValue{}
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

// object finds a name as the cell sees it at the cursor.
func (v *view) object(name string) types.Object {
	if v.inner != nil {
		if _, o := v.inner.LookupParent(name, v.pos); o != nil {
			return o
		}
	}
	if v.c.pkg != nil {
		for _, n := range []string{name + freshMark, name} {
			if o := v.c.pkg.Scope().Lookup(n); o != nil {
				return o
			}
		}
	}
	if o := v.c.s.objects[name]; o != nil {
		return o
	}
	if path, ok := v.c.imports[name]; ok {
		if pkg, err := v.c.s.importer.Import(path); err == nil {
			return types.NewPkgName(token.NoPos, pkg, name, pkg)
		}
	}
	if o := v.c.s.preludeObject(name); o != nil {
		return o
	}
	return types.Universe.Lookup(name)
}

// member finds base.name.
func (v *view) member(base, name string) types.Object {
	if path, ok := v.packagePath(base); ok {
		return v.packageMember(path, name)
	}
	if t := v.typeOf(base); t.Type != nil {
		o, _, _ := types.LookupFieldOrMethod(t.Type, true, v.c.pkg, name)
		return o
	}
	if suggest := v.c.s.config.Suggest; suggest != nil && v.object(base) == nil {
		for _, path := range suggest(base) {
			if o := v.packageMember(path, name); o != nil {
				return o
			}
		}
	}
	return nil
}

func (v *view) packageMember(path, name string) types.Object {
	pkg, err := v.c.s.importer.Import(path)
	if err != nil || !exported(name) {
		return nil
	}
	return pkg.Scope().Lookup(name)
}

// literal is the struct whose composite literal has a key at the cursor, with the keys that the literal has; nil where
// there is none.
func (v *view) literal() (s *types.Struct, used []string) {
	brace, used, ok := v.spot.literalKey()
	if !ok {
		return nil, nil
	}
	code, depth := v.spot.literalType(brace)
	of := v.typeOf(code)
	if of.Type == nil || !of.IsType() {
		return nil, nil
	}
	t := of.Type
	for range depth {
		elements, ok := t.Underlying().(interface{ Elem() types.Type }) // a slice, an array, a map
		if !ok {
			return nil, nil
		}
		t = elements.Elem()
	}
	return structOf(t), used
}
