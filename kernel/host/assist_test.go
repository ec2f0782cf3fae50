package host

import (
	"slices"
	"strings"
	"testing"
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

func TestInspect(t *testing.T) {
	n := openNotebook(t)
	n.want("import (\"fmt\"; \"strings\")\n// double doubles.\nfunc double(x int) int {\n\treturn 2 * x\n}\nvalue := []string{\"a\"}\nvar b strings.Builder", "")
	for _, test := range []struct {
		code   string
		detail int
		want   []string
	}{
		{"strings.Repe|at", 0, []string{"func Repeat(s string, count int) string", "Repeat returns a new string"}},
		{"strings.Repeat(|", 0, []string{"Repeat returns a new string"}},
		{"double|", 0, []string{"func double(x int) int", "declared in cell[1], line 3"}},
		{"double|", 1, []string{"func double(x int) int {\n\treturn 2 * x\n}"}},
		{"value|", 0, []string{"var value []string"}},
		{"b.WriteSt|ring", 0, []string{"WriteString appends the contents of s"}},
		{"check|", 0, []string{"func check(err error)", "stops the cell"}},
		{"stri|ngs.Repeat", 0, []string{"package strings", "simple functions to manipulate UTF-8"}},
		{"len|", 0, []string{"The len built-in function"}},
	} {
		at := strings.IndexByte(test.code, '|')
		data, ok := n.Inspect(strings.Replace(test.code, "|", "", 1), at, test.detail)
		for _, want := range test.want {
			if text, _ := data["text/plain"].(string); !ok || !strings.Contains(text, want) {
				t.Errorf("%s: gave %q, want %q", test.code, text, want)
			}
		}
	}
	n.want("strings.Repeat?", "payload map[data:map[text/markdown:```go\nfunc Repeat(s string, count int) string")
	n.want("??double", "\treturn 2 * x\n}")
	n.fails("nothingLikeThat?", "nothing is known of nothingLikeThat")
	if _, ok := n.Inspect("nothingLikeThat", 3, 0); ok {
		t.Error("an unknown name was found")
	}
}
