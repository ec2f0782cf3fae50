package magic

import "strings"

// Kind tells where a magic is carried out.
type Kind int

const (
	Front Kind = iota // by the front, before the cell's Go is compiled
	Call              // in its place among the statements, with its text as arguments
	Code              // in its place, around Go: the rest of the line, or all of the cell
)

// Shell is the name of the magic of shell lines, `!command` and `$ command`.
const Shell = "!"

// Magic describes a magic: to the parser, to completion and to %help.
type Magic struct {
	Name  string // without %
	Usage string // as users write it
	Doc   string // one line
	Kind  Kind
	Line  bool   // %name is possible
	Cell  bool   // %%name is possible
	Bare  bool   // it may stand without arguments, a Code magic without Go
	Flags string // letters of the options before Go that take a number: "nr" for -n 10 -r 3
}

// String is the magic as users write its name: %cd, %%bash, !.
func (m Magic) String() string {
	switch {
	case m.Name == Shell:
		return Shell
	case !m.Line:
		return "%%" + m.Name
	}
	return "%" + m.Name
}

// takesNothing tells that the magic has no arguments.
func (m Magic) takesNothing() bool { return m.Usage == m.String() }

// All lists the magics in the order of %help. The caller must not change the list.
func All() []Magic { return catalogue }

// catalogue is all magics. Each Front magic has a handler in kernel/host, each other one its Go in kernel/cell; tests compare.
var catalogue = []Magic{
	{Name: "help", Usage: "%help", Doc: "this list", Kind: Front, Line: true, Bare: true},

	{Name: "who", Usage: "%who", Doc: "names that the notebook's cells declared", Kind: Front, Line: true, Bare: true},
	{Name: "whos", Usage: "%whos", Doc: "variables with their types, sizes and values", Kind: Call, Line: true, Bare: true},
	{Name: "history", Usage: "%history [-n] [cells]", Doc: "the cells that were run: all, 3 or 2-5; -n with their numbers", Kind: Front, Line: true, Bare: true},
	{Name: "load", Usage: "%load file, or %load cells", Doc: "put a file's text, or earlier cells, in the place of this cell", Kind: Front, Line: true},
	{Name: "reset", Usage: "%reset [-f]", Doc: "forget all that cells declared: a fresh process; imports stay in force; -f is accepted, as in IPython", Kind: Front, Line: true, Bare: true},

	{Name: "get", Usage: "%get [--restart] path[@version]…", Doc: "require modules, as go get does; --restart: in a fresh process, if need be, built with them", Kind: Front, Line: true},
	{Name: "use", Usage: "%use folder [path]", Doc: "make the packages in a folder importable, and follow its changes", Kind: Front, Line: true},

	{Name: Shell, Usage: "!command, or $ command", Doc: "run a shell command; {name} and other Go expressions in braces are replaced by their values; an exit status that is not 0 fails the cell (add || true to go on)", Kind: Call, Line: true},
	{Name: "bash", Usage: "%%bash [options of bash]", Doc: "run the cell as a bash script", Kind: Call, Cell: true, Bare: true},
	{Name: "cd", Usage: "%cd [folder]", Doc: "change the working directory; %cd - goes back, %cd alone home", Kind: Call, Line: true, Bare: true},
	{Name: "env", Usage: "%env [NAME | NAME=value]", Doc: "list environment variables, show one, set one; GOPROXY, GOPRIVATE and the like hold for %get too", Kind: Call, Line: true, Bare: true},
	{Name: "writefile", Usage: "%%writefile [-a] file", Doc: "write the cell to a file; -a appends", Kind: Call, Cell: true},

	{Name: "time", Usage: "%time code", Doc: "run Go once and print the time that it took; %%time for the whole cell", Kind: Code, Line: true, Cell: true},
	{Name: "timeit", Usage: "%timeit [-n loops] [-r runs] code", Doc: "run Go many times and print the mean time; %%timeit for the whole cell, whose first line is run once, untimed", Kind: Code, Line: true, Cell: true, Flags: "nr"},
	{Name: "bench", Usage: "%bench [-n loops] code", Doc: "as timeit, in the words of go test -bench; without code it runs the notebook's Benchmark functions", Kind: Code, Line: true, Cell: true, Bare: true, Flags: "n"},
	{Name: "test", Usage: "%test [pattern] [flags of go test]", Doc: "run the notebook's Test functions, with -bench pattern the Benchmark functions too", Kind: Call, Line: true, Bare: true},

	{Name: "go111module", Usage: "%go111module on|off", Doc: "accepted for gophernotes' notebooks; modules are always on", Kind: Call, Line: true},
}

// find looks a magic up by its name.
func find(name string) (Magic, bool) {
	for _, m := range catalogue {
		if m.Name == name {
			return m, true
		}
	}
	return Magic{}, false
}

// nearest is a magic whose name begins as the given one or the other way round, for hints.
func nearest(name string) string {
	for _, m := range catalogue {
		if m.Name != Shell && name != "" && (strings.HasPrefix(m.Name, name) || strings.HasPrefix(name, m.Name) || strings.EqualFold(m.Name, name)) {
			return m.String()
		}
	}
	return ""
}
