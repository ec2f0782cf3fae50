package cell

import (
	"context"
	"fmt"
	"go/ast"
	"go/doc"
	"go/parser"
	"go/token"
	"go/types"
	"path/filepath"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Description is what is known of a name.
type Description struct {
	Signature string // Go source of its declaration, without a body
	Doc       string // its documentation, or where a cell declares it
	Source    string // the user's own text of a function or type, for detail 1
}

// Inspect describes the name at the cursor; doc may be nil. With a cursor behind an open bracket it describes the
// function that is being called.
func (k Completer) Inspect(code string, cursor int, doc func(path, name, member string) string) (Description, bool) {
	cursor = max(0, min(cursor, len(code)))
	k.Session.mu.Lock()
	defer k.Session.mu.Unlock()
	for _, at := range []int{cursor, calledAt(code, cursor)} {
		if at < 0 {
			continue
		}
		start, end := wordAround(code, at)
		if start == end {
			continue
		}
		v := k.Session.look(code, start)
		defer v.c.drop()
		base, isSelector := selectorBase(code, start)
		var o types.Object
		if isSelector {
			o = v.member(base, code[start:end])
		} else {
			o = v.object(code[start:end])
		}
		if o != nil {
			return k.Session.describe(o, doc), true
		}
	}
	return Description{}, false
}

// calledAt is the place of the name before the innermost bracket that is open at the cursor, or -1.
func calledAt(code string, cursor int) int {
	depth := 0
	for i := cursor - 1; i >= 0; i-- {
		switch code[i] {
		case ')':
			depth++
		case '(':
			if depth == 0 {
				head := strings.TrimRightFunc(code[:i], unicode.IsSpace)
				if r, _ := utf8.DecodeLastRuneInString(head); isWordRune(r) {
					return len(head)
				}
				return -1
			}
			depth--
		}
	}
	return -1
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
		pkg, err := v.c.s.importer.Import(path)
		if err != nil {
			return nil
		}
		return pkg.Scope().Lookup(name)
	}
	t := v.typeOf(base)
	if t == nil || v.c.pkg == nil {
		return nil
	}
	o, _, _ := types.LookupFieldOrMethod(t, true, v.c.pkg, name)
	return o
}

// describe writes an object's declaration and finds what is said about it.
func (s *Session) describe(o types.Object, documentation func(path, name, member string) string) Description {
	qualifier := func(p *types.Package) string {
		if fromCell(p) || p == o.Pkg() {
			return ""
		}
		return p.Name()
	}
	if pkg, ok := o.(*types.PkgName); ok {
		d := Description{Signature: "package " + pkg.Imported().Name() + " // import \"" + pkg.Imported().Path() + "\""}
		if documentation != nil {
			d.Doc = documentation(pkg.Imported().Path(), "", "")
		}
		return d
	}
	d := Description{Signature: strings.ReplaceAll(types.ObjectString(o, qualifier), freshMark, "")}
	if at, ok := s.places[o]; ok && at.path != "" && documentation != nil { // ctx, check, …
		d.Doc = documentation(at.path, at.name, "")
		return d
	}
	if cell, line, _, ok := s.locate(o.Pos()); ok {
		if cell > 0 {
			d.Doc = fmt.Sprintf("declared in cell[%d], line %d", cell, line)
		}
		if kept := s.types[o.Name()]; kept != nil && s.objects[o.Name()] == o {
			d.Source = kept.declaration.text
		}
		if f, ok := o.(*types.Func); ok {
			d.Source = s.functionSource(f)
		}
		return d
	}
	if o.Pkg() == nil {
		if documentation != nil {
			d.Doc = documentation("builtin", o.Name(), "")
		}
		return d
	}
	if documentation == nil {
		return d
	}
	if f, ok := o.(*types.Func); ok && f.Signature().Recv() != nil {
		if named := receiverNamed(f.Signature().Recv().Type()); named != nil {
			d.Doc = documentation(o.Pkg().Path(), named.Obj().Name(), o.Name())
		}
		return d
	}
	d.Doc = documentation(o.Pkg().Path(), o.Name(), "")
	return d
}

func receiverNamed(t types.Type) *types.Named {
	if p, ok := t.(*types.Pointer); ok {
		t = p.Elem()
	}
	n, _ := t.(*types.Named)
	return n
}

// functionSource is the user's text of a function or method.
func (s *Session) functionSource(f *types.Func) string {
	fragment := s.fragmentAt(f.Pos())
	if fragment == nil {
		return ""
	}
	file, err := parser.ParseFile(token.NewFileSet(), "", "package main\n"+fragment.text, parser.SkipObjectResolution)
	if file == nil || err != nil {
		return ""
	}
	at := s.offset(fragment, f.Pos())
	for _, decl := range file.Decls {
		from, to := int(decl.Pos())-1-len("package main\n"), int(decl.End())-1-len("package main\n")
		if from <= at && at < to && to <= len(fragment.text) {
			return fragment.text[from:to]
		}
	}
	return ""
}

// Documentation reads what a package's source says about a name, a member of a type, or with no name the package.
func (a *Archives) Documentation(path, name, member string) string {
	out, err := a.module.list(context.Background(), "-find", "-f", "{{.Dir}}\n{{range .GoFiles}}{{.}}\n{{end}}{{range .CgoFiles}}{{.}}\n{{end}}", path)
	if err != nil {
		return ""
	}
	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	fset := token.NewFileSet()
	var files []*ast.File
	for _, file := range lines[1:] {
		f, err := parser.ParseFile(fset, filepath.Join(lines[0], file), nil, parser.ParseComments|parser.SkipObjectResolution)
		if err == nil {
			files = append(files, f)
		}
	}
	pkg, err := doc.NewFromFiles(fset, files, path, doc.AllDecls)
	if err != nil {
		return ""
	}
	if name == "" {
		return pkg.Doc
	}
	return documented(pkg, name, member)
}

func documented(pkg *doc.Package, name, member string) string {
	functions := pkg.Funcs
	values := append(pkg.Consts, pkg.Vars...)
	for _, t := range pkg.Types {
		if t.Name == name {
			if member == "" {
				return t.Doc
			}
			for _, m := range t.Methods {
				if m.Name == member {
					return m.Doc
				}
			}
			return ""
		}
		functions = append(functions, t.Funcs...)
		values = append(values, append(t.Consts, t.Vars...)...)
	}
	for _, f := range functions {
		if f.Name == name {
			return f.Doc
		}
	}
	for _, v := range values {
		for _, n := range v.Names {
			if n == name {
				return v.Doc
			}
		}
	}
	return ""
}
