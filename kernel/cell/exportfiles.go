package cell

import (
	"fmt"
	"go/format"
	"go/types"
	"slices"
	"strings"

	"gomosaic/mdslib/ship"
)

const (
	reexecPath      = runtimePath + "/reexec"
	distributorPath = "gomosaic/trainlib/distributor"
	distPath        = "gomosaic/trainlib/dist"
	mdslibPath      = "gomosaic/mdslib"
	workerPath      = "gomosaic/mdslib/spark/worker"
)

// exportDrivers are registered by blank import where a program uses the package that they serve.
var exportDrivers = map[string][]string{
	"gomosaic/mdslib":                      append(slices.Clone(drivers["gomosaic/mdslib"]), "gomosaic/mdslib/local/parquet", "gomosaic/mdslib/spark"),
	"gomosaic/streamlib":                   drivers["gomosaic/streamlib"],
	"gomosaic/trainlib/checkpoint":         drivers["gomosaic/trainlib/checkpoint"],
	"github.com/apache/arrow/go/v17/arrow": {"gomosaic/display/arrowtable"},
}

// Files are the program's Go files: main.go with the cells, and what cells know without an import in prelude.go. title says
// where the program comes from. It is called once, after the last cell.
func (x *Exporter) Files(title string) (map[string][]byte, error) {
	x.s.mu.Lock()
	defer x.s.mu.Unlock()
	for _, name := range []string{"ctx", "check", "check1"} {
		x.used[name] = x.preludeUsed(name)
	}
	x.used["check"] = x.used["check"] || x.used["check1"]
	x.importNames()
	x.nameThings()
	var body strings.Builder
	var functions []string
	for _, cell := range x.cells {
		if cell.compilation == nil {
			body.WriteString(asComment(cell.comment) + "\n")
			continue
		}
		w := x.export(cell)
		run := w.bind() + w.run.String()
		body.WriteString(w.variableDecls() + w.top.String())
		if strings.TrimSpace(run) == "" {
			continue
		}
		name := x.fresh(fmt.Sprintf("cell%d", cell.number))
		if cell.mayFail {
			functions = append(functions, x.helper("attempt")+"("+name+")")
		} else {
			functions = append(functions, name)
		}
		fmt.Fprintf(&body, "func %s() {\n%s\n}\n\n", name, strings.Trim(run, " \t\n"))
		for _, u := range cell.unnameable {
			return nil, fmt.Errorf("cell[%d]: a variable that functions or other cells use has the unexported type %s", cell.number, u)
		}
	}
	main := x.mainFunction(functions)
	var b strings.Builder
	fmt.Fprintf(&b, "// %s\npackage main\n\n%s\n%s\n%s", title, x.importDecls(), body.String(), main)
	text, err := format.Source([]byte(b.String()))
	if err != nil {
		return nil, fmt.Errorf("the exported program does not parse, which is a bug: %w\n%s", err, b.String())
	}
	files := map[string][]byte{"main.go": text}
	if prelude := x.preludeFile(); prelude != "" {
		if files["prelude.go"], err = format.Source([]byte(prelude)); err != nil {
			return nil, err
		}
	}
	return files, nil
}

// asComment makes the notebook's text a comment.
func asComment(text string) string {
	var b strings.Builder
	for line := range strings.Lines(strings.TrimSpace(text) + "\n") {
		b.WriteString(strings.TrimRight("// "+strings.TrimRight(line, "\n"), " ") + "\n")
	}
	return b.String()
}

// variableDecls declares the package variables that begin with the cell, those of functions with several versions among
// them.
func (w *bodyWriter) variableDecls() string {
	var b, functions strings.Builder
	x, c := w.x, w.c
	count := 0
	for _, t := range x.order {
		if t.cell != c.seq {
			continue
		}
		switch o := t.object.(type) {
		case *types.Var:
			if !t.isLocal() {
				fmt.Fprintf(&b, "\t%s %s\n", t.goName, c.typeText(o.Type()))
				count++
			}
		case *types.Func:
			if len(t.versions) > 1 {
				fmt.Fprintf(&functions, "var %s func%s // a later cell sets it again\n\nfunc init() { %s = %s }\n\n", t.goName, c.signatureText(o.Signature()), t.goName, x.numbered(t, 1))
			}
		}
	}
	switch count {
	case 0:
		return functions.String()
	case 1:
		return "var " + b.String() + "\n" + functions.String()
	}
	return "var (\n" + b.String() + ")\n\n" + functions.String()
}

// bind sets the functions that the cell declares again. Where some may run in other processes, it leaves word up to which cell
// that was done.
func (w *bodyWriter) bind() string {
	x := w.x
	var b strings.Builder
	for _, f := range w.c.rebinds {
		if t := x.thingOf(w.c, f); t != nil {
			fmt.Fprintf(&b, "\t%s = %s\n", t.goName, x.versionName(t, f))
		}
	}
	if b.Len() > 0 && len(x.travellers()) > 0 {
		fmt.Fprintf(&x.rebinds, "\tif %s >= %d {\n%s\t}\n", x.boundName(), w.c.label, b.String())
		return fmt.Sprintf("\t%s = %d\n\t%s()\n", x.boundName(), w.c.label, x.rebindName())
	}
	return b.String()
}

// helper is the name of a function or variable that the program adds, chosen once.
func (x *Exporter) helper(name string) string {
	if x.helpers[name] == "" {
		x.helpers[name] = x.fresh(name)
	}
	return x.helpers[name]
}

func (x *Exporter) boundName() string  { return x.helper("bound") }
func (x *Exporter) rebindName() string { return x.helper("rebind") }

// mainFunction calls the cells; what displays still have to say is said after each. In a process that was started for it, on this
// machine or another, it runs a function of the notebook instead.
func (x *Exporter) mainFunction(cells []string) string {
	var b strings.Builder
	if x.rebinds.Len() > 0 {
		fmt.Fprintf(&b, "// %[1]s is the last cell that declared functions again.\nvar %[1]s int\n\n// %[2]s sets the functions that cells up to %[1]s declared again.\nfunc %[2]s() {\n%[3]s}\n\n",
			x.boundName(), x.rebindName(), x.rebinds.String())
	}
	b.WriteString("func main() {\n")
	if x.mayFail() {
		fmt.Fprintf(&b, "\tdefer %s()\n", x.helper("report"))
	}
	if travellers := x.travellers(); len(travellers) > 0 {
		reexec := x.importName(reexecPath)
		fmt.Fprintf(&b, "\tdefer %s.Main( // other processes run one of these: ranks of a job, tasks of Spark\n", reexec)
		for _, r := range travellers {
			run := fmt.Sprintf("%s.%s(%s)", x.importName(r.entry.Package), r.entry.Func, r.name)
			if x.rebinds.Len() > 0 {
				r.variables = append(r.variables, x.boundName())
				run = x.rebindName() + "(); " + run
			}
			fmt.Fprintf(&b, "\t\t%s.Function{Func: %s, Run: func() { %s }", reexec, r.name, run)
			if len(r.variables) > 0 {
				fmt.Fprintf(&b, ", Variables: map[string]any{\n")
				for _, v := range r.variables {
					fmt.Fprintf(&b, "\t\t\t%q: &%s,\n", v, v)
				}
				b.WriteString("\t\t}")
			}
			if len(r.types) > 0 {
				fmt.Fprintf(&b, ", Types: []any{%s}", strings.Join(r.types, ", "))
			}
			b.WriteString("},\n")
		}
		b.WriteString("\t)()\n")
	}
	fmt.Fprintf(&b, "\tfor _, cell := range []func(){%s} {\n\t\tcell()\n", strings.Join(cells, ", "))
	if x.imports[displayPath] != "" {
		fmt.Fprintf(&b, "\t\t%s.EndCell(nil)\n", x.importName(displayPath))
	}
	b.WriteString("\t}\n}\n")
	return b.String()
}

// traveller is a function of the notebook that other processes may run.
type traveller struct {
	name      string
	entry     ship.Entry // what calls it there
	variables []string   // package variables that it reaches
	types     []string   // values of the notebook's types, which may lie in interfaces among the variables
}

// travellers are the functions that distributor.Run, Map and UDFIterable take, told by their types, with all versions.
func (x *Exporter) travellers() []traveller {
	var all []traveller
	for _, t := range x.order {
		f, ok := t.object.(*types.Func)
		if !ok {
			continue
		}
		if entry, ok := entryOf(f.Signature()); ok && (entry.Package != workerPath || x.imports[mdslibPath] != "") {
			for _, v := range t.versions {
				all = append(all, x.traveller(t, v, entry))
			}
		}
	}
	return all
}

// reached are the variables that a function reaches, whichever versions of others are in force.
func (x *Exporter) reached(from owner) []Captured {
	bound := x.s.bound
	defer func() { x.s.bound = bound }()
	all := x.s.reach(from).variables
	for _, cells := range bound {
		for _, until := range cells {
			x.s.bound = map[owner][]int{}
			for f, cells := range bound {
				for _, n := range cells {
					if n < until {
						x.s.bound[f] = append(x.s.bound[f], n)
					}
				}
			}
			all = append(all, x.s.reach(from).variables...)
		}
	}
	return all
}

func (x *Exporter) traveller(t *thing, v *types.Func, entry ship.Entry) traveller {
	r := traveller{name: x.versionName(t, v), entry: entry}
	seen, inInterfaces := map[string]bool{}, false
	for _, captured := range x.reached(owner{x.cellOf[v], implementation(t.name)}) {
		c := x.things[x.first(owner{captured.Cell, captured.Key})]
		if c == nil || seen[c.goName] {
			continue
		}
		seen[c.goName] = true
		r.variables = append(r.variables, c.goName)
		visitType(c.object.Type(), func(t types.Type) bool {
			inInterfaces = inInterfaces || types.IsInterface(t)
			return !inInterfaces
		})
	}
	slices.Sort(r.variables)
	for _, c := range x.order {
		if name, ok := c.object.(*types.TypeName); ok && inInterfaces && !types.IsInterface(name.Type()) {
			if n, ok := name.Type().(*types.Named); ok && n.TypeParams().Len() == 0 {
				r.types = append(r.types, "*new("+c.goName+")")
			}
		}
	}
	return r
}

// entryOf tells by a function's type what calls it in another process.
func entryOf(sig *types.Signature) (entry ship.Entry, ok bool) {
	is := func(t types.Type, path, name string) bool {
		n, ok := types.Unalias(t).(*types.Named)
		return ok && n.Obj().Pkg() != nil && n.Obj().Pkg().Path() == path && n.Obj().Name() == name
	}
	isError := func(t types.Type) bool { return types.Identical(t, types.Universe.Lookup("error").Type()) }
	row := func(t types.Type) bool { // mdslib.Sample
		m, ok := t.Underlying().(*types.Map)
		return ok && types.Identical(m.Key(), types.Typ[types.String]) && types.Identical(m.Elem(), types.Universe.Lookup("any").Type())
	}
	rows := func(t types.Type) bool { // iter.Seq2[mdslib.Sample, error]
		n, ok := types.Unalias(t).(*types.Named)
		return ok && is(t, "iter", "Seq2") && row(n.TypeArgs().At(0)) && isError(n.TypeArgs().At(1))
	}
	in, out := sig.Params(), sig.Results()
	switch {
	case sig.TypeParams().Len() > 0 || sig.Variadic():
	case in.Len() == 2 && out.Len() == 2 && is(in.At(0).Type(), "context", "Context") && is(in.At(1).Type(), distPath, "World") && isError(out.At(1).Type()):
		return ship.Entry{Package: distributorPath, Func: "RankMain"}, true
	case in.Len() == 1 && out.Len() == 2 && row(in.At(0).Type()) && row(out.At(0).Type()) && isError(out.At(1).Type()):
		return ship.Entry{Package: workerPath, Func: "Map"}, true
	case in.Len() == 1 && out.Len() == 1 && rows(in.At(0).Type()) && rows(out.At(0).Type()):
		return ship.Entry{Package: workerPath, Func: "Iterate"}, true
	}
	return ship.Entry{}, false
}

// importDecls imports what the program uses, and the drivers of what it uses.
func (x *Exporter) importDecls() string {
	var b strings.Builder
	b.WriteString("import (\n")
	blank := map[string]bool{}
	for path := range x.blanks {
		blank[path] = true
	}
	for _, path := range sortedKeys(x.imports) {
		name := x.imports[path]
		pkg, err := x.s.importer.Import(path)
		if err == nil && pkg.Name() == name {
			fmt.Fprintf(&b, "\t%q\n", path)
		} else {
			fmt.Fprintf(&b, "\t%s %q\n", name, path)
		}
		for _, driver := range exportDrivers[path] {
			blank[driver] = true
		}
	}
	b.WriteString("\n")
	for _, path := range sortedKeys(blank) {
		if x.imports[path] == "" {
			fmt.Fprintf(&b, "\t_ %q\n", path)
		}
	}
	b.WriteString(")\n")
	return b.String()
}

// mayFail: the program has an end by an error.
func (x *Exporter) mayFail() bool { return x.used["check"] || x.show != "" }

// preludeFile is the source of what cells know without an import, as far as they use it.
func (x *Exporter) preludeFile() string {
	var imports []string
	var b strings.Builder
	if x.used["ctx"] {
		imports = append(imports, "context", "os", "os/signal", "syscall")
		fmt.Fprintf(&b, `
// ctx ends when the program gets SIGINT or SIGTERM; the second one ends the program.
var ctx, %[1]s = signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)

func init() { context.AfterFunc(ctx, %[1]s) }
`, x.helper("stop"))
	}
	if x.mayFail() {
		imports = append(imports, "fmt", "os")
		fmt.Fprintf(&b, `
// %[1]s is the panic value of an error that ends the program.
type %[1]s struct{ error }

// %[2]s is deferred by main: such an error ends the program without a stack.
func %[2]s() {
	switch v := recover().(type) {
	case nil:
	case %[1]s:
		fmt.Fprintln(os.Stderr, "error:", v.error)
		os.Exit(1)
	default:
		panic(v)
	}
}
`, x.helper("failure"), x.helper("report"))
	}
	if x.used["check"] {
		fmt.Fprintf(&b, `
// check stops the program with err's message, unless err is nil.
func check(err error) {
	if err != nil {
		panic(%s{err})
	}
}
`, x.helper("failure"))
	}
	if x.used["check1"] {
		b.WriteString(`
// check1 is the value of a call that returns one and an error, which it checks.
func check1[T any](value T, err error) T {
	check(err)
	return value
}
`)
	}
	if attempt := x.helpers["attempt"]; attempt != "" {
		imports = append(imports, "fmt", "os")
		fmt.Fprintf(&b, `
// %[1]s makes a cell that may fail one that says so and goes on.
func %[1]s(cell func()) func() {
	return func() {
		defer func() {
			if v := recover(); v != nil {
				fmt.Fprintln(os.Stderr, "error:", v)
			}
		}()
		cell()
	}
}
`, attempt)
	}
	if x.show != "" {
		imports = append(imports, "fmt", displayPath)
		fmt.Fprintf(&b, `
// %[1]s prints the value of a cell's last expression as a notebook shows it in plain text.
func %[1]s(values ...any) {
	d, err := display.RenderResult(values...)
	if err != nil {
		panic(%[2]s{err})
	}
	if text, ok := d.Data[display.MIMETypeText].(string); ok {
		fmt.Println(text)
	}
}
`, x.show, x.helper("failure"))
	}
	if b.Len() == 0 {
		return ""
	}
	slices.Sort(imports)
	var head strings.Builder
	head.WriteString("package main\n\n// What cells of a notebook know without an import.\n\nimport (\n")
	for _, path := range slices.Compact(imports) {
		fmt.Fprintf(&head, "\t%q\n", path)
	}
	return head.String() + ")\n" + b.String()
}
