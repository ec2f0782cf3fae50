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
	{Name: "forget", Usage: "%forget name…", Doc: "forget names that cells declared, one that hides a name of Go's too", Kind: Front, Line: true},
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

// elsewhere says what a notebook does here where others have a magic of that name.
func elsewhere(name string) string {
	switch name {
	case "ls", "ll", "cat", "mkdir", "rmdir", "rm", "cp", "mv", "less", "more", "head", "tail", "grep", "find", "man", "pwd", "curl", "git":
		return "!" + name + " runs the command"
	case "sh", "script", "system", "sx":
		return "%%bash runs a script, !command one command"
	case "python", "python3", "perl", "ruby", "node":
		return "%%bash runs a script, also one that calls " + name + "; cells are Go"
	case "html", "HTML", "javascript", "js", "latex", "markdown", "svg", "SVG":
		return "a cell that ends with display." + map[string]string{"html": "HTML", "HTML": "HTML", "javascript": "JavaScript", "js": "JavaScript", "latex": "Latex",
			"markdown": "Markdown", "svg": "SVG", "SVG": "SVG"}[name] + "(`…`) shows it"
	case "matplotlib", "pylab", "plot":
		return "charts need no magic: a cell that ends with a display.Chart, or a chart of go-echarts, shows it"
	case "pip", "conda", "mamba", "go", "goget", "install":
		return "%get path@version adds a module"
	case "run", "exec", "main", "args", "load_ext", "reload_ext", "autoreload", "import":
		return "cells run as they stand; %load file brings a file's text, %use folder packages of yours, and follows their changes"
	case "set_env", "setenv":
		return "%env NAME=value sets a variable"
	case "lsmagic", "magic", "quickref":
		return "%help lists the magics"
	case "who_ls", "xdel", "reset_selective", "remove", "rm_var":
		return "%who lists names, %forget takes some away"
	case "prun", "lprun", "memit", "mprun", "profile":
		return "%timeit and %bench measure; package runtime/pprof profiles"
	case "pinfo", "pinfo2", "pdoc", "psource", "doc":
		return "name? shows a name's documentation, name?? its source"
	case "debug", "pdb", "tb", "xmode":
		return "a panic shows the lines of the cells that led to it"
	case "capture":
		return "_ = f() keeps a value from being shown"
	}
	return ""
}

// nearest is the magic with most letters of name at its beginning and its end, and at least half of them, for hints.
func nearest(name string) string {
	best, most := "", len(name)/2
	for _, m := range catalogue {
		a, b := strings.ToLower(name), strings.ToLower(m.Name)
		shared := 0
		for shared < min(len(a), len(b)) && a[shared] == b[shared] {
			shared++
		}
		a, b = a[shared:], b[shared:]
		for len(a) > 0 && len(b) > 0 && a[len(a)-1] == b[len(b)-1] {
			a, b = a[:len(a)-1], b[:len(b)-1]
			shared++
		}
		if m.Name != Shell && shared > most {
			best, most = m.String(), shared
		}
	}
	return best
}
