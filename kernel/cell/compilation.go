package cell

import (
	"go/ast"
	"go/token"
	"go/types"
	"strings"

	"gomosaic/kernel/cell/magic"
)

// compilation is one cell on its way; see the package comment for its stages.
type compilation struct {
	s     *Session
	seq   int
	label int
	code  string
	unit  *Unit

	// magics
	goText    string // the cell without them
	magics    []magic.Use
	whole     *magic.Use         // one of kind Code whose Go is the cell's
	setup     int                // steps of the whole magic's first line, which it does not measure
	keptCalls map[token.Pos]bool // calls whose values are kept, if they have any
	sinks     int                // variables that keep such values

	errors []Diagnostic
	unused []token.Pos // declared and not used: tolerated
	cycles []Diagnostic

	implicit map[token.Pos]bool // values of unexported fields of an earlier cell's structs, which go/types does not check

	// split, declare
	parts        parts
	imports      map[string]string // session's and cell's
	imported     map[string]bool   // paths that this cell imports
	missing      map[string]bool   // names of imports that failed
	dots, blanks []string
	bodyFile     *ast.File
	functionFile *ast.File
	extraFiles   []*ast.File // reopened types
	body         *ast.BlockStmt
	steps        []*step
	//lint:ignore SA1019 the parser resolves identifiers with the sequential scoping of a function body: a cell's, exactly
	variables      map[*ast.Object]string // declared at top level of this cell
	declared, hard map[string]bool        // names of variables; of types, constants and functions
	fresh          map[string]bool        // declared names that stand for something else on the right of their :=
	renamed        []*ast.Ident
	assigns        map[*ast.AssignStmt]bool // written as := and meant as =

	// reopen
	reopened   map[string]bool         // types given methods by this cell
	overridden map[string]bool         // T.method declared here
	views      map[string]types.Object // name → the old object that is seen through a new type

	keptImports map[string]string // imports and objects of kept source whose names mean something else by now
	keptObjects []types.Object
	own         map[*ast.Ident]string // the names of identifiers that have another one for the check

	// check
	looking  bool // for what is in scope: nobody reads errors and the types of expressions
	pkg      *types.Package
	info     *types.Info
	show     ast.Expr      // last expression that is not a call
	lastCall *ast.CallExpr // last expression that is one
	listed   []ast.Expr    // the last expressions, where the cell ends with a list of them

	// place, rewrite, emit
	places     map[types.Object]place
	names      map[string]types.Object // what the cell adds to Session.objects
	newVars    []declaration
	functions  []*types.Func  // non-generic functions with a variable of their own
	inits      []string       // generated names of func init
	rebinds    []*types.Func  // functions that replace an earlier one in its variable
	constants  []*types.Const // of a reopened type
	aliases    map[string]string
	embedded   map[string]bool // predeclared types that structs embed
	cells      map[int]bool
	unnameable []string
	uses       map[owner]map[use]string
	kept       map[string]*typeSource
	recurs     map[*types.Func]bool  // functions of this cell that may call themselves
	goLiterals map[*ast.FuncLit]bool // started by go statements
	called     map[*ast.FuncLit]bool // see findCallbacks
	handedOn   map[types.Object]bool
	plain      map[ast.Node]bool // channel operations of selects and the like, which stay as they are
	selected   map[*ast.Ident]bool
	skipped    map[*ast.Ident]bool
	current    owner // function whose body is being rewritten
	self       types.Object

	export *Exporter // names are the exported program's
}

// step is one top-level statement of a cell.
type step struct {
	stmt   ast.Stmt
	define *ast.AssignStmt // :=
	decl   *ast.GenDecl    // var, const, type
	magic  *magic.Use      // the magic that the statement belongs to; stmt is nil if that has no Go
	kept   bool            // an expression that a magic measures: its value must not be optimised away
}

// declaration is a variable that the cell's package declares.
type declaration struct {
	name   string
	object types.Object
}

func newCompilation(s *Session, code string, label int) *compilation {
	return &compilation{
		s: s, seq: s.seq, label: label, code: code, pkg: types.NewPackage(userPackage, userPackage),
		imports: map[string]string{}, imported: map[string]bool{}, missing: map[string]bool{},
		//lint:ignore SA1019 see the field
		variables: map[*ast.Object]string{},
		declared:  map[string]bool{}, hard: map[string]bool{}, fresh: map[string]bool{},
		reopened: map[string]bool{}, overridden: map[string]bool{}, views: map[string]types.Object{},
		assigns: map[*ast.AssignStmt]bool{}, keptImports: map[string]string{}, own: map[*ast.Ident]string{},
		places: map[types.Object]place{}, names: map[string]types.Object{}, aliases: map[string]string{}, embedded: map[string]bool{}, cells: map[int]bool{},
		uses: map[owner]map[use]string{}, kept: map[string]*typeSource{},
		keptCalls:  map[token.Pos]bool{},
		goLiterals: map[*ast.FuncLit]bool{}, plain: map[ast.Node]bool{}, selected: map[*ast.Ident]bool{}, skipped: map[*ast.Ident]bool{},
	}
}

// run takes the cell through all stages; the result is what is wrong with it.
func (c *compilation) run() []Diagnostic {
	if found := c.parseMagics(); len(found) > 0 {
		return found
	}
	c.parts = split(c.goText)
	if found := c.parse(); len(found) > 0 {
		return found
	}
	c.resolveImports()
	if found := c.dropRepeated(); len(found) > 0 {
		return found
	}
	c.collect()
	c.rename()
	c.reopen()
	c.check()
	if len(c.errors) > 0 {
		c.keepImports()
		return c.errors
	}
	c.placeObjects()
	c.recurs = c.recursive()
	c.findCallbacks()
	for _, file := range c.files() {
		c.rewrite(file)
	}
	c.discardUnused()
	c.emit()
	c.unit.Notes = c.notes()
	if len(c.unnameable) > 0 {
		return []Diagnostic{{Cell: c.label, Line: 1, Column: 1,
			Message: "a notebook variable would have the unexported type " + strings.Join(c.unnameable, ", "),
			Hint:    "keep it inside a function, or give the variable an interface type"}}
	}
	c.unit.commit = c.commit
	return nil
}

// drop forgets the fragments of a cell that nothing will refer to.
func (c *compilation) drop() {
	for _, file := range c.files() {
		if file != nil {
			if f := c.s.fset.File(file.FileStart); f != nil {
				delete(c.s.fragments, f)
				c.s.fset.RemoveFile(f)
			}
		}
	}
}

func (c *compilation) parse() []Diagnostic {
	var found []Diagnostic
	var one, two []Diagnostic
	c.bodyFile, _, one = c.s.parse("package main\nfunc _() {\n", c.parts.statements, "\n}\n", c.label, 1)
	c.functionFile, _, two = c.s.parse("package main\n", c.parts.functions, "\n", c.label, 1)
	found = c.diagnoseSyntax(append(c.malformedImports(), append(one, two...)...))
	if len(found) == 0 {
		for _, d := range c.bodyFile.Decls[1:] { // a } too many ends the generated function
			found = append(found, c.diagnose(d.Pos(), "unexpected declaration after unbalanced }"))
		}
	}
	if len(found) == 0 {
		c.body = c.bodyFile.Decls[0].(*ast.FuncDecl).Body
		found = append(c.refuseDirectives(), c.refuseReserved()...)
	}
	return found
}

// malformedImports reports import declarations without a path.
func (c *compilation) malformedImports() []Diagnostic {
	var found []Diagnostic
	for _, t := range c.parts.malformed {
		message := "expected an import path, found " + t.text
		if t.token == token.STRING {
			message = "string literal not terminated"
		} else if t.text == "" {
			message = "expected an import path, found " + t.token.String()
		}
		found = append(found, c.diagnoseAt(t.offset, message))
	}
	return found
}

// refuseDirectives reports compiler directives that a cell cannot honour.
func (c *compilation) refuseDirectives() []Diagnostic {
	var found []Diagnostic
	for _, file := range []*ast.File{c.bodyFile, c.functionFile} {
		for _, group := range file.Comments {
			for _, comment := range group.List {
				if strings.HasPrefix(comment.Text, "//go:embed") || strings.HasPrefix(comment.Text, "//go:linkname") {
					word, _, _ := strings.Cut(comment.Text, " ")
					d := c.diagnose(comment.Pos(), word+" is not possible in a cell: it belongs to files of a package")
					if word == "//go:embed" {
						d.Hint = "read the file when the cell runs: os.ReadFile"
					}
					found = append(found, d)
				}
			}
		}
	}
	return found
}

// refuseReserved reports identifiers with the letters that belong to the rewriter.
func (c *compilation) refuseReserved() []Diagnostic {
	var found []Diagnostic
	for _, file := range []*ast.File{c.bodyFile, c.functionFile} {
		ast.Inspect(file, func(n ast.Node) bool {
			if id, ok := n.(*ast.Ident); ok && strings.ContainsAny(id.Name, reserved+freshMark) {
				found = append(found, c.diagnose(id.Pos(), "this name has a letter (U+A7B6 or U+A7B7) that gomosaic keeps for itself"))
			}
			return true
		})
	}
	return found
}

// diagnose makes an error at a position of the cell.
func (c *compilation) diagnose(p token.Pos, message string) Diagnostic {
	cell, line, column, ok := c.s.locate(p)
	if !ok {
		cell, line, column = c.label, 1, 1
	}
	return Diagnostic{Cell: cell, Line: line, Column: column, Message: message}
}

func (c *compilation) fail(p token.Pos, message string) {
	c.errors = append(c.errors, c.diagnose(p, message))
}

// files are all files that are checked together.
func (c *compilation) files() []*ast.File {
	return append([]*ast.File{c.bodyFile, c.functionFile}, c.extraFiles...)
}

// commit moves what the cell declares into the session.
func (c *compilation) commit() {
	s := c.s
	for object, at := range c.places {
		s.places[object] = at
	}
	for name, object := range c.names {
		s.objects[name] = object
		delete(s.imports, name)
	}
	for name, path := range c.imports {
		if !c.declared[name] && !c.hard[name] {
			s.imports[name] = path
			if c.imported[path] {
				delete(s.objects, name)
			}
		}
	}
	s.dots = c.dots
	for name, source := range c.kept {
		s.types[name] = source
	}
	for who, what := range c.uses {
		s.uses[who] = what
	}
	for _, f := range c.rebinds {
		at := c.places[f]
		key := owner{at.cell, at.name}
		s.bound[key] = append(s.bound[key], c.seq)
	}
	if !c.unit.Empty() {
		s.units[c.seq] = c.unit
	}
}

// keepImports keeps the imports of a cell that failed: they are right whatever else is wrong.
func (c *compilation) keepImports() {
	for name, path := range c.imports {
		if !c.declared[name] && !c.hard[name] && c.s.objects[name] == nil {
			c.s.imports[name] = path
		}
	}
}
