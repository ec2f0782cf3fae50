package cell

import (
	"bytes"
	"context"
	"go/ast"
	"go/build"
	"go/doc"
	"go/doc/comment"
	"go/parser"
	"go/printer"
	"go/token"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
)

// Documentation is what the source of a package says of it, of one of its names, or of a field or method of its types.
type Documentation struct {
	Signature string // its declaration without bodies and unexported fields; empty for packages, constants and variables
	Text      string // what is said, for a terminal
	Markdown  string // the same as Markdown
	Example   string // its first example, with what that prints as a comment
	Source    string // its declaration as it stands in the source
	Link      string // its page on pkg.go.dev, if it has one
}

// docs are the packages whose documentation was asked for last, parsed.
type docs struct {
	mu       sync.Mutex
	packages map[string]*sourcePackage
}

// keptPackages bounds the packages that are kept: their syntax takes some megabytes each.
const keptPackages = 16

// sourcePackage is a parsed package.
type sourcePackage struct {
	path string
	fset *token.FileSet
	doc  *doc.Package
	text map[string][]byte // of its files
}

// Documentation looks for a name of a package, a member of the type of that name, or with no name the package itself.
func (a *Archives) Documentation(path, name, member string) (Documentation, bool) {
	a.docs.mu.Lock()
	defer a.docs.mu.Unlock()
	p := a.docs.packages[path]
	if p == nil {
		folder, follows := a.folder(path)
		if p = readPackage(path, folder); p == nil {
			return Documentation{}, false
		}
		if len(a.docs.packages) >= keptPackages || a.docs.packages == nil {
			a.docs.packages = map[string]*sourcePackage{}
		}
		if !follows {
			a.docs.packages[path] = p
		}
	}
	return p.find(name, member)
}

// folder is where a package's source lies, empty if nobody knows; follows tells that it may change under the session.
func (a *Archives) folder(path string) (folder string, follows bool) {
	a.mu.Lock()
	local, module := a.sources[path], a.module
	a.mu.Unlock()
	if local.dir != "" {
		return local.dir, true
	}
	if standard := filepath.Join(a.tools.Root, "src", filepath.FromSlash(path)); isFolder(standard) {
		return standard, false
	}
	out, err := module.list(context.Background(), "-find", "-f", "{{.Dir}}", path)
	if err != nil {
		return "", false
	}
	return strings.TrimSpace(string(out)), false
}

func isFolder(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}

// readPackage parses a package with the examples of its tests; nil if its source is not there.
func readPackage(path, folder string) *sourcePackage {
	if folder == "" {
		return nil
	}
	listed, err := build.Default.ImportDir(folder, build.ImportComment)
	if err != nil && len(listed.GoFiles) == 0 {
		return nil
	}
	p := &sourcePackage{path: path, fset: token.NewFileSet(), text: map[string][]byte{}}
	var files []*ast.File
	for _, name := range slices.Concat(listed.GoFiles, listed.CgoFiles, listed.TestGoFiles, listed.XTestGoFiles) {
		name = filepath.Join(folder, name)
		text, err := os.ReadFile(name)
		if err != nil || strings.HasSuffix(name, "_test.go") && !bytes.Contains(text, []byte("func Example")) {
			continue
		}
		if f, err := parser.ParseFile(p.fset, name, text, parser.ParseComments); err == nil {
			files = append(files, f)
			p.text[name] = text
		}
	}
	mode := doc.PreserveAST // bodies are wanted as source
	if path == "builtin" {
		mode |= doc.AllDecls // its names begin with small letters
	}
	if p.doc, err = doc.NewFromFiles(p.fset, files, path, mode); err != nil {
		return nil
	}
	return p
}

func (p *sourcePackage) find(name, member string) (Documentation, bool) {
	if name == "" {
		return p.document(nil, p.doc.Doc, p.doc.Examples, ""), true
	}
	functions, values := p.doc.Funcs, slices.Concat(p.doc.Consts, p.doc.Vars)
	for _, t := range p.doc.Types {
		if t.Name == name && member == "" {
			return p.document(t.Decl, t.Doc+methodList(t), t.Examples, name), true
		}
		if t.Name == name {
			for _, m := range t.Methods {
				if m.Name == member {
					return p.document(m.Decl, m.Doc, m.Examples, name+"."+member), true
				}
			}
			return p.field(t, member)
		}
		functions = append(functions, t.Funcs...)
		values = append(values, slices.Concat(t.Consts, t.Vars)...)
	}
	for _, f := range functions {
		if f.Name == name {
			return p.document(f.Decl, f.Doc, f.Examples, name), true
		}
	}
	for _, v := range values {
		if slices.Contains(v.Names, name) {
			found := p.document(v.Decl, p.valueDoc(v, name), nil, name)
			found.Signature = "" // of all names declared together
			return found, true
		}
	}
	return Documentation{}, false
}

// methodList names a type's methods.
func methodList(t *doc.Type) string {
	if len(t.Methods) == 0 {
		return ""
	}
	names := make([]string, len(t.Methods))
	for i, m := range t.Methods {
		names[i] = m.Name
	}
	return "\n\nMethods: " + strings.Join(names, ", ") + "."
}

// valueDoc is what is said of one name of a declaration of constants or variables: at the name, else of all.
func (p *sourcePackage) valueDoc(v *doc.Value, name string) string {
	for _, spec := range v.Decl.Specs {
		if s, ok := spec.(*ast.ValueSpec); ok && slices.ContainsFunc(s.Names, func(id *ast.Ident) bool { return id.Name == name }) {
			if said := s.Doc.Text() + s.Comment.Text(); said != "" {
				return said
			}
		}
	}
	return v.Doc
}

// field documents a field of a struct or a method of an interface.
func (p *sourcePackage) field(t *doc.Type, member string) (Documentation, bool) {
	for _, spec := range t.Decl.Specs {
		s, ok := spec.(*ast.TypeSpec)
		if !ok || s.Name.Name != t.Name {
			continue
		}
		var list *ast.FieldList
		switch x := s.Type.(type) {
		case *ast.StructType:
			list = x.Fields
		case *ast.InterfaceType:
			list = x.Methods
		default:
			continue
		}
		for _, f := range list.List {
			if slices.ContainsFunc(f.Names, func(id *ast.Ident) bool { return id.Name == member }) {
				found := p.document(nil, f.Doc.Text()+f.Comment.Text(), nil, t.Name+"."+member)
				found.Source = p.source(f)
				return found, true
			}
		}
	}
	return Documentation{}, false
}

// document writes down what is known of a declaration, which is nil for a package; anchor is its name on pkg.go.dev.
func (p *sourcePackage) document(decl ast.Decl, text string, examples []*doc.Example, anchor string) Documentation {
	parsed, out := p.doc.Parser().Parse(text), p.doc.Printer()
	out.HeadingID = func(*comment.Heading) string { return "" }
	out.HeadingLevel = 4
	out.DocLinkURL = p.link
	d := Documentation{Text: strings.TrimSpace(string(out.Text(parsed))), Markdown: strings.TrimSpace(string(out.Markdown(parsed))),
		Link: p.link(&comment.DocLink{Name: anchor})}
	if decl != nil {
		d.Source = p.source(decl)
		d.Signature = p.signature(decl)
	}
	if len(examples) > 0 {
		d.Example = p.example(examples[0])
	}
	return d
}

// link is the page of a name on pkg.go.dev; our own packages have none.
func (p *sourcePackage) link(l *comment.DocLink) string {
	path, name := l.ImportPath, l.Name
	if path == "" {
		path = p.path
	}
	if path == "gomosaic" || strings.HasPrefix(path, "gomosaic/") {
		return ""
	}
	if l.Recv != "" {
		name = strings.TrimPrefix(l.Recv, "*") + "." + name
	}
	if name != "" {
		name = "#" + name
	}
	return "https://pkg.go.dev/" + path + name
}

// signature prints a declaration without body and comments in front.
func (p *sourcePackage) signature(decl ast.Decl) string {
	switch d := decl.(type) {
	case *ast.FuncDecl:
		short := *d
		short.Doc, short.Body = nil, nil
		decl = &short
	case *ast.GenDecl:
		short := *d
		short.Doc = nil
		decl = &short
	}
	return p.print(decl)
}

func (p *sourcePackage) print(node any) string {
	var b strings.Builder
	config := printer.Config{Mode: printer.UseSpaces | printer.TabIndent, Tabwidth: 4}
	if err := config.Fprint(&b, p.fset, node); err != nil {
		return ""
	}
	return b.String()
}

// source is a declaration as it stands in its file.
func (p *sourcePackage) source(n ast.Node) string {
	from, to := p.fset.Position(n.Pos()), p.fset.Position(n.End())
	text := p.text[from.Filename]
	if from.Offset > to.Offset || to.Offset > len(text) {
		return ""
	}
	return string(text[from.Offset:to.Offset])
}

// example is an example's code as a cell would have it, with what it prints.
func (p *sourcePackage) example(e *doc.Example) string {
	code := p.print(&printer.CommentedNode{Node: e.Code, Comments: e.Comments})
	if body, ok := strings.CutPrefix(code, "{\n"); ok {
		lines := strings.Split(strings.TrimSuffix(body, "\n}"), "\n")
		for i, line := range lines {
			lines[i] = strings.TrimPrefix(line, "\t")
		}
		code = strings.Join(lines, "\n")
	}
	if i := strings.LastIndex(code, "// Output:"); i >= 0 {
		code = code[:i]
	}
	code = strings.TrimSpace(code)
	if e.Output != "" {
		code += "\n// Output:"
		for line := range strings.Lines(strings.TrimSpace(e.Output)) {
			code += "\n// " + strings.TrimSuffix(line, "\n")
		}
	}
	return code
}

// plainDocumentation is a comment of a cell.
func plainDocumentation(group *ast.CommentGroup) Documentation {
	parsed := new(comment.Parser).Parse(group.Text())
	out := &comment.Printer{HeadingID: func(*comment.Heading) string { return "" }, DocLinkURL: func(*comment.DocLink) string { return "" }}
	return Documentation{Text: strings.TrimSpace(string(out.Text(parsed))), Markdown: strings.TrimSpace(string(out.Markdown(parsed)))}
}
