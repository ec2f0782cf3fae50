package cell

import (
	"cmp"
	"go/ast"
	"go/token"
	"go/types"
	"maps"
	"path"
	"strings"
)

// displayPath is our package display, which cells get by the paths under which gophernotes offers its own.
const displayPath = "gomosaic/display"

var displayPaths = map[string]bool{"display": true, "github.com/gopherdata/gophernotes": true}

// resolveImports loads what the cell imports and puts it beside the session's imports.
func (c *compilation) resolveImports() {
	maps.Copy(c.imports, c.s.imports)
	c.dots = append(c.dots, c.s.dots...)
	for _, spec := range c.parts.imports {
		if displayPaths[spec.path] {
			spec.path = displayPath
		}
		pkg, err := c.s.importer.Import(spec.path)
		if err != nil {
			d := c.diagnoseAt(spec.offset, "cannot import "+spec.path+": "+err.Error())
			if spec.path == "C" {
				d.Message = "cannot import C: cells have no cgo"
			}
			d.Hint = c.adviseImport(spec.path, err)
			c.errors = append(c.errors, d)
			c.missing[cmp.Or(spec.name, path.Base(spec.path))] = true
			continue
		}
		c.imported[spec.path] = true
		switch spec.name {
		case "":
			c.imports[pkg.Name()] = spec.path
		case ".":
			c.dots = append(c.dots, spec.path)
		case "_":
			c.blanks = append(c.blanks, pkg.Path())
		default:
			c.imports[spec.name] = spec.path
		}
	}
}

// collect notes which names the cell declares at top level.
func (c *compilation) collect() {
	for _, stmt := range c.body.List {
		st := &step{stmt: stmt}
		switch x := stmt.(type) {
		case *ast.AssignStmt:
			if x.Tok == token.DEFINE {
				st.define = x
				for _, left := range x.Lhs {
					if id, ok := left.(*ast.Ident); ok && id.Obj != nil && id.Obj.Decl == x {
						c.declareVariable(id)
					}
				}
			}
		case *ast.DeclStmt:
			st.decl = x.Decl.(*ast.GenDecl)
			for _, spec := range st.decl.Specs {
				c.declareSpec(st.decl.Tok, spec)
			}
		}
		c.steps = append(c.steps, st)
	}
	c.placeMagics()
	for _, decl := range c.functionFile.Decls {
		if f, ok := decl.(*ast.FuncDecl); ok {
			c.declareFunction(f)
		}
	}
	for name := range c.hard { // the type itself is declared here: nothing to reopen
		delete(c.reopened, name)
	}
	for name := range c.declared {
		_, isImport := c.imports[name]
		if !c.hard[name] && (c.s.objects[name] != nil || isImport || preludeNames[name] != (preludeName{})) {
			c.fresh[name] = true
		}
	}
}

func (c *compilation) declareVariable(id *ast.Ident) {
	if id.Name == "_" {
		return
	}
	c.declared[id.Name] = true
	if id.Obj != nil {
		c.variables[id.Obj] = id.Name
	}
}

func (c *compilation) declareSpec(tok token.Token, spec ast.Spec) {
	switch spec := spec.(type) {
	case *ast.ValueSpec:
		for _, id := range spec.Names {
			if tok == token.VAR {
				c.declareVariable(id)
			} else {
				c.hard[id.Name] = true
			}
		}
	case *ast.TypeSpec:
		c.hard[spec.Name.Name] = true
	}
}

func (c *compilation) declareFunction(f *ast.FuncDecl) {
	if f.Body == nil {
		d := c.diagnose(f.Name.Pos(), "missing function body")
		if strings.HasPrefix(strings.TrimSpace(c.code[c.s.offset(c.s.fragmentAt(f.Pos()), f.End()):]), "{") {
			d.Hint = slipHint(d.Message, "")
		}
		c.errors = append(c.errors, d)
	}
	if f.Recv == nil {
		c.hard[f.Name.Name] = true
		return
	}
	if len(f.Recv.List) != 1 {
		return // go/types reports it
	}
	base := receiverBase(f.Recv.List[0].Type)
	if c.s.types[base] == nil {
		return
	}
	if _, ok := c.s.objects[base].(*types.TypeName); ok {
		c.reopened[base] = true
	}
	c.overridden[base+"."+f.Name.Name] = true
}

// receiverBase is the type name in a receiver: T of T, *T, T[K], (*T).
func receiverBase(e ast.Expr) string {
	for {
		switch x := e.(type) {
		case *ast.StarExpr:
			e = x.X
		case *ast.ParenExpr:
			e = x.X
		case *ast.IndexExpr:
			e = x.X
		case *ast.IndexListExpr:
			e = x.X
		case *ast.Ident:
			return x.Name
		default:
			return ""
		}
	}
}

// rename gives redeclared variables a name of their own for the check, so that `x := x + 1` has the old x on its right.
// Which identifier means which is go/parser's resolution: it has the sequential scoping of a function body.
func (c *compilation) rename() {
	keys := map[*ast.Ident]bool{} // of struct literals: field names
	for _, file := range []*ast.File{c.bodyFile, c.functionFile} {
		ast.Inspect(file, func(n ast.Node) bool {
			lit, ok := n.(*ast.CompositeLit)
			if !ok {
				return true
			}
			switch lit.Type.(type) {
			case *ast.MapType, *ast.ArrayType:
				return true
			}
			for _, e := range lit.Elts {
				if kv, ok := e.(*ast.KeyValueExpr); ok {
					if id, ok := kv.Key.(*ast.Ident); ok {
						keys[id] = true
					}
				}
			}
			return true
		})
	}
	freshen := func(id *ast.Ident) {
		if !strings.HasSuffix(id.Name, freshMark) {
			id.Name += freshMark
			c.renamed = append(c.renamed, id)
		}
	}
	ast.Inspect(c.bodyFile, func(n ast.Node) bool {
		if id, ok := n.(*ast.Ident); ok && id.Obj != nil && !keys[id] && c.fresh[c.variables[id.Obj]] {
			freshen(id)
		}
		return true
	})
	for _, id := range c.functionFile.Unresolved {
		if c.fresh[id.Name] {
			freshen(id)
		}
	}
}
