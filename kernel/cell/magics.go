package cell

import (
	"fmt"
	"go/ast"
	"strconv"
	"strings"

	"gomosaic/kernel/cell/magic"
)

// shellPath is the package behind the magics that run commands.
const shellPath = runtimePath + "/shell"

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
}

// RuntimePackages are the packages of gomosaic that cells import by themselves. The host must link them.
var RuntimePackages = []string{runtimePath, shellPath}

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

// magicSteps writes the steps from i on that belong to one magic, and returns the index behind them.
func (e *emitter) magicSteps(i int) int {
	c, use := e.c, e.c.steps[i].magic
	end := i + 1
	for end < len(c.steps) && c.steps[end].magic == use {
		end++
	}
	_, line, column := c.label, strings.Count(c.code[:use.Offset], "\n")+1, use.Offset-strings.LastIndexByte(c.code[:use.Offset], '\n')
	fmt.Fprintf(&e.run, "//line cell[%d]:%d:%d\n", c.label, line, column)
	f := magicFunctions[use.Name]
	call := c.alias(f.path) + "." + f.name
	var args []string
	switch {
	case use.Name == magic.Shell:
		inner := c.steps[i:end]
		for _, part := range use.Parts {
			switch {
			case !part.IsGo:
				args = append(args, strconv.Quote(part.Text))
			case len(inner) > 0 && inner[0].stmt != nil:
				x := inner[0].stmt.(*ast.ExprStmt)
				args = append(args, c.s.render(x.Pos(), x.End()))
				inner = inner[1:]
			}
		}
	default:
		args = []string{strconv.Quote(use.Args)}
		if use.Whole {
			args = append(args, strconv.Quote(use.Body))
		}
	}
	e.run.WriteString(call + "(" + strings.Join(args, ", ") + ")\n")
	return end
}

// isShellPart tells whether the step is an expression within a shell line.
func (st *step) isShellPart() bool { return st.magic != nil && st.magic.Name == magic.Shell }
