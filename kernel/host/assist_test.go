package host

import (
	"slices"
	"strings"
	"testing"
	"time"
)

// complete returns the matches at the mark | in code.
func (n *notebook) complete(code string) []string {
	at := strings.IndexByte(code, '|')
	c := n.Complete(strings.Replace(code, "|", "", 1), at)
	var texts []string
	for _, m := range c.Matches {
		texts = append(texts, m.Text+" "+m.Type)
	}
	return texts
}

func TestComplete(t *testing.T) {
	n := openNotebook(t)
	n.want(`import ("strings"; "os")
type point struct { x, y int; Name string }
func (p *point) move(d int) { p.x += d }
func (p point) Norm() int { return p.x*p.x + p.y*p.y }
pt := &point{1, 2, "n"}
points := map[string][]*point{}
type wider struct { *point; Extra bool }
outer := wider{point: pt}
type stack[T any] struct { items []T }
func (s *stack[T]) Push(x T) { s.items = append(s.items, x) }
st := &stack[int]{}
func first[T any](xs []T) T { return xs[0] }
func measure(values []float64) int { return len(values) }`, "")
	for _, test := range []struct {
		code string
		want []string
		not  string
	}{
		{"strings.To|", []string{"ToUpper function", "ToLower function", "ToValidUTF8 function"}, "Builder type"},
		{"os.Std|", []string{"Stdout variable", "Stderr variable"}, ""},
		{"pt.|", []string{"x field", "Name field", "move method", "Norm method"}, ""},
		{"points[\"a\"][0].|", []string{"x field", "Norm method"}, ""},
		{"mea|", []string{"measure function"}, "pt variable"},
		{"po|", []string{"point type", "points variable"}, ""},
		{"pt.move(1)\nlocal := 12\nlo|", []string{"local variable"}, ""},
		{"func f(width int) int {\n\tw|\n}", []string{"width variable"}, ""},
		{"func f(q strings.Builder) {\n\tq.Wr|\n}", []string{"WriteString method"}, ""},
		{"for i, each := range points[\"a\"] { each.N| }", []string{"Name field", "Norm method"}, ""},
		{"chec|", []string{"check function", "check1 function", "checkpoint module"}, ""},
		{"c|", []string{"ctx variable", "copy function", "continue keyword"}, ""},
		{"ctx.D|", []string{"Deadline method", "Done method"}, ""},
		{"display.Mark|", []string{"Markdown function"}, ""},
		{"import \"text/te|", []string{"text/template module"}, ""},
		{"if pt.|", []string{"Norm method"}, ""},
		{"x := strings.Repeat(pt.N|, 3)", []string{"Name field"}, ""},
		{"nosuchname.|", nil, ""},
		{"// pt.|", nil, ""},
		{"point{|", []string{"x field", "y field", "Name field"}, "pt variable"},
		{"all := []*point{{x: 1, |}}", []string{"y field", "Name field"}, "x field"},
		{"point{y: p|}", []string{"pt variable"}, "y field"},
		{"outer.|", []string{"x field", "Name field", "Norm method", "move method", "Extra field"}, ""},
		{"outer.point.|", []string{"Norm method"}, ""},
		{"point.|", []string{"Norm method"}, "x field"},
		{"st.|", []string{"Push method", "items field"}, ""},
		{"stack[string]{}.|", []string{"Push method"}, ""},
		{"stack[bool]{it|", []string{"items field"}, ""},
		{"first([]point{}).|", []string{"x field", "Norm method"}, ""},
		{"func f[T interface{ Len() int }](x T) {\n\tx.|\n}", []string{"Len method"}, ""},
		{"loop:\nfor {\n\tbreak |\n}", []string{"loop label"}, "break keyword"},
		{"unicode.IsU|", []string{"IsUpper function"}, ""}, // not imported yet
		{"unico|", []string{"unicode module"}, ""},
		{"rand.Int|", []string{"Int function", "IntN function"}, ""},
		{"import \"no/such/pack\"\npt.|", []string{"Norm method"}, ""},
		{"func g(width int) {\n\th := double(wi|\n\treturn h\n}", []string{"width variable"}, ""},
		{"pt.|\nx := 1\nx++", []string{"Norm method"}, ""},
		{"for {\n\tif pt.|\n}", []string{"Norm method"}, ""},
		{"switch v := any(pt).(type) {\ncase *point:\n\tv.|\n}", []string{"Norm method"}, ""},
		{"%he|", []string{"%help magic"}, "%%bash magic"},
		{"%%ba|", []string{"%%bash magic"}, ""},
		{"os.Open(\"testdata/loo|\")", []string{"loops.txt path"}, ""},
		{"os.Open(\"testd|", []string{"testdata/ path"}, ""},
		{"%cd te|", []string{"testdata/ path"}, ""},
	} {
		got := n.complete(test.code)
		for _, want := range test.want {
			if !slices.Contains(got, want) {
				t.Errorf("%s: %q is missing in %q", test.code, want, got[:min(len(got), 20)])
			}
		}
		if test.want == nil && len(got) > 0 || slices.Contains(got, test.not) {
			t.Errorf("%s: gave %q", test.code, got)
		}
	}
	if c := n.Complete("x := strings.ToU + 1", 16); c.Start != 13 || c.End != 16 {
		t.Errorf("the word is [%d,%d), want [13,16)", c.Start, c.End)
	}
	n.want("pt.move(3)\npt.x", "=> 4") // nothing of the session has changed
}

// TestCompleteWhileACellRuns: neither a running cell nor one that is being compiled makes a completion wait.
func TestCompleteWhileACellRuns(t *testing.T) {
	n := openNotebook(t)
	n.want("length := 1", "")
	running := make(chan error, 1)
	go func() { running <- n.Execute(t.Context(), "for {\n}", 9, &recorder{}) }()
	for range 50 { // while it compiles and while it runs
		started := time.Now()
		if got := n.complete("len|"); !slices.Contains(got, "length variable") {
			t.Fatalf("%q", got)
		}
		if took := time.Since(started); took > ages {
			t.Errorf("a completion took %v", took)
		}
		time.Sleep(10 * time.Millisecond)
	}
	if data, ok := n.Inspect("length", 3, 0); !ok || !strings.Contains(data["text/plain"].(string), "not read while a cell runs") {
		t.Errorf("inspection: %v", data)
	}
	n.Interrupt()
	<-running
}

func TestInspect(t *testing.T) {
	n := openNotebook(t)
	n.want(`import ("fmt"; "strings"; "time")
// double doubles.
func double(x int) int {
	return 2 * x
}
// shape has corners.
type shape struct {
	corners int // at least three
	Name string
}
func (s shape) Area() float64 { return 1 }
square := shape{4, "square"}
value := []string{"a"}
var b strings.Builder
table := map[string]*shape{"b": &square, "a": nil}
long := make([]int, 1000)
var nothing error
wait := 90 * time.Second
var loop any = &value`, "")
	for _, test := range []struct {
		code   string
		detail int
		want   []string
	}{
		{"strings.Repe|at", 0, []string{"func Repeat(s string, count int) string", "Repeat returns a new string", "Example:", "fmt.Println(\"ba\" + strings.Repeat(\"na\", 2))", "// banana", "https://pkg.go.dev/strings#Repeat"}},
		{"strings.Repe|at", 1, []string{"func Repeat(s string, count int) string {", "panic("}},
		{"strings.Repeat(|", 0, []string{"Repeat returns a new string"}},
		{"strings.Repeat(\"a|", 0, []string{"Repeat returns a new string"}},
		{"strings.Repeat(strings.ToUpper(\"a\"), |", 0, []string{"Repeat returns a new string"}},
		{"double|", 0, []string{"func double(x int) int", "declared in cell[1], line 3", "double doubles."}},
		{"double|", 1, []string{"func double(x int) int {\n\treturn 2 * x\n}"}},
		{"shape|", 0, []string{"type shape struct {\n\tcorners int // at least three", "shape has corners."}},
		{"square.corn|ers", 0, []string{"field corners int", "at least three"}},
		{"shape{corn|ers: 1}", 0, []string{"field corners int"}},
		{"square.Area|", 0, []string{"func (s shape) Area() float64"}},
		{"square|", 0, []string{"var square shape", "shape{corners:4 Name:\"square\"}"}},
		{"value|", 0, []string{"var value []string", "[\"a\"]"}},
		{"table|", 0, []string{"map[\"a\":<nil> \"b\":&shape{corners:4 Name:\"square\"}]"}},
		{"long|", 0, []string{"0 … 0 0 0 0 0] (1000 elements)"}},
		{"nothing|", 0, []string{"var nothing error", "\n\n<nil>"}},
		{"wait|", 0, []string{"var wait time.Duration", "1m30s"}},
		{"loop|", 0, []string{"&[\"a\"]"}},
		{"b.WriteSt|ring", 0, []string{"func (b *Builder) WriteString(s string) (int, error)", "WriteString appends the contents of s"}},
		{"check|", 0, []string{"func check(err error)", "stops the cell"}},
		{"stri|ngs.Repeat", 0, []string{"package strings", "simple functions to manipulate UTF-8"}},
		{"strings.Build|er", 0, []string{"type Builder struct {", "Methods: ", "WriteString"}},
		{"unicode.IsUp|per", 0, []string{"IsUpper reports whether the rune is an upper case letter"}},
		{"fmt.Stringer|", 0, []string{"type Stringer interface {"}},
		{"var s fmt.Stringer\ns.Str|ing", 0, []string{"String() string"}},
		{"len|", 0, []string{"func len(v Type) int", "The len built-in function"}},
		{"ra|nge", 0, []string{"goes over a slice", "https://go.dev/ref/spec#For_range"}},
		{"%wri|tefile x", 0, []string{"write the cell to a file"}},
	} {
		at := strings.IndexByte(test.code, '|')
		data, ok := n.Inspect(strings.Replace(test.code, "|", "", 1), at, test.detail)
		for _, want := range test.want {
			if text, _ := data["text/plain"].(string); !ok || !strings.Contains(text, want) {
				t.Errorf("%s: gave %q, want %q", test.code, text, want)
			}
		}
	}
	data, _ := n.Inspect("strings.Fields", 10, 0)
	if text := data["text/markdown"].(string); !strings.HasPrefix(text, "```go\nfunc Fields(s string) []string\n```\n\nFields splits") || !strings.Contains(text, "Example:\n```go\n") {
		t.Errorf("Markdown: %s", text)
	}
	n.want("strings.Repeat?", "payload map[data:map[text/markdown:```go\nfunc Repeat(s string, count int) string")
	n.want("??double", "\treturn 2 * x\n}")
	n.fails("nothingLikeThat?", "nothing is known of nothingLikeThat")
	if _, ok := n.Inspect("nothingLikeThat", 3, 0); ok {
		t.Error("an unknown name was found")
	}
}
