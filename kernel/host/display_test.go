package host

import (
	"os"
	"strings"
	"testing"
)

// TestDisplayOfValues: what cells show, in the user's names, and by gophernotes' names of the display API.
func TestDisplayOfValues(t *testing.T) {
	n := openNotebook(t)
	n.want("import (\"errors\"; \"fmt\"; \"time\")\ntype node struct { val int; next *node }\nring := &node{val: 1}\nring.next = ring\nring", "=> &node{val:1 next:↺}")
	n.want("type tags map[string][]string\nm := map[string]any{\"b\": tags{\"x\": {\"y\"}}, \"a\": ring}\nm", `=> map["a":&node{val:1 next:↺} "b":map["x":["y"]]]`)
	n.want("make([]int, 10_000_000)", "elements)")
	n.want("errors.Join(errors.New(\"one\"), fmt.Errorf(\"two\"))", "=> one\ntwo")
	n.want("[]any{2*time.Second, nil, \"s\", []byte{1}}", `=> [2s <nil> "s" []byte{0x01}]`)
	n.want("var p *node\np", "=> <nil>")
	n.want("type page struct{ title string }\nfunc (p *page) HTML() string { return p.title }\nfunc (p page) String() string { return \"page \" + p.title }\nt := page{\"x\"}\nt", "=> page x (main.page)")
	n.want("import \"github.com/gopherdata/gophernotes\"\nDisplay(display.HTML(\"<p>\"))", "display <p>")
	n.want("import d \"display\"\nd.Markdown(\"*x*\")", "=> *x*")
	n.want(`import "github.com/apache/arrow/go/v17/arrow/array"
import "github.com/apache/arrow/go/v17/arrow/memory"
b := array.NewInt64Builder(memory.DefaultAllocator)
b.AppendValues([]int64{3, 4}, nil)
b.NewArray().Len()`, "=> 2")
	n.fails("type bad struct{}\nfunc (bad) HTML() string { panic(\"no\") }\nbad{}\nmissing", "undefined: missing")
	text, err := n.run("type bad struct{}\nfunc (bad) HTML() string { panic(\"no\") }\nbad{}")
	if err != nil || !strings.Contains(text, "rendering panicked: no\n    at cell[12]:2 in bad.HTML\n        func (bad) HTML() string { panic(\"no\") }") {
		t.Errorf("%q, %v", text, err)
	}
	// What cannot be encoded is said, not lost.
	n.want("import \"math\"\ntype record struct{}\nfunc (record) JSON() map[string]any { return map[string]any{\"x\": math.NaN()} }\nrecord{}", "rendering failed: application/json: json: unsupported value: NaN")
	if os.Getenv("GOMOSAIC_LONG") != "" {
		n.want("import \"strings\"\ndisplay.HTML(strings.Repeat(\"x\", 300<<20))", "MB are too much for a front-end")
		n.want("display.Display(display.HTML(strings.Repeat(\"x\", 300<<20)))", "MB are too much for a front-end")
		n.want("1 + 1", "=> 2")
	}
	n.fails("check(display.Display(record{}))", "display: application/json: json: unsupported value: NaN")
}

// TestResultThatFails: a value whose showing takes work that fails, such as a DataFrame, fails the cell at its line; and so it
// is in the exported program.
func TestResultThatFails(t *testing.T) {
	n := openNotebook(t)
	n.want("import _ \"gomosaic/mdslib/local\"\nspark := check1(mdslib.Connect(ctx, \"local\"))\nspark.Range(0, 2)", "=> +---+\n| id|\n+---+\n|  0|\n|  1|\n+---+\n (*mdslib.DataFrame)")
	n.fails("println(1)\n\nspark.Range(0, 2).Select(\"missing\")", "1\n", "missing", "at cell[2]:3\n        spark.Range(0, 2).Select(\"missing\")")
	n.fails("bad, err := spark.Range(0, 2).Select(\"missing\"), error(nil)\nbad, err", "missing", "at cell[3]:2")
	n.fails("check(display.Display(bad))\nprintln(2)", "missing", "at cell[4]:1")
	n.want("[]any{bad}", "=> [*mdslib.DataFrame]")
}
