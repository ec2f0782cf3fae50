package cell

import (
	"fmt"
	"go/ast"
	"go/types"
	"maps"
	"slices"
	"strconv"
	"strings"

	"gomosaic/kernel/cell/magic"
)

const (
	shellPath   = runtimePath + "/shell"   // behind the magics that run commands
	measurePath = runtimePath + "/measure" // behind those that take times
	gotestPath  = runtimePath + "/gotest"  // guards the tests of cells
)

// magicFunctions are what the magics become: calls of these functions, among the cell's statements. A shell line passes
// its parts; a magic of kind Call its arguments as one string and, if it is the whole cell's, the cell as another; one
// of kind Code its options and a function of its Go.
var magicFunctions = map[string]preludeName{
	magic.Shell:   {shellPath, "Run"},
	"bash":        {shellPath, "Bash"},
	"cd":          {shellPath, "Cd"},
	"env":         {shellPath, "Env"},
	"writefile":   {shellPath, "WriteFile"},
	"go111module": {shellPath, "GO111Module"},
	"time":        {measurePath, "Time"},
	"timeit":      {measurePath, "Timeit"},
	"bench":       {measurePath, "Bench"},
	"test":        {runtimePath, "Test"},
	"whos":        {runtimePath, "Whos"},
}

// RuntimePackages are the packages of gomosaic that cells import by themselves. The host must link them.
var RuntimePackages = []string{runtimePath, shellPath, measurePath, gotestPath}

// Magics are the magics of a cell, for those that are carried out before the cell is compiled. The error is of type
// [Errors]: Compile would report it too.
func (s *Session) Magics(code string, label int) ([]magic.Use, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := newCompilation(s, normalize(code), label)
	if found := c.parseMagics(); len(found) > 0 {
		return nil, c.finish(found)
	}
	return c.magics, nil
}

// MagicError is an error of a magic as the user sees it: at its place in the cell.
func MagicError(code string, label int, use magic.Use, err error) Errors {
	c := &compilation{code: normalize(code), label: label}
	return c.finish([]Diagnostic{c.diagnoseAt(use.Offset, err.Error())})
}

// parseMagics takes the magics out of the cell, whose Go is left in c.goText.
func (c *compilation) parseMagics() []Diagnostic {
	taken, problems := magic.Parse(c.code, c.s.knows)
	c.goText, c.magics = taken.Go, taken.Uses
	var found []Diagnostic
	for _, p := range problems {
		d := c.diagnoseAt(p.Offset, p.Message)
		d.Hint = p.Hint
		found = append(found, d)
	}
	return found
}

// knows tells whether a name means something in the session.
func (s *Session) knows(name string) bool {
	return s.objects[name] != nil || s.imports[name] != "" || preludeNames[name] != (preludeName{})
}

// diagnoseAt makes an error at a byte of the cell.
func (c *compilation) diagnoseAt(offset int, message string) Diagnostic {
	before := c.code[:offset]
	return Diagnostic{Cell: c.label, Line: strings.Count(before, "\n") + 1, Column: offset - strings.LastIndex(before, "\n"), Message: message}
}

// placeMagics puts the magics among the steps, in the order of the text: the steps that a magic's text holds are marked
// with it, and a magic without Go becomes a step of its own.
func (c *compilation) placeMagics() {
	var steps []*step
	rest := c.steps
	take := func(until int, use *magic.Use) (taken bool) {
		for len(rest) > 0 && c.offset(rest[0].stmt) < until {
			rest[0].magic = use
			steps = append(steps, rest[0])
			rest, taken = rest[1:], true
		}
		return taken
	}
	for i := range c.magics {
		use := &c.magics[i]
		switch {
		case use.Kind == magic.Front:
		case use.Kind == magic.Code && use.Whole:
			c.whole = use
			line, _, _ := strings.Cut(c.code[use.Offset:], "\n")
			take(use.Offset+len(line), nil)
			if c.setup = len(steps); len(rest) == 0 && i == len(c.magics)-1 { // all of it is on the first line
				c.setup = 0
			}
		default:
			take(use.Offset, nil)
			if !take(use.End, use) {
				steps = append(steps, &step{magic: use})
			}
		}
	}
	take(len(c.code)+1, nil)
	c.steps = steps
}

// offset is the byte of the cell where a statement of its body starts.
func (c *compilation) offset(stmt ast.Stmt) int {
	return c.s.offset(c.s.fragmentAt(stmt.Pos()), stmt.Pos())
}

// isShellPart tells whether the step is an expression within a shell line.
func (st *step) isShellPart() bool { return st.magic != nil && st.magic.Name == magic.Shell }

// isKept tells whether step i, an expression, is measured and its value kept for no other reason.
func (c *compilation) isKept(st *step, i int) bool {
	use := st.magic
	if use == nil && i >= c.setup {
		use = c.whole
	}
	return use != nil && use.Kind == magic.Code && (use.Name != "time" || !use.Whole && i != len(c.steps)-1)
}

// write writes steps; those of a magic stand next to each other.
func (e *emitter) write(steps []*step) {
	for len(steps) > 0 {
		use := steps[0].magic
		if steps[0].decl == nil || use != nil {
			e.runInits()
		}
		if use == nil {
			e.step(steps[0])
			steps = steps[1:]
			continue
		}
		n := 1
		for n < len(steps) && steps[n].magic == use {
			n++
		}
		e.magic(use, steps[:n])
		steps = steps[n:]
	}
}

// magic writes what a magic becomes; steps are its Go.
func (e *emitter) magic(use *magic.Use, steps []*step) {
	if use.Kind == magic.Code && use.Args != "" {
		e.openMagic(use)
		for _, st := range steps {
			e.step(st)
		}
		e.closeMagic(use)
		return
	}
	var args []string
	name := use.Name
	switch name {
	case magic.Shell:
		args = e.shellParts(use, steps)
	case "bench": // without Go
		name = "test"
		args = append([]string{strconv.Quote("-run ^$ -bench . -benchmem")}, e.testFunctions()...)
	case "test":
		args = append([]string{strconv.Quote(use.Args)}, e.testFunctions()...)
	case "whos":
		args = []string{e.sessionVariables()}
	default:
		args = []string{strconv.Quote(use.Args)}
		if use.Whole {
			args = append(args, strconv.Quote(use.Body))
		}
	}
	e.magicLine(use)
	e.run.WriteString(e.magicFunction(name) + "(" + strings.Join(args, ", ") + ")\n")
}

func (e *emitter) magicFunction(name string) string {
	f := magicFunctions[name]
	return e.c.alias(f.path) + "." + f.name
}

// magicLine starts text that stands for a magic.
func (e *emitter) magicLine(use *magic.Use) {
	at := e.c.diagnoseAt(use.Offset, "")
	fmt.Fprintf(&e.run, "//line cell[%d]:%d:%d\n", at.Cell, at.Line, at.Column)
}

// openMagic starts the call around the Go of a magic, closeMagic ends it.
func (e *emitter) openMagic(use *magic.Use) {
	e.magicLine(use)
	call := e.magicFunction(use.Name) + "("
	options := fmt.Sprintf("%s.Options{N: %d, R: %d}, func(%sN int) { for range %sN {\n",
		e.c.alias(measurePath), use.Numbers['n'], use.Numbers['r'], reserved, reserved)
	switch use.Name {
	case "time":
		e.run.WriteString(call + "func() {\n")
	case "timeit":
		e.run.WriteString(call + options)
	case "bench":
		name := "/" + use.Args
		if use.Whole {
			name = fmt.Sprintf("/cell[%d]", e.c.label)
		}
		e.run.WriteString(call + strconv.Quote(name) + ", " + options)
	}
}

func (e *emitter) closeMagic(use *magic.Use) {
	if use.Name != "time" {
		e.run.WriteString("}")
	}
	e.run.WriteString("})\n")
	for _, release := range e.keeps { // what was measured may be large
		e.run.WriteString(release + "\n")
	}
	e.keeps = nil
}

// shellParts are the arguments of a shell line.
func (e *emitter) shellParts(use *magic.Use, steps []*step) []string {
	var args []string
	for _, part := range use.Parts {
		if !part.IsGo {
			args = append(args, strconv.Quote(part.Text))
			continue
		}
		x := steps[0].stmt
		args = append(args, e.c.s.render(x.Pos(), x.End()))
		steps = steps[1:]
	}
	return args
}

// keep renders an expression whose value goes to a variable of the package, so that the compiler must compute it.
func (e *emitter) keep(x *ast.ExprStmt) string {
	c := e.c
	text := c.s.render(x.Pos(), x.End())
	tv := c.info.Types[x.X]
	values := []types.Type{tv.Type}
	if tuple, ok := tv.Type.(*types.Tuple); ok {
		values = values[:0]
		for v := range tuple.Variables() {
			values = append(values, v.Type())
		}
	}
	if tv.IsVoid() || len(values) == 0 {
		return text
	}
	targets := make([]string, len(values))
	for i, t := range values {
		unnameable := len(c.unnameable)
		typeText := c.typeText(t)
		if len(c.unnameable) > unnameable {
			c.unnameable = c.unnameable[:unnameable]
			typeText = "any"
		}
		targets[i] = fmt.Sprintf("%sK%d", reserved, c.sinks)
		c.sinks++
		fmt.Fprintf(&e.top, "var %s %s\n", targets[i], typeText)
		e.keeps = append(e.keeps, targets[i]+" = *new("+typeText+")")
	}
	return strings.Join(targets, ", ") + " = " + text
}

// testFunctions are the session's Test and Benchmark functions and this cell's, in the order in which they were written.
func (e *emitter) testFunctions() []string {
	var found []*types.Func
	for _, o := range e.c.inForce() {
		if f, ok := o.(*types.Func); ok && isTest(f) {
			found = append(found, f)
		}
	}
	slices.SortFunc(found, func(a, b *types.Func) int { return int(a.Pos() - b.Pos()) })
	args := make([]string, len(found))
	for i, f := range found {
		args[i] = fmt.Sprintf("%s.Function{%q, %s}", e.c.alias(runtimePath), f.Name(), e.c.reference(f))
	}
	return args
}

// isTest tells whether f is a func TestXxx(*testing.T) or a func BenchmarkXxx(*testing.B).
func isTest(f *types.Func) bool {
	want := ""
	switch {
	case strings.HasPrefix(f.Name(), "Test"):
		want = "func(*testing.T)"
	case strings.HasPrefix(f.Name(), "Benchmark"):
		want = "func(*testing.B)"
	default:
		return false
	}
	params := f.Signature().Params()
	if params.Len() != 1 || f.Signature().Results().Len() > 0 || f.Signature().TypeParams().Len() > 0 {
		return false
	}
	return "func("+types.TypeString(params.At(0).Type(), nil)+")" == want
}

// sessionVariables is the list of the session's variables and this cell's, by name.
func (e *emitter) sessionVariables() string {
	c := e.c
	all := c.inForce()
	var b strings.Builder
	b.WriteString("[]" + c.alias(runtimePath) + ".Variable{")
	for _, name := range sortedKeys(all) {
		v, ok := all[name].(*types.Var)
		at, placed := c.placeOf(all[name])
		if !ok || !placed || at.cell == 0 {
			continue
		}
		text := userQualifier.ReplaceAllString(Demangle(types.TypeString(v.Type(), (*types.Package).Name)), "")
		fmt.Fprintf(&b, "{%q, %q, %d, %q}, ", name, text, at.cell, at.name)
	}
	b.WriteString("}")
	return b.String()
}

// inForce are the user's names once the cell has run.
func (c *compilation) inForce() map[string]types.Object {
	all := maps.Clone(c.s.objects)
	maps.Copy(all, c.names)
	return all
}
