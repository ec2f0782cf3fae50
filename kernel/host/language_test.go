package host

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// TestLineEnds: what editors of other systems write does not matter.
func TestLineEnds(t *testing.T) {
	n := openNotebook(t)
	n.want("\ufeffimport \"fmt\"\r\nx := `a\r\nb`\r\n\r\nfmt.Printf(\"%q\\n\", x)\r\n", `"a\nb"`)
	n.fails("y := 1\r\n\r\nz := y +\r\n\tundefinedName\r\n", "cell[2]:4:2: undefined: undefinedName\n    \tundefinedName\n    \t^\n")
	n.want("\ufeff\r\n", "")
	n.want("\ufeff// comment only\r", "")
	n.want("for i := range 3 {\r\n\tfmt.Print(i)\r\n}\r\nx", "012")
}

// TestLongCell: 5,000 lines are a cell like any other.
func TestLongCell(t *testing.T) {
	const lines = 5000
	n := openNotebook(t)
	var variables, body, functions strings.Builder
	for i := range lines {
		fmt.Fprintf(&variables, "v%d := %d\n", i, i)
		fmt.Fprintf(&body, "\tsum += v%d %% 7\n", i)
		if i%5 == 0 {
			fmt.Fprintf(&functions, "func f%d(x int) int {\n\tif x > %d {\n\t\treturn x\n\t}\n\treturn f%d(x + 1) }\n", i, i, (i+5)%lines)
		}
	}
	for _, cell := range []struct{ code, want string }{
		{variables.String() + "v4999", "=> 4999"},
		{"func total() (sum int) {\n" + body.String() + "\treturn sum\n}\ntotal()", "=> 14995"},
		{functions.String() + "f0(4000)", "=> 4000"},
		{strings.Repeat("// a comment\n\n", lines/2) + "v1 + v2", "=> 3"},
	} {
		started := time.Now()
		n.want(cell.code, cell.want)
		took := time.Since(started)
		t.Logf("%d lines: %.2f s", strings.Count(cell.code, "\n"), took.Seconds())
		if took > time.Minute {
			t.Errorf("%d lines took %v", strings.Count(cell.code, "\n"), took)
		}
	}
	n.fails(strings.Repeat("x := 1\n", 3)+strings.Repeat("\n", lines)+"undefinedName", "cell[5]:5004:1: undefined: undefinedName")
}
