package cell

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// referenceCells are the cells of the reference blocks, which seed the fuzz targets too.
func referenceCells(t testing.TB) [][]string {
	var blocks [][]string
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatal("no cells files: ", err)
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, block := range strings.Split("\n"+string(data), "\n=== ")[1:] {
			_, rest, _ := strings.Cut(block, "\n")
			cells, _, _ := strings.Cut(rest, "\n>>> ")
			blocks = append(blocks, strings.Split(cells, "\n---\n"))
		}
	}
	return blocks
}

func squeeze(text string) string { return strings.Join(strings.Fields(text), " ") }

func TestSplit(t *testing.T) {
	for _, test := range []struct {
		code, statements, functions string
		imports                     []string
		main                        bool
		listed                      int
	}{
		{code: "x := 1\nimport \"fmt\"\nfmt.Println(x)", statements: "x := 1 fmt.Println(x)", imports: []string{"fmt"}},
		{code: "import (\n\tm \"math\"\n\t. \"os\"\n)\nx := m.Pi", statements: "x := m.Pi", imports: []string{"m math", ". os"}},
		{code: "func f() {\n\tx := 1\n}\nf()", statements: "f()", functions: "func f() { x := 1 }"},
		{code: "f := func() {}\nf()", statements: "f := func() {} f()"},
		{code: "func() { g() }()", statements: "func() { g() }()"},
		{code: "func (t T) m() {}; x := 1", statements: "x := 1", functions: "func (t T) m() {}"},
		{code: "x := 1\nx, f(x, 2)\nfunc f() {}", statements: "x := 1 x; f(x, 2)", functions: "func f() {}", listed: 2},
		{code: "x, y = y, x", statements: "x, y = y, x"},
		{code: "[]int{1, 2}, func(a, b int) {},", statements: "[]int{1, 2}, func(a, b int) {},"},
		{code: "return 1, 2", statements: "return 1, 2"},
		{code: "var x, y int", statements: "var x, y int"},
		{code: "package main\nfunc main() {}", functions: "func main() {}", main: true},
		{code: "for i := 0; i < 3; i++ {\n\timport()\n}", statements: "for i := 0; i < 3; i++ { import() }"},
		{code: "func (x int) int { return x }(3)", statements: "func (x int) int { return x }(3)"},
		{code: "s := `import \"fmt\"\nfunc f() {}`", statements: "s := `import \"fmt\" func f() {}`"},
		{code: "x := 1 // one\n// f is\n// a function\nfunc f() {}", statements: "x := 1 // one", functions: "// f is // a function func f() {}"},
		{code: "s := `\n// not a comment`\nfunc f() {}", statements: "s := ` // not a comment`", functions: "func f() {}"},
	} {
		p := split(test.code)
		var imports []string
		for _, i := range p.imports {
			imports = append(imports, strings.TrimSpace(i.name+" "+i.path))
		}
		if squeeze(p.statements) != test.statements || squeeze(p.functions) != test.functions || p.isMain != test.main || p.listed != test.listed ||
			strings.Join(imports, ",") != strings.Join(test.imports, ",") {
			t.Errorf("%q gave %q, %q, %q, %v", test.code, squeeze(p.statements), squeeze(p.functions), imports, p.isMain)
		}
	}
}

// FuzzSplit holds split to its promise: lines and columns stay, and each byte is in at most one part.
func FuzzSplit(f *testing.F) {
	for _, block := range referenceCells(f) {
		for _, code := range block {
			f.Add(code)
		}
	}
	f.Fuzz(func(t *testing.T, code string) {
		p := split(code)
		for _, part := range []string{p.statements, p.functions} {
			if len(part) != len(code) {
				t.Fatalf("%d bytes of %d", len(part), len(code))
			}
			for i := range len(code) {
				if listed := code[i] == ',' && part[i] == ';' && p.listed > 0; part[i] != code[i] && !listed && (part[i] != ' ' || code[i] == '\n') {
					t.Fatalf("byte %d is %q, was %q", i, part[i], code[i])
				}
			}
		}
		for i := range len(code) {
			if c := code[i]; c > ' ' && p.statements[i] == c && p.functions[i] == c {
				t.Fatalf("byte %d, %q, is in both parts", i, c)
			}
		}
		IsComplete(code) // must not panic
	})
}
