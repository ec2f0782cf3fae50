package cell

import (
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"strings"
)

// Exporter turns the cells of a notebook into an ordinary Go program: each cell becomes a function cell1, cell2, …, which
// main calls in order, with the user's text and names. What several cells or functions use becomes a package variable;
// what only one cell uses stays a variable of its function. A variable, function or type that a later cell declares anew
// with another type gets a number behind its name; a function declared again with the same signature becomes a variable
// that the later cell sets, so that older callers see the new one, as in the notebook. A type has all its methods from the
// start, also those that later cells declare.
type Exporter struct {
	s       *Session
	cells   []*exportedCell
	merged  map[owner]owner // a type that got methods later → its first declaration
	things  map[owner]*thing
	order   []*thing
	imports map[string]string // path → name
	taken   map[string]bool   // names that a generated one must not have
	used    map[string]bool   // predeclared names
	show    string            // function that prints a cell's value
	blanks  map[string]bool
	helpers map[string]string // names that the program adds
	rebinds strings.Builder   // body of rebind
	cellOf  map[*types.Func]int
}

// exportedCell is a cell that has been compiled, or text before one.
type exportedCell struct {
	*compilation
	comment string
	number  int
	mayFail bool
}

// thing is what a top-level name of the notebook stands for in the program.
type thing struct {
	owner
	object   types.Object
	name     string // the user's
	goName   string
	global   bool         // of a variable: others than the statements of one cell refer to it
	read     map[int]bool // of a variable: cells in which it is not only assigned
	declared map[int]int  // times that cells declare it
	held     bool         // of a variable: a function literal or a pointer may hold it beyond its cell
	versions []*types.Func
}

// NewExporter makes an exporter with no cells.
func NewExporter(config Config) *Exporter {
	return &Exporter{s: NewSession(config), merged: map[owner]owner{}, things: map[owner]*thing{}, imports: map[string]string{},
		taken: map[string]bool{}, used: map[string]bool{}, blanks: map[string]bool{}, helpers: map[string]string{}, cellOf: map[*types.Func]int{}}
}

// Session is the state of the notebook behind the cells added.
func (x *Exporter) Session() *Session { return x.s }

// Comment adds text of the notebook, which becomes a comment.
func (x *Exporter) Comment(text string) {
	x.cells = append(x.cells, &exportedCell{comment: text})
}

// Add adds a code cell; the error is of type [Errors]. The program goes on behind a cell that may fail (Jupyter's tag
// raises-exception), and has one that does not compile as a comment.
func (x *Exporter) Add(code string, label int, mayFail bool) error {
	err := x.add(code, label, mayFail)
	if mayFail && err != nil {
		x.Comment(fmt.Sprintf("cell[%d] does not compile:\n\n%s", label, code))
		return nil
	}
	return err
}

func (x *Exporter) add(code string, label int, mayFail bool) error {
	s := x.s
	s.mu.Lock()
	defer s.mu.Unlock()
	s.seq++
	c := newCompilation(s, normalize(code), label)
	if list := c.run(); len(list) > 0 {
		return c.finish(list)
	}
	if list := c.refuseMethods(); len(list) > 0 {
		return c.finish(list)
	}
	for _, file := range c.extraFiles {
		for _, decl := range file.Decls {
			if d, ok := decl.(*ast.GenDecl); ok && (d.Tok == token.TYPE || d.Tok == token.CONST) {
				x.merge(c, d)
			}
		}
	}
	for _, k := range c.constants {
		x.mergeName(c, k.Name())
	}
	for _, file := range []*ast.File{c.bodyFile, c.functionFile} { // the plugin's edits have done their work
		c.s.fragmentAt(file.Package).edits = nil
	}
	cell := &exportedCell{compilation: c, number: label, mayFail: mayFail}
	x.cells = append(x.cells, cell)
	x.note(cell)
	c.commit()
	return nil
}

// refuseMethods reports methods that a cell declares a second time: the program has one method of a name.
func (c *compilation) refuseMethods() []Diagnostic {
	var found []Diagnostic
	for _, decl := range c.functionFile.Decls {
		f, ok := decl.(*ast.FuncDecl)
		if !ok || f.Recv == nil {
			continue
		}
		base := receiverBase(f.Recv.List[0].Type)
		if kept := c.s.types[base]; c.reopened[base] && kept != nil {
			if _, again := kept.methods[f.Name.Name]; again {
				d := c.diagnose(f.Name.Pos(), "method "+base+"."+f.Name.Name+" is declared again: a program has one")
				d.Hint = "take out the older one before the notebook is exported"
				found = append(found, d)
			}
		}
	}
	return found
}

func (x *Exporter) merge(c *compilation, d *ast.GenDecl) {
	for _, spec := range d.Specs {
		if spec, ok := spec.(*ast.TypeSpec); ok {
			x.mergeName(c, spec.Name.Name)
		}
	}
}

// mergeName makes a declaration repeated for technical reasons one with the first.
func (x *Exporter) mergeName(c *compilation, name string) {
	if old := c.s.objects[name]; old != nil {
		at := c.s.places[old]
		x.merged[owner{c.seq, mangle(name)}] = x.first(owner{at.cell, at.name})
	}
}

func (x *Exporter) first(o owner) owner {
	if to, ok := x.merged[o]; ok {
		return to
	}
	return o
}

// thingOf is what an object of a cell belongs to, or nil.
func (x *Exporter) thingOf(c *compilation, o types.Object) *thing {
	at, ok := c.placeOf(o)
	if !ok || at.cell == 0 {
		return nil
	}
	key := x.first(owner{at.cell, at.name})
	t := x.things[key]
	if t == nil {
		t = &thing{owner: key, object: o, name: strings.TrimSuffix(o.Name(), freshMark), read: map[int]bool{}, declared: map[int]int{}}
		x.things[key] = t
		x.order = append(x.order, t)
	}
	return t
}

// note looks at who uses what in a cell.
func (x *Exporter) note(cell *exportedCell) {
	c := cell.compilation
	own := map[types.Object]bool{}
	declare := func(id *ast.Ident) {
		o := c.info.Defs[id]
		if o == nil {
			return
		}
		own[o] = true
		if t := x.thingOf(c, o); t != nil {
			t.declared[c.seq]++
		}
	}
	hoisted := map[ast.Node]bool{}
	for _, st := range c.steps {
		switch {
		case st.decl != nil:
			if st.decl.Tok != token.VAR {
				hoisted[st.decl] = true
			}
			for _, spec := range st.decl.Specs {
				switch spec := spec.(type) {
				case *ast.ValueSpec:
					for _, id := range spec.Names {
						declare(id)
					}
				case *ast.TypeSpec:
					declare(spec.Name)
				}
			}
		case st.define != nil:
			for _, left := range st.define.Lhs {
				if id, ok := left.(*ast.Ident); ok {
					declare(id)
				}
			}
		}
	}
	for _, decl := range c.functionFile.Decls {
		if f, ok := decl.(*ast.FuncDecl); ok && f.Recv == nil && f.Name.Name != "init" && f.Name.Name != "_" {
			declare(f.Name)
			if o, ok := c.info.Defs[f.Name].(*types.Func); ok {
				t := x.thingOf(c, o)
				t.versions = append(t.versions, o)
				x.cellOf[o] = c.seq
			}
		}
	}
	written := map[*ast.Ident]bool{}
	hold := func(n ast.Node) {
		ast.Inspect(n, func(n ast.Node) bool {
			if id, ok := n.(*ast.Ident); ok {
				if v, ok := c.info.Uses[id].(*types.Var); ok && !v.IsField() {
					if t := x.thingOf(c, v); t != nil {
						t.held = true
					}
				}
			}
			return true
		})
	}
	var visit func(n ast.Node, inFunction bool)
	visit = func(n ast.Node, inFunction bool) {
		ast.Inspect(n, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.GenDecl:
				if hoisted[n] && !inFunction {
					visit(n, true)
					return false
				}
			case *ast.FuncLit:
				hold(n.Body)
			case *ast.UnaryExpr:
				if n.Op == token.AND {
					hold(n.X)
				}
			case *ast.SliceExpr: // of an array
				hold(n.X)
			case *ast.AssignStmt:
				for _, left := range n.Lhs {
					if id, ok := left.(*ast.Ident); ok && (n.Tok == token.ASSIGN || n.Tok == token.DEFINE) {
						written[id] = true
					}
				}
			case *ast.Ident:
				x.taken[n.Name] = true
				o := c.info.Uses[n]
				if o == nil {
					o = c.info.Defs[n]
				}
				if o == nil {
					return true
				}
				if v, ok := o.(*types.Var); ok && v.IsField() {
					return true
				}
				t := x.thingOf(c, o)
				if t == nil {
					return true
				}
				if inFunction || !own[o] {
					t.global = true
				}
				if c.info.Uses[n] != nil && !written[n] {
					t.read[c.seq] = true
				}
			}
			return true
		})
	}
	visit(c.body, false)
	for _, decl := range c.functionFile.Decls {
		if f, ok := decl.(*ast.FuncDecl); ok {
			visit(f, true)
		}
	}
	if c.pullsForward() { // they are moved, which goes well with package variables
		for o := range own {
			if t := x.thingOf(c, o); t != nil {
				t.global = true
			}
		}
	}
	for _, path := range c.blanks {
		x.blanks[path] = true
	}
}

// pullsForward tells whether a var declaration uses one below it: the statements run in go/types' order then.
func (c *compilation) pullsForward() bool {
	last := -1
	order := c.initOrder()
	for _, st := range c.steps {
		if st.decl == nil || st.decl.Tok != token.VAR {
			continue
		}
		for _, spec := range st.decl.Specs {
			spec := spec.(*ast.ValueSpec)
			if len(spec.Values) == 0 {
				continue
			}
			at, ok := order[c.info.Defs[spec.Names[0]]]
			if ok && at < last {
				return true
			}
			last = max(last, at)
		}
	}
	return false
}

// initOrder gives the variables that var declarations initialise their place in go/types' order.
func (c *compilation) initOrder() map[types.Object]int {
	order := map[types.Object]int{}
	for i, init := range c.info.InitOrder {
		for _, left := range init.Lhs {
			order[left] = i
		}
	}
	return order
}

// isLocal tells whether a variable stays in the function of its cell.
func (t *thing) isLocal() bool {
	if _, isVar := t.object.(*types.Var); !isVar || t.global {
		return false
	}
	if _, isStruct := t.object.Type().Underlying().(*types.Struct); len(t.declared) > 1 && (t.held || isStruct) {
		return false // the cells share it, and a method may hold its address
	}
	for cell := range t.declared {
		if !t.read[cell] { // Go wants a function's variables used
			return false
		}
	}
	return true
}

// declarations counts how often cells declare the thing.
func (t *thing) declarations() (n int) {
	for _, times := range t.declared {
		n += times
	}
	return n
}
