package cell

// Types that a cell declares once more, word for word: they stay the types that they are.

import (
	"go/ast"
	"go/token"
	"go/types"
)

// dropRepeated takes out of the cell the types that earlier cells declared with the same words, and those of their methods
// that are the same too: a cell that is run again leaves the values of its types what they are. A method that differs is
// one more method of a type that exists; see reopen.go.
func (c *compilation) dropRepeated() []Diagnostic {
	declared := c.declaredNames()
	repeated := map[string]bool{}
	for _, group := range c.typeDeclarations() {
		for _, spec := range group.Specs {
			if name := spec.(*ast.TypeSpec).Name.Name; c.repeatsType(spec) && declared[name] == 1 {
				repeated[name] = true
			}
		}
	}
	for again := true; again; { // a type is repeated if those that it is made of are, and the others of its group
		again = false
		for _, group := range c.typeDeclarations() {
			whole := true
			for _, spec := range group.Specs {
				name := spec.(*ast.TypeSpec).Name.Name
				whole = whole && repeated[name] && c.meansTheSame(c.s.types[name].declaration, declared, repeated)
			}
			for _, spec := range group.Specs {
				if name := spec.(*ast.TypeSpec).Name.Name; !whole && repeated[name] {
					delete(repeated, name)
					again = true
				}
			}
		}
	}
	if len(repeated) == 0 {
		return nil
	}
	statements, functions := []byte(c.parts.statements), []byte(c.parts.functions)
	for _, group := range c.typeDeclarations() {
		if repeated[group.Specs[0].(*ast.TypeSpec).Name.Name] {
			f := c.s.fragmentAt(group.Pos())
			blank(statements[c.s.offset(f, group.Pos()):c.s.offset(f, group.End())])
		}
	}
	for _, decl := range c.functionFile.Decls {
		d, ok := decl.(*ast.FuncDecl)
		if !ok || d.Recv == nil || len(d.Recv.List) != 1 {
			continue
		}
		base := receiverBase(d.Recv.List[0].Type)
		if kept, ok := c.keptMethod(base, d.Name.Name); ok && repeated[base] && declared[base+"."+d.Name.Name] == 1 &&
			sameWords(kept.text, c.s.source(d.Pos(), d.End())) && c.meansTheSame(kept, declared, repeated) {
			f := c.s.fragmentAt(d.Pos())
			from := d.Pos()
			if d.Doc != nil {
				from = d.Doc.Pos()
			}
			blank(functions[c.s.offset(f, from):c.s.offset(f, d.End())])
		}
	}
	c.drop()
	c.parts.statements, c.parts.functions = string(statements), string(functions)
	return c.parse()
}

// typeDeclarations are the cell's type declarations at top level.
func (c *compilation) typeDeclarations() (list []*ast.GenDecl) {
	for _, stmt := range c.body.List {
		if d, ok := stmt.(*ast.DeclStmt); ok {
			if g := d.Decl.(*ast.GenDecl); g.Tok == token.TYPE && len(g.Specs) > 0 {
				list = append(list, g)
			}
		}
	}
	return list
}

// declaredNames counts the cell's declarations of each name, methods as T.m.
func (c *compilation) declaredNames() map[string]int {
	names := map[string]int{}
	for _, stmt := range c.body.List {
		switch x := stmt.(type) {
		case *ast.AssignStmt:
			for _, left := range x.Lhs {
				if id, ok := left.(*ast.Ident); ok && x.Tok == token.DEFINE {
					names[id.Name]++
				}
			}
		case *ast.DeclStmt:
			for _, spec := range x.Decl.(*ast.GenDecl).Specs {
				switch spec := spec.(type) {
				case *ast.ValueSpec:
					for _, id := range spec.Names {
						names[id.Name]++
					}
				case *ast.TypeSpec:
					names[spec.Name.Name]++
				}
			}
		}
	}
	for _, decl := range c.functionFile.Decls {
		if d, ok := decl.(*ast.FuncDecl); ok {
			name := d.Name.Name
			if d.Recv != nil && len(d.Recv.List) == 1 {
				name = receiverBase(d.Recv.List[0].Type) + "." + name
			}
			names[name]++
		}
	}
	return names
}

// repeatsType tells whether a type in force was declared with the same words.
func (c *compilation) repeatsType(spec ast.Spec) bool {
	name := spec.(*ast.TypeSpec).Name.Name
	kept := c.s.types[name]
	_, inForce := c.s.objects[name].(*types.TypeName)
	return inForce && kept != nil && sameWords(kept.declaration.text, "type "+c.s.source(spec.Pos(), spec.End()))
}

func (c *compilation) keptMethod(base, name string) (piece, bool) {
	kept := c.s.types[base]
	if kept == nil {
		return piece{}, false
	}
	p, ok := kept.methods[name]
	return p, ok
}

// meansTheSame tells whether the names in kept source mean in this cell what they meant where it was written. A name that
// the cell declares means something else, but for the types that it repeats.
func (c *compilation) meansTheSame(p piece, declared map[string]int, repeated map[string]bool) bool {
	for _, o := range p.means {
		name := o.Name()
		if pkg, ok := o.(*types.PkgName); ok {
			if c.imports[name] != pkg.Imported().Path() || declared[name] > 0 || c.s.objects[name] != nil {
				return false
			}
			continue
		}
		if repeated[name] {
			continue
		}
		if now := c.s.objects[name]; declared[name] > 0 || now != nil && now != o && c.s.places[now] != c.s.places[o] {
			return false
		}
	}
	return true
}

// sameWords tells whether two pieces of Go differ in blanks and comments only.
func sameWords(a, b string) bool {
	x, y := lex(a), lex(b)
	if len(x) != len(y) {
		return false
	}
	for i := range x {
		if x[i].token != y[i].token || x[i].token != token.SEMICOLON && x[i].text != y[i].text {
			return false
		}
	}
	return true
}
