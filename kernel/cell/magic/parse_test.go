package magic

import (
	"fmt"
	"strings"
	"testing"
)

// show writes what Parse found: each use as name(args)[body] with its options and parts, then the Go squeezed.
func show(code string) string {
	cell, problems := Parse(code, func(name string) bool { return name == "known" })
	var b strings.Builder
	for _, u := range cell.Uses {
		fmt.Fprintf(&b, "%s(%s)", u.Magic, u.Args)
		for _, letter := range "nr" {
			if n, ok := u.Numbers[byte(letter)]; ok {
				fmt.Fprintf(&b, "-%c%d", letter, n)
			}
		}
		for _, part := range u.Parts {
			if part.IsGo {
				fmt.Fprintf(&b, "{%s}", code[part.Offset:part.Offset+len(part.Text)])
			}
		}
		if u.Body != "" {
			fmt.Fprintf(&b, "[%s]", strings.ReplaceAll(u.Body, "\n", "/"))
		}
		b.WriteString(" ")
	}
	for _, p := range problems {
		fmt.Fprintf(&b, "%d: %s ", p.Offset, p.Message)
	}
	return b.String() + "| " + strings.Join(strings.Fields(cell.Go), " ")
}

func TestParse(t *testing.T) {
	for _, test := range []struct{ code, want string }{
		{"x := 1", "| x := 1"},
		{"%cd /tmp", "%cd(/tmp) | "},
		{"  %cd\t /tmp \nx := 1", "%cd(/tmp) | x := 1"},
		{"x := 5\n%cd a b\ny := x % 2", "%cd(a b) | x := 5 y := x % 2"},
		{"x := 5 +\n%cd a", "| x := 5 + %cd a"},
		{"s := `\n%cd a\n!ls\n`", "| s := ` %cd a !ls `"},
		{"/*\n%cd a\n*/", "| /* %cd a */"},
		{"f(\n!ok,\n)", "| f( !ok, )"},
		{"if x {\n!ok\n}", "| if x { !ok }"},
		{"!echo it's \"open\nx := 1", "!(echo it's \"open) | x := 1"},
		{"!echo a \\\n  b\nx := 1", "!(echo a \\\n  b) | x := 1"},
		{"$ ls `pwd`\n$ls", "!(ls `pwd`) !(ls) | "},
		{"ok := true\n!ok", "| ok := true !ok"},
		{"!known && f(1)", "| !known && f(1)"},
		{"!unknown && f", "!(unknown && f) | "},
		{"n := 3\n!head -{n} {n + 1} ${n} '{print $1}' {other}", "!(head -{n} {n + 1} ${n} '{print $1}' {other}){n}{n + 1} | n := 3 n; n + 1;"},
		{"%%bash -e\necho `x\n%cd\n", "%%bash(-e)[echo `x/%cd/] | "},
		{"\n\n%%writefile a.txt\n", "%%writefile(a.txt) | "},
		{"%whos int\n%help me", "0: %whos takes no arguments, got int 10: %help takes no arguments, got me | "},
		{"%reset -f", "%reset(-f) | "},
		{"%time f(1)\ng()", "%time(f(1)) | f(1) g()"},
		{"%time for i := range 3 {\n\t%x\n}\ng()", "%time(for i := range 3 {) | for i := range 3 { %x } g()"},
		{"%timeit -n 10 -r3 -n", "%timeit(-n)-n10-r3 | -n"},
		{"%timeit -x", "%timeit(-x) | -x"},
		{"%%timeit -n 5 s := 1\nf(s)\n!ls", "%timeit(s := 1)-n5 !(ls) | s := 1 f(s)"},
		{"%bench", "%bench() | "},
		{"%time", "0: what to run is missing | "},
		{"%nothing", "0: there is no magic %nothing | "},
		{"x\n%%bash\necho", "2: %%bash must be the cell's first line | x echo"},
		{"%bash", "0: bash is a magic of a whole cell: %%bash on its first line | "},
		{"%%cd", "0: cd is no magic of a whole cell | "},
		{"%%writefile", "0: an argument is missing | "},
		{"%", "0: a magic is %name, or %%name for the whole cell | "},
		{"!", "0: an argument is missing | "},
	} {
		if got := show(test.code); got != test.want {
			t.Errorf("%q\ngave %q\nwant %q", test.code, got, test.want)
		}
	}
}

// FuzzParse holds Parse to its promise: lines and columns stay, and nothing is in the Go that was not there.
func FuzzParse(f *testing.F) {
	for _, code := range []string{"%cd x\ny", "!a {b} c\nd", "%%bash\nx", "x := 1\n$ ls\n%", "b := 1\n!echo {b}{b} `\n`", "%help\r\n", "!\\\n"} {
		f.Add(code)
	}
	f.Fuzz(func(t *testing.T, code string) {
		cell, _ := Parse(code, func(string) bool { return true })
		if len(cell.Go) != len(code) {
			t.Fatalf("%d bytes of %d", len(cell.Go), len(code))
		}
		for i := range len(code) {
			if g := cell.Go[i]; g != code[i] && (g != ' ' || code[i] == '\n') && (g != ';' || code[i] != '}') {
				t.Fatalf("byte %d is %q, was %q", i, g, code[i])
			}
		}
		for _, u := range cell.Uses {
			if u.Offset < 0 || u.End < u.Offset || u.End > len(code) {
				t.Fatalf("%s at [%d, %d) of %d", u.Magic, u.Offset, u.End, len(code))
			}
		}
	})
}
