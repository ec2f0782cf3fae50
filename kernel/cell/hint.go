package cell

import (
	"cmp"
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"regexp"
	"slices"
	"strings"
)

// advice is what helps against one kind of type error: pattern is go/types' message, advise makes the hint of it.
type advice struct {
	pattern *regexp.Regexp
	advise  func(c *compilation, at token.Pos, m []string) string
}

// advices are looked through in their order; the first hint that is not empty counts.
var advices = []advice{
	{regexp.MustCompile(`cannot call (\w+) \(variable of type|^(\w+) \(package-level variable\) is not a type|^(\w+) is not a type$`), (*compilation).adviseBuiltin},
	{regexp.MustCompile(`^undefined: (\w+)\.(\w+)(?: \(but have (\w+)\))?$`), (*compilation).adviseMember},
	{regexp.MustCompile(`^undefined: (\S+)$`), (*compilation).adviseUndefined},
	{regexp.MustCompile(`^(\S+)\.(\S+) undefined \(type`), (*compilation).adviseHidden},
	{regexp.MustCompile(`^(\S+)\.(\S+) undefined \(type .* (?:field or method|method or field) \S+, but does have (?:field|method) (\w+)\)`), (*compilation).adviseMember},
	{regexp.MustCompile(`^(.+)\.(\S+) undefined \(type`), (*compilation).adviseSelector},
	{regexp.MustCompile(`^name \S+ not exported by package`), always("names that begin with a small letter are private to their package")},
	{regexp.MustCompile(`^multiple-value (.*) \(value of type (\(.*\))\) in single-value context`), (*compilation).adviseResults},
	{regexp.MustCompile(`^assignment mismatch: 1 variable but (.*) returns (2) values`), (*compilation).adviseResults},
	{regexp.MustCompile(`mismatched types ((?:untyped )?\S+) and ((?:untyped )?\S+)\)`), (*compilation).adviseOperands},
	{regexp.MustCompile(`^cannot use (.*) \(value of .*method \w+ has pointer receiver`), with("take the address: &%s")},
	{regexp.MustCompile(`^cannot use (.*) \(.* of .*type (\S+)\) as (\S+) value in [^:]*(?:: .*)?$`), (*compilation).adviseConversion},
	{regexp.MustCompile(`^too many return values`), (*compilation).adviseReturn},
	{regexp.MustCompile(`^use of untyped nil in (?:variable declaration|assignment)`), always("nil needs a type: var x *T, or var err error")},
	{regexp.MustCompile(`^(append\((\w+),.*\)) \(value of type .*\) is not used`), (*compilation).adviseAppend},
	{regexp.MustCompile(`^cannot use (.*) \(untyped int constant.*\) as int value.*\(overflows\)$`), with("float64(%s) comes near; package math/big has numbers of any size")},
	{regexp.MustCompile(`index -\d+ \(constant of type int\) must not be negative`), always("indices count from 0: x[len(x)-1] is the last element")},
	{regexp.MustCompile(`is not constant$`), always("a constant is a number, a text or a boolean that the compiler knows: var declares other values")},
	{regexp.MustCompile(`^label (\w+) declared and not used`), (*compilation).adviseLabel},
	{regexp.MustCompile(`^cannot define new methods on non-local type (\S+)`), with("methods belong to types of the notebook: type T %s declares one")},
	{regexp.MustCompile(`^(\S+) \(type\) is not an expression|^use of package (\S+) not in selector|^(\S+) \(built-in\) must be called`), (*compilation).adviseName},
	{regexp.MustCompile(` is not used$`), always("a cell shows its last expression only; fmt.Println prints others")},
	{regexp.MustCompile(`^cannot assign to struct field (\w+)\[.*\]\.\w+ in map`), always("take the value out of the map, change it and put it back, or keep pointers in the map")},
	{regexp.MustCompile(`^non-boolean condition`), always("conditions are bool: compare with 0, \"\" or nil")},
	{regexp.MustCompile(`^no new variables on left side of :=`), always("= assigns to what exists")},
}

func always(hint string) func(*compilation, token.Pos, []string) string {
	return func(*compilation, token.Pos, []string) string { return hint }
}

// with puts the pattern's first group into the hint.
func with(format string) func(*compilation, token.Pos, []string) string {
	return func(_ *compilation, _ token.Pos, m []string) string { return fmt.Sprintf(format, m[1]) }
}

// hint says what to do about the usual slips, or nothing.
func (c *compilation) hint(e types.Error) string {
	message := strings.ReplaceAll(strings.ReplaceAll(e.Msg, freshMark, ""), userPackage+".", "")
	for _, a := range advices {
		if m := a.pattern.FindStringSubmatch(message); m != nil {
			if hint := a.advise(c, e.Pos, m); hint != "" {
				return hint
			}
		}
	}
	return ""
}

func (c *compilation) adviseUndefined(at token.Pos, m []string) string {
	name := m[1]
	after := strings.TrimLeft(c.textFrom(at)[min(len(name), len(c.textFrom(at))):], " \t")
	if m := member.FindStringSubmatch(after); m != nil {
		if paths := c.providers(name, m[1]); len(paths) > 0 {
			return importHint(paths)
		}
	}
	if word := foreignWords[name]; word != "" {
		return "Go says " + word
	}
	if before := c.code[:len(c.code)-len(c.textFrom(at))]; captured.MatchString(before) {
		return "a shell line stands on a line of its own; " + keepOutput
	}
	if near := nearest(name, c.knownNames()); near != "" {
		return "did you mean " + near + "?"
	}
	if m := assigned.FindStringSubmatch(after); m != nil {
		if m[1] != "" {
			return name + m[1] + " := … declares them"
		}
		return name + " := … declares it"
	}
	return ""
}

// member is the selector behind a package's name.
var member = regexp.MustCompile(`^\.\s*(\w+)`)

// providers are the import paths of packages with the given name: those that have the member, else those of the standard
// library, whose member is misspelt. A variable that is missing may have the name of any package.
func (c *compilation) providers(name, member string) []string {
	if c.s.config.Suggest == nil {
		return nil
	}
	var having, standard []string
	for _, path := range c.s.config.Suggest(name) {
		if pkg, err := ready(c.s.importer).Import(path); err == nil && exported(member) && pkg.Scope().Lookup(member) != nil {
			having = append(having, path)
		}
		if first, _, _ := strings.Cut(path, "/"); !strings.Contains(first, ".") && !strings.HasPrefix(path, "gomosaic/") {
			standard = append(standard, path)
		}
	}
	if len(having) > 0 {
		return having
	}
	return standard
}

// assigned is what stands behind the first of the names that a statement sets.
var assigned = regexp.MustCompile(`^((?:,\s*\w+)*)\s*=[^=]`)

// captured is what stands before the first word of a shell line whose output is to go to a variable: out := !ls.
var captured = regexp.MustCompile(`=\s*!$`)

// adviseBuiltin is for a name of Go's own, or of every cell's, that the user has given to a variable.
func (c *compilation) adviseBuiltin(at token.Pos, m []string) string {
	name := cmp.Or(m[1:]...)
	id, ok := find(c, func(id *ast.Ident) bool {
		return id.Pos() <= at && at < id.End()+1 && strings.TrimSuffix(id.Name, freshMark) == name
	})
	if !ok || types.Universe.Lookup(name) == nil && preludeNames[name] == (preludeName{}) {
		return ""
	}
	hides := fmt.Sprintf("the variable %s hides what Go means by %s: give it another name", name, name)
	v := c.info.Uses[id]
	if v == nil || v != c.s.objects[name] {
		return hides
	}
	return fmt.Sprintf("the variable %s of %s hides what Go means by %s: %%forget %s gives that back", name, c.cellOf(c.s.places[v]), name, name)
}

// annotated is a variable with its type behind a colon.
var annotated = regexp.MustCompile(`^\w+\s*:\s*\S+\s*=[^=]`)

// adviseLabel is for `x: int = 5`.
func (c *compilation) adviseLabel(at token.Pos, m []string) string {
	if annotated.MatchString(c.textFrom(at)) {
		return m[1] + " := value declares a variable"
	}
	return ""
}

// adviseName is for a name that is no value.
func (c *compilation) adviseName(_ token.Pos, m []string) string {
	return cmp.Or(m[1:]...) + "? shows what it is"
}

// adviseMember is for a package, variable or type whose member is spelt otherwise.
func (c *compilation) adviseMember(_ token.Pos, m []string) string {
	if m[3] != "" {
		return "did you mean " + m[1] + "." + m[3] + "?"
	}
	path, ok := c.imports[m[1]]
	if !ok {
		return ""
	}
	pkg, err := c.s.importer.Import(path)
	if err != nil {
		return ""
	}
	names := slices.DeleteFunc(pkg.Scope().Names(), func(name string) bool { return !token.IsExported(name) })
	if near := nearest(m[2], names); near != "" {
		return "did you mean " + m[1] + "." + near + "?"
	}
	return ""
}

// adviseHidden is for a variable that hides the package that is meant.
func (c *compilation) adviseHidden(_ token.Pos, m []string) string {
	name := m[1]
	path, isImport := c.s.imports[name]
	if !isImport && c.s.objects[name] != nil {
		if paths := c.providers(name, m[2]); len(paths) > 0 {
			path, isImport = paths[0], true
		}
	}
	_, isVariable := c.s.objects[name].(*types.Var)
	if isImport && (isVariable || c.declared[name]) {
		return fmt.Sprintf("the variable %s hides the package %q: rename the variable, or import the package again", name, path)
	}
	return ""
}

// adviseSelector looks for the field or method that is meant.
func (c *compilation) adviseSelector(at token.Pos, m []string) string {
	x, ok := find(c, func(x *ast.SelectorExpr) bool { return x.Sel.Pos() == at })
	if !ok {
		return ""
	}
	t := c.typeOf(x.X)
	if t == nil {
		return ""
	}
	var names []string
	set := types.NewMethodSet(types.NewPointer(t))
	for i := range set.Len() {
		names = append(names, set.At(i).Obj().Name())
	}
	if p, ok := t.Underlying().(*types.Pointer); ok {
		t = p.Elem()
	}
	if s, ok := t.Underlying().(*types.Struct); ok {
		for i := range s.NumFields() {
			names = append(names, s.Field(i).Name())
		}
	}
	if near := nearest(m[2], names); near != "" {
		return "did you mean " + m[1] + "." + near + "?"
	}
	return foreignMethod(t, m[1], m[2])
}

func (c *compilation) adviseResults(_ token.Pos, m []string) string {
	if strings.Count(m[2], ",") > 1 {
		return "name all results, or _ for those that you do not need"
	}
	if strings.HasSuffix(m[2], "error)") || m[2] == "2" {
		return fmt.Sprintf("value, err := %s takes both; check1(%s) gives the value, or stops the cell with the error", m[1], m[1])
	}
	return fmt.Sprintf("a, b := %s takes both, a, _ := … the first", m[1])
}

// adviseOperands converts one of two operands.
func (c *compilation) adviseOperands(at token.Pos, m []string) string {
	x, ok := find(c, func(x *ast.BinaryExpr) bool {
		return (x.X.Pos() == at || x.OpPos == at) && c.typeName(x.X) == m[1] && c.typeName(x.Y) == m[2]
	})
	if !ok {
		return ""
	}
	left, right := c.typeOf(x.X), c.typeOf(x.Y)
	switch {
	case isNumber(left) && isNumber(right):
		of, to := x.Y, m[1]
		if m[1] == "int" && m[2] != "int" {
			of, to = x.X, m[2]
		}
		return fmt.Sprintf("convert one of them: %s(%s)", to, c.s.source(of.Pos(), of.End()))
	case x.Op == token.MUL && isText(left) && isNumber(right):
		return fmt.Sprintf("strings.Repeat(%s, %s) repeats a text", c.s.source(x.X.Pos(), x.X.End()), c.s.source(x.Y.Pos(), x.Y.End()))
	case isText(left) && isNumber(right):
		return fmt.Sprintf("fmt.Sprint(%s) makes a text of it", c.s.source(x.Y.Pos(), x.Y.End()))
	case isText(right) && isNumber(left):
		return fmt.Sprintf("fmt.Sprint(%s) makes a text of it", c.s.source(x.X.Pos(), x.X.End()))
	}
	return ""
}

// adviseConversion is for a value of one type where another is wanted.
func (c *compilation) adviseConversion(at token.Pos, m []string) string {
	from, to := m[2], m[3]
	if from == to {
		return fmt.Sprintf("%s was declared again: this value has the older type of that name, make it anew", from)
	}
	x, ok := find(c, func(x ast.Expr) bool { return x.Pos() == at && c.typeName(x) == from })
	if !ok || c.info.Types[x].Value != nil {
		return ""
	}
	basic, known := types.Universe.Lookup(to).(*types.TypeName)
	if !known {
		return ""
	}
	switch t := c.info.TypeOf(x); {
	case isNumber(t) && isNumber(basic.Type()):
		return fmt.Sprintf("%s(%s) converts", to, m[1])
	case isNumber(t) && to == "string":
		return fmt.Sprintf("fmt.Sprint(%s) makes a text of it", m[1])
	case from == "string" && to == "int":
		return fmt.Sprintf("strconv.Atoi(%s) reads the number", m[1])
	case from == "string" && to == "float64":
		return fmt.Sprintf("strconv.ParseFloat(%s, 64) reads the number", m[1])
	}
	return ""
}

func (c *compilation) adviseReturn(at token.Pos, _ []string) string {
	if c.bodyFile.FileStart <= at && at < c.bodyFile.FileEnd && !insideLiteral(c.bodyFile, at) {
		return "a cell returns nothing: its last expression is shown"
	}
	return ""
}

func (c *compilation) adviseAppend(_ token.Pos, m []string) string {
	return m[2] + " = " + m[1] + " keeps the result"
}

// textFrom is the cell's text from a position on.
func (c *compilation) textFrom(at token.Pos) string {
	f := c.s.fragmentAt(at)
	if f == nil {
		return ""
	}
	return f.text[c.s.offset(f, at):]
}

// typeOf is an expression's type. The checker gives none to literals of what it refuses.
func (c *compilation) typeOf(x ast.Expr) types.Type {
	if t := c.info.TypeOf(x); t != nil {
		return t
	}
	if lit, ok := x.(*ast.BasicLit); ok {
		switch lit.Kind {
		case token.STRING:
			return types.Typ[types.UntypedString]
		case token.INT:
			return types.Typ[types.UntypedInt]
		case token.FLOAT:
			return types.Typ[types.UntypedFloat]
		}
	}
	return nil
}

// typeName is an expression's type as messages have it.
func (c *compilation) typeName(x ast.Expr) string {
	t := c.typeOf(x)
	if t == nil {
		return ""
	}
	return types.TypeString(t, func(p *types.Package) string {
		if fromCell(p) {
			return ""
		}
		return p.Name()
	})
}

func isText(t types.Type) bool {
	b, ok := t.Underlying().(*types.Basic)
	return ok && b.Info()&types.IsString != 0
}

func isNumber(t types.Type) bool {
	b, ok := t.Underlying().(*types.Basic)
	return ok && b.Info()&types.IsNumeric != 0
}

// find is the first node of the cell that is meant.
func find[N ast.Node](c *compilation, meant func(N) bool) (found N, ok bool) {
	for _, file := range []*ast.File{c.bodyFile, c.functionFile} {
		for _, decl := range file.Decls {
			ast.Inspect(decl, func(n ast.Node) bool {
				if x, is := n.(N); is && !ok && meant(x) {
					found, ok = x, true
				}
				return !ok
			})
		}
	}
	return found, ok
}

// adviseImport helps with a path that cannot be imported: a package's name instead of its path, a module that is not
// there yet, a folder of the user's, cgo.
func (c *compilation) adviseImport(path string, err error) string {
	if path == "C" {
		return "put C code into a package of its own, which cells can import"
	}
	if !strings.Contains(path, "/") && c.s.config.Suggest != nil {
		if paths := c.s.config.Suggest(path); len(paths) > 0 {
			return importHint(paths)
		}
	}
	if !strings.Contains(err.Error(), notThere) {
		return ""
	}
	first, _, _ := strings.Cut(path, "/")
	if strings.Contains(first, ".") {
		return "%get " + path
	}
	return "a folder of yours becomes importable by %use ./" + first
}

func importHint(paths []string) string {
	quoted := make([]string, min(len(paths), 3))
	for i := range quoted {
		quoted[i] = fmt.Sprintf("import %q", paths[i])
	}
	return strings.Join(quoted, " or ")
}
