package cell

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"slices"
	"strings"

	"gomosaic/kernel/cell/magic"
)

// Description is what is known of a name.
type Description struct {
	Signature string // Go source of its declaration, without a body
	Where     string // the cell that declares it, in words
	Source    string // all of its declaration, where that is known
	Doc       Documentation
	Variable  *Captured // where its value lives, for a variable of the notebook
}

// Inspect describes the name at the cursor, with what documentation has to say of a package's name, or a member of its
// type; documentation may be nil. With a cursor behind an open bracket it describes the function that is being called.
func (k Completer) Inspect(code string, cursor int, documentation func(path, name, member string) (Documentation, bool)) (Description, bool) {
	cursor = max(0, min(cursor, len(code)))
	head := normalize(code[:cursor])
	code = head + normalize(code[cursor:])
	s := spotAt(code, len(head))
	if s.kind == inMagic {
		return magicDescription(code[s.start:s.end])
	}
	if s.kind == inGo && s.start == s.end || s.kind == inPath || s.kind == inText {
		call := s.called()
		if call < 0 {
			return Description{}, false
		}
		s = spotAt(code, call)
	}
	if s.kind != inGo || s.start == s.end {
		return Description{}, false
	}
	name := s.code[s.start:s.end]
	v, done := k.Session.look(s)
	defer done()
	var o types.Object
	base, selects := s.selectorBase()
	if selects {
		o = v.member(base, name)
	} else if o = v.key(name); o == nil {
		o = v.object(name)
	}
	if o == nil && !selects {
		if d, ok := keywordDescription(name); ok {
			return d, true
		}
		o = v.unimported(name)
	}
	if o == nil {
		return Description{}, false
	}
	var owner types.Type
	if selects {
		owner = v.typeOf(base).Type
	}
	return v.c.s.describe(o, owner, documentation), true
}

// called is the end of the name before the innermost round bracket that is open at the cursor, or -1.
func (s *spot) called() int {
	for i := s.enclosing(s.next); i >= 0; i = s.enclosing(i) {
		if s.tokens[i].token != token.LPAREN {
			continue
		}
		i--
		if s.token(i) == token.RBRACK { // f[int](
			i = s.opening(i) - 1
		}
		if s.token(i) == token.IDENT {
			return s.tokens[i].offset + len(s.tokens[i].text)
		}
		return -1
	}
	return -1
}

// unimported finds a package by its name.
func (v *view) unimported(name string) types.Object {
	suggest := v.c.s.config.Suggest
	if suggest == nil {
		return nil
	}
	for _, path := range suggest(name) {
		if pkg, err := v.c.s.importer.Import(path); err == nil {
			return types.NewPkgName(token.NoPos, pkg, name, pkg)
		}
	}
	return nil
}

// key is the field that a key of a struct literal names.
func (v *view) key(name string) types.Object {
	s, _ := v.literal()
	if s == nil || v.spot.token(v.spot.next+1) != token.COLON {
		return nil
	}
	for i := range s.NumFields() {
		if s.Field(i).Name() == name {
			return s.Field(i)
		}
	}
	return nil
}

// describe writes an object's declaration and finds what is said about it. owner is the type that it was selected from.
func (s *Session) describe(o types.Object, owner types.Type, documentation func(path, name, member string) (Documentation, bool)) Description {
	d := Description{Signature: strings.ReplaceAll(types.ObjectString(o, s.qualifier(o)), freshMark, "")}
	look := func(path, name, member string) {
		if documentation == nil {
			return
		}
		doc, ok := documentation(path, name, member)
		if !ok {
			return
		}
		d.Doc, d.Source = doc, doc.Source
		if doc.Signature != "" {
			d.Signature = doc.Signature
		}
	}
	if pkg, ok := o.(*types.PkgName); ok {
		d.Signature = fmt.Sprintf("package %s // import %q", pkg.Imported().Name(), pkg.Imported().Path())
		look(pkg.Imported().Path(), "", "")
		return d
	}
	at, placed := s.places[o]
	if placed && at.path != "" { // ctx, check, …
		own := d.Signature
		look(at.path, at.name, "")
		d.Signature = own
		return d
	}
	if cell, line, _, ok := s.locate(o.Pos()); ok {
		s.describeOwn(&d, o, cell, line)
		if v, ok := o.(*types.Var); ok && placed && !v.IsField() && !at.function {
			d.Variable = &Captured{Name: o.Name(), Cell: at.cell, Key: at.name}
		}
		return d
	}
	switch o := o.(type) {
	case *types.Func:
		if recv := o.Signature().Recv(); recv != nil {
			if named := namedOf(recv.Type()); named != nil && named.Obj().Pkg() != nil {
				look(named.Obj().Pkg().Path(), named.Obj().Name(), o.Name())
			}
			return d
		}
	case *types.Var:
		if o.IsField() {
			if named := fieldOwner(owner, o); named != nil && named.Obj().Pkg() != nil {
				look(named.Obj().Pkg().Path(), named.Obj().Name(), o.Name())
			}
			return d
		}
	}
	if o.Pkg() == nil {
		look("builtin", o.Name(), "")
	} else {
		look(o.Pkg().Path(), o.Name(), "")
	}
	return d
}

// qualifier writes types as a cell does: those of cells and the object's own package need no package name.
func (s *Session) qualifier(o types.Object) types.Qualifier {
	return func(p *types.Package) string {
		if fromCell(p) || o.Pkg() == p {
			return ""
		}
		return p.Name()
	}
}

func namedOf(t types.Type) *types.Named {
	if p, ok := types.Unalias(t).(*types.Pointer); ok {
		t = p.Elem()
	}
	n, _ := types.Unalias(t).(*types.Named)
	return n
}

// fieldOwner is the named type that declares a field reached from t, itself or one that it embeds, or nil.
func fieldOwner(t types.Type, field *types.Var) *types.Named {
	if t == nil {
		return nil
	}
	s := structOf(t)
	if s == nil {
		return nil
	}
	for i := range s.NumFields() {
		if s.Field(i).Origin() == field.Origin() {
			return namedOf(t)
		}
	}
	for i := range s.NumFields() {
		if f := s.Field(i); f.Embedded() {
			if owner := fieldOwner(f.Type(), field); owner != nil {
				return owner
			}
		}
	}
	return nil
}

// describeOwn describes what a cell declares, with the user's own text.
func (s *Session) describeOwn(d *Description, o types.Object, cell, line int) {
	d.Where = fmt.Sprintf("declared in cell[%d], line %d", cell, line)
	if cell == 0 {
		d.Where = fmt.Sprintf("declared in this cell, line %d", line)
	}
	f := s.fragmentAt(o.Pos())
	prefix, suffix := "package main\n", "\n"
	if f.lines == 2 {
		prefix, suffix = "package main\nfunc _() {\n", "\n}\n"
	}
	fset := token.NewFileSet()
	file, _ := parser.ParseFile(fset, "", prefix+f.text+suffix, parser.ParseComments|parser.SkipObjectResolution)
	if file == nil {
		return
	}
	tf := fset.File(file.FileStart)
	p := tf.Pos(s.offset(f, o.Pos()) + len(prefix))
	text := func(from, to token.Pos) string {
		return f.text[max(0, tf.Offset(from)-len(prefix)):min(len(f.text), tf.Offset(to)-len(prefix))]
	}
	ast.Inspect(file, func(n ast.Node) bool {
		if n == nil || p < n.Pos() || n.End() <= p {
			_, isFile := n.(*ast.File)
			return isFile
		}
		switch n := n.(type) {
		case *ast.FuncDecl:
			if n.Name.Pos() == p {
				d.Source = text(n.Pos(), n.End())
				d.Signature = text(n.Pos(), n.Type.End())
				d.Doc = plainDocumentation(n.Doc)
			}
		case *ast.GenDecl:
			if n.Tok == token.TYPE && slices.ContainsFunc(n.Specs, func(spec ast.Spec) bool { return spec.Pos() == p }) {
				spec := n.Specs[slices.IndexFunc(n.Specs, func(spec ast.Spec) bool { return spec.Pos() == p })].(*ast.TypeSpec)
				d.Source = "type " + text(spec.Pos(), spec.End())
				d.Signature = d.Source
				if d.Doc = plainDocumentation(spec.Doc); spec.Doc == nil {
					d.Doc = plainDocumentation(n.Doc)
				}
			}
		case *ast.Field:
			if slices.ContainsFunc(n.Names, func(id *ast.Ident) bool { return id.Pos() == p }) {
				if d.Doc = plainDocumentation(n.Doc); n.Doc == nil {
					d.Doc = plainDocumentation(n.Comment)
				}
			}
		}
		return true
	})
}

// magicDescription describes a magic by its name, with its %.
func magicDescription(name string) (Description, bool) {
	for _, m := range magic.All() {
		if m.Name == strings.TrimLeft(name, "%") {
			return Description{Signature: m.Usage, Doc: Documentation{Text: m.Doc, Markdown: m.Doc}}, true
		}
	}
	return Description{}, false
}
