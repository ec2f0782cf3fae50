package cell

import (
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"strings"
	"sync"
	"sync/atomic"

	"gomosaic/kernel/cell/magic"
)

// Config is what a [Session] needs to know of the world.
type Config struct {
	Importer types.Importer // export data of packages, for example [Archives.Importer]; with the session's FileSet
	Fset     *token.FileSet // the importer's
	Preloads []Preload
	Seq      int // packages are numbered from Seq+1: a host loads each number once
	// Suggest lists import paths of packages with the given name, best first, for hints; may be nil.
	Suggest func(name string) []string
}

// Session is the state of a notebook: what its cells declared and where that lives. It holds types and source, never
// values. Its methods are safe for concurrent use.
type Session struct {
	published atomic.Pointer[Session] // what Completers see: a copy made by publish

	mu       sync.Mutex
	config   Config
	fset     *token.FileSet
	importer types.Importer
	seq      int // last cell package made

	objects   map[string]types.Object // the user's names now in force
	places    map[types.Object]place
	imports   map[string]string // name → import path
	dots      []string          // dot-imported paths
	types     map[string]*typeSource
	prelude   map[string]types.Object
	fragments map[*token.File]*fragment
	units     map[int]*Unit            // committed cells that made a package
	uses      map[owner]map[use]string // what each function and method refers to, by the user's name
	bound     map[owner][]int          // function variable → cells that rebind it
}

// typeSource is the kept source of a type declared in a cell.
type typeSource struct {
	declaration piece
	methods     map[string]piece
}

// NewSession makes an empty session.
func NewSession(config Config) *Session {
	s := &Session{config: config, fset: config.Fset, importer: config.Importer, seq: config.Seq, fragments: map[*token.File]*fragment{}}
	s.clear()
	s.imports = map[string]string{}
	for _, p := range config.Preloads {
		s.imports[p.Name] = p.Path
	}
	s.publish()
	return s
}

// Seq is the number of the last package made.
func (s *Session) Seq() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.seq
}

func (s *Session) clear() {
	s.objects = map[string]types.Object{}
	s.places = map[types.Object]place{}
	s.types = map[string]*typeSource{}
	s.units = map[int]*Unit{}
	s.uses = map[owner]map[use]string{}
	s.bound = map[owner][]int{}
	s.prelude = nil
}

// Reset forgets all that cells declared, as after the host's death; imports stay in force.
func (s *Session) Reset() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.clear()
	s.fragments = map[*token.File]*fragment{}
	for _, p := range s.config.Preloads { // a name that a variable had taken means the package again
		if s.imports[p.Name] == "" {
			s.imports[p.Name] = p.Path
		}
	}
	s.publish()
}

// Forget takes names out of the session, as if no cell had declared them: what they hid is seen again, and functions that
// refer to them go on with them. It takes all of the names or, with an error, none.
func (s *Session) Forget(names ...string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, name := range names {
		if s.objects[name] == nil {
			return fmt.Errorf("no cell declared %s", name)
		}
	}
	for _, name := range names {
		delete(s.objects, name)
		for _, p := range s.config.Preloads {
			if p.Name == name {
				s.imports[name] = p.Path
			}
		}
	}
	s.publish()
	return nil
}

// Unit is a cell as a Go package. It is part of its session only after Commit.
type Unit struct {
	Seq     int    // number of the package: nb/c<Seq>
	Label   int    // number of the cell in messages
	Source  string // Go source of the package; empty if the cell asks for nothing but imports
	Loader  string // a second file, of the plugin only: it makes the package known to the host as it is loaded
	Imports []string
	Cells   []int    // packages of earlier cells that it imports
	Notes   []string // what the user should know before the cell runs

	code   string // the cell
	commit func()
}

// Path is the unit's import path.
func (u *Unit) Path() string { return cellPath(u.Seq) }

// Empty tells that there is nothing to build and to run.
func (u *Unit) Empty() bool { return u.Source == "" }

// Compile checks and rewrites one cell. label is its number in messages. The error is of type [Errors] where it is the
// user's; the session changes only by [Session.Commit].
func (s *Session) Compile(code string, label int) (*Unit, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.seq++
	c := newCompilation(s, normalize(code), label)
	if list := c.run(); len(list) > 0 {
		c.drop()
		s.publish() // its imports are kept
		return nil, c.finish(list)
	}
	return c.unit, nil
}

// Commit makes a compiled cell part of the session, once its package has been loaded.
func (s *Session) Commit(u *Unit) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if u.commit != nil {
		u.commit()
		u.commit = nil
		s.publish()
	}
}

// SourceLine is the line of a cell that a place in a message stands for, "cell[3]:7"; empty if it is not known.
func (s *Session) SourceLine(place string) string {
	var label, line int
	if _, err := fmt.Sscanf(place, "cell[%d]:%d", &label, &line); err != nil {
		return ""
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	var found *Unit
	for _, u := range s.units { // what is evaluated beside a cell (user_expressions) has its label and comes after it
		if u.Label == label && (found == nil || u.Seq < found.Seq) {
			found = u
		}
	}
	if found == nil {
		return ""
	}
	lines := strings.Split(found.code, "\n")
	if line < 1 || line > len(lines) {
		return ""
	}
	return lines[line-1]
}

// normalize takes off a byte order mark and makes line ends \n.
func normalize(code string) string {
	return strings.ReplaceAll(strings.TrimPrefix(code, "\ufeff"), "\r\n", "\n")
}

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
	called     map[*ast.FuncLit]bool // see onlyCalled
	plain      map[ast.Node]bool     // channel operations of selects and the like, which stay as they are
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
	c.called = c.onlyCalled()
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
