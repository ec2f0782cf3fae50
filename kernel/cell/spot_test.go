package cell

import (
	"strings"
	"testing"
)

// cursorIn splits code at the mark |.
func cursorIn(code string) (string, int) {
	at := strings.IndexByte(code, '|')
	return code[:at] + code[at+1:], at
}

func TestSelectorBase(t *testing.T) {
	for _, test := range []struct{ code, base string }{
		{"x.|", "x"},
		{"x.y.Na|", "x.y"},
		{"points[\"a\"][0].|", "points[\"a\"][0]"},
		{"spark.Read().\n\tFormat(\"x\").|", "spark.Read().\n\tFormat(\"x\")"},
		{"if a := f(1, g(2)).|", "f(1, g(2))"},
		{"return (x).|", "(x)"},
		{"T{1, 2}.|", "T{1, 2}"},
		{"pkg.T{a: 1}.|", "pkg.T{a: 1}"},
		{"[]int{1}.|", "[]int{1}"},
		{"map[string]int{}.|", "map[string]int{}"},
		{"Map[int, string](xs).|", "Map[int, string](xs)"},
		{"v.(fmt.Stringer).|", "v.(fmt.Stringer)"},
		{"\"a)b\".|", "\"a)b\""},
		{"a + b.|c", "b"},
		{"x.\n\ty := 1|", ""},
	} {
		code, at := cursorIn(test.code)
		if base, _ := spotAt(code, at).selectorBase(); base != test.base {
			t.Errorf("%s: base %q, want %q", test.code, base, test.base)
		}
	}
}

func TestSpot(t *testing.T) {
	for _, test := range []struct {
		code string
		kind spotKind
		text string // of a path or magic
	}{
		{"x|", inGo, ""},
		{"// a comm|ent", inText, ""},
		{"/* a */ x|", inGo, ""},
		{"/* a |", inText, ""},
		{"r := 'a|'", inText, ""},
		{"n := 12|", inText, ""},
		{"f(\"data/tr|\")", inPath, "data/tr"},
		{"f(\"data/tr|)", inPath, "data/tr"},
		{"f(\"data\"|)", inGo, ""},
		{"f(`da|", inPath, "da"},
		{"import \"text/te|", inImport, "text/te"},
		{"import t \"text/te|\"", inImport, "text/te"},
		{"import (\n\t\"fmt\"\n\tt \"te|\n)", inImport, "te"},
		{"import (\"fmt\"; \"te|\")", inImport, "te"},
		{"import \"fmt\"\nf(\"te|\")", inPath, "te"},
		{"%ti|", inMagic, "%ti"},
		{"x := 1\n%%ba|", inMagic, "%%ba"},
		{"%cd da|", inPath, "da"},
		{"!cat data/x|", inPath, "data/x"},
		{"x := 7 %y|", inGo, ""},
		{"%%bash\ncat da|", inPath, "da"},
	} {
		code, at := cursorIn(test.code)
		if s := spotAt(code, at); s.kind != test.kind || s.text != test.text {
			t.Errorf("%s: kind %d text %q, want %d %q", test.code, s.kind, s.text, test.kind, test.text)
		}
	}
}

func TestLiteralType(t *testing.T) {
	for _, test := range []struct {
		code, of string
		depth    int
		used     string
	}{
		{"point{|", "point", 0, ""},
		{"&image.Point{X: 1, |}", "image.Point", 0, "X"},
		{"[]point{{|}, {x: 2}}", "[]point", 1, ""},
		{"[]*point{{x: 1, |}}", "[]*point", 1, "x"},
		{"map[string]point{\"a\": {|", "map[string]point", 1, ""},
		{"[][]point{{{|", "[][]point", 2, ""},
		{"Stack[int]{|", "Stack[int]", 0, ""},
		{"f(Options{|", "Options", 0, ""},
		{"point{f(|", "", 0, ""},
		{"point{x: |", "", 0, ""},
		{"func f() {|", "", 0, ""},
	} {
		code, at := cursorIn(test.code)
		s := spotAt(code, at)
		of, depth, names := "", 0, ""
		if brace, used, ok := s.literalKey(); ok {
			of, depth = s.literalType(brace)
			names = strings.Join(used, " ")
		}
		if of != test.of || depth != test.depth || names != test.used {
			t.Errorf("%s: %q, %d deep, used %q", test.code, of, depth, names)
		}
	}
}

func TestLabels(t *testing.T) {
	const loops = "outer:\nfor {\nchoice:\n\tswitch {\n\tcase true:\n\t\t"
	for _, test := range []struct{ code, want string }{
		{loops + "break |", "outer choice"},
		{loops + "continue o|", "outer"},
		{"again:\n\tx++\n\tgoto |", "again"},
		{"break\n|", "none"},
	} {
		code, at := cursorIn(test.code)
		names, ok := spotAt(code, at).labels()
		if got := strings.Join(names, " "); got != test.want && (ok || test.want != "none") {
			t.Errorf("%s: %q, want %q", test.code, got, test.want)
		}
	}
}
