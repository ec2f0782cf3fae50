package host

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"gomosaic/kernel/cell/magic"
)

// TestFrontMagics: what the catalogue says the front does, it does.
func TestFrontMagics(t *testing.T) {
	listed := 0
	for _, m := range magic.All() {
		if m.Kind == magic.Front {
			listed++
			if frontMagics[m.Name] == nil {
				t.Errorf("%s has no handler", m)
			}
		}
	}
	if listed != len(frontMagics) {
		t.Errorf("%d handlers for %d magics", len(frontMagics), listed)
	}
}

func TestShellMagics(t *testing.T) {
	n := openNotebook(t)
	dir := t.TempDir()
	n.want("%cd "+dir, dir)
	n.want("import \"os\"\nprintln(\"first\")\n!echo second; pwd\n$ echo third >&2\nprintln(\"fourth\")", "first\nsecond\n"+dir+"\nthird\nfourth\n")
	n.want("wd, err := os.Getwd()\nwd", "=> "+dir)
	n.want("name, list := \"a b\", []int{1, 2}\n!echo \"{name}\" {len(list)+1} ${HOME} '{print $1}' {nobody}", "a b 3 "+os.Getenv("HOME")+" {print $1} {nobody}\n")
	n.want("ok := true\n!ok", "=> false")
	n.want("%env GM_MAGIC=\"x y\"\n!echo [$GM_MAGIC]\nos.Getenv(\"GM_MAGIC\")", "[x y]\n=> x y")
	n.want("%%writefile notes.txt\none\n%two `\n", "Writing notes.txt")
	n.want("%%writefile -a notes.txt\nthree", "Appending to notes.txt")
	if text, err := os.ReadFile(filepath.Join(dir, "notes.txt")); string(text) != "one\n%two `\nthree\n" {
		t.Errorf("the file holds %q, %v", text, err)
	}
	n.want("%%bash -u\nfor i in 1 2; do\n\techo $((i * 10))\ndone", "10\n20\n")
	n.want("%cd -\n%cd "+dir+"\n%go111module on", dir)
	n.fails("println(\"before\")\n!exit 3\nprintln(\"after\")", "before\n", "bash: exit status 3", "cell[11]:2")
	n.fails("%cd nowhere", "nowhere: no such file or directory", "cell[12]:1")
	n.fails("x := 1\n  %timit f()", "cell[13]:2:3: there is no magic %timit", "      %timit f()\n      ^")
	n.fails("!echo {undefinedName(name)} {name.x}", "cell[14]:1:8: undefined: undefinedName", "cell[14]:1:35: name.x undefined")
}

// TestShellOrder: commands, and what the cell prints between them, stand in the order in which they wrote, on whichever stream.
func TestShellOrder(t *testing.T) {
	n := openNotebook(t)
	n.want(strings.Repeat("print(1)\n!echo -n 2 >&2\n!echo -n 3\n!echo -n 4 >&2\nprintln(5)\n", 9), strings.Repeat("12345\n", 9))
}

// TestShellInterrupt: an interrupted command ends with all that it started, and the cell at once.
func TestShellInterrupt(t *testing.T) {
	n := openNotebook(t)
	for _, code := range []string{"!sleep 100 | cat; sleep 100", "!trap '' INT; sleep 100; sleep 100", "%%bash\nsleep 100 &\nwait"} {
		inTime(t, 900*time.Millisecond, code, func() time.Duration {
			running := make(chan struct{})
			done := make(chan error, 1)
			n.count++
			go func() {
				text := "println(\"running\")\n" + code
				if rest, ok := strings.CutPrefix(code, "%%bash\n"); ok {
					text = "%%bash\necho running\n" + rest
				}
				done <- n.Execute(context.Background(), text, n.count, &starter{recorder: &recorder{}, started: running})
			}()
			<-running
			time.Sleep(100 * time.Millisecond)
			at := time.Now()
			n.Interrupt()
			err := <-done
			took := time.Since(at)
			var e *CellError
			if !errors.As(err, &e) || e.Name != "interrupted" || took < 900*time.Millisecond && e.Value != "interrupted" {
				t.Errorf("%s\nended after %v with %v", code, took, err)
			}
			return took
		})
	}
	n.want("!echo alive", "alive")
	n.fails("!pgrep -P $PPID -x sleep", "exit status 1")
}

func TestWhoAndReset(t *testing.T) {
	n := openNotebook(t)
	n.want("import \"os\"\nconst k = 1\ntype T struct{}\nfunc f() {}\na, b := 1, os.Getpid()", "")
	n.want("%who", "variables  a  b\nconstants  k\nfunctions  f\ntypes      T\n")
	n.fails("%reset b", "cell[3]:1:1: %reset forgets all that cells declared and takes no names, got b")
	n.fails("%who a", "cell[4]:1:1: %who takes no arguments, got a")
	n.want("b > 0", "=> true")
	n.want("%reset\nos.Getpid() > 0", "=> true")
	n.fails("b", "undefined: b")
	n.want("%reset -f", "")
	n.want("%help", "%%writefile [-a] file")
}

func TestMeasureMagics(t *testing.T) {
	n := openNotebook(t)
	n.want("import \"time\"\nfunc fib(n int) int { if n < 2 { return n }; return fib(n-1) + fib(n-2) }", "")
	n.want("%time fib(20)", "Wall time: ")
	n.want("%time fib(20)", "=> 6765 (int)")
	n.want("%time y := fib(10)\n%time y + 1\n%time for range 3 {\n\ty++\n}\ny", "=> 58")
	n.want("%%time\nz := fib(15)\nz", "=> 610")
	n.want("%timeit -n 100 -r 3 fib(5)", "per loop (mean ± std. dev. of 3 runs, 100 loops each)")
	n.want("%timeit -r 1 time.Sleep(30*time.Millisecond)", "ms ± 0 ns per loop (mean ± std. dev. of 1 run, 10 loops each)")
	n.want("calls := 0\nfunc count() (int, error) { calls++; return calls, nil }\n%timeit -n 50 -r 2 count()\ncalls", "=> 100")
	n.want("%%timeit -n 5 -r 1 s := []int{1}\ns = append(s, 2)\nlen(s)", "5 loops each")
	n.want("len(s)", "=> 6") // the first line ran once
	n.want("var sink []byte\n%bench -n 10 sink = make([]byte, 1000)", "/op\t    1024 B/op\t       1 allocs/op")
	n.want("import \"runtime\"\n%timeit -n 1 -r 1 make([]byte, 64<<20)\nruntime.GC()\nvar m runtime.MemStats\nruntime.ReadMemStats(&m)\nm.HeapAlloc < 64<<20", "=> true") // let go of
	n.fails("%timeit undefinedName(1)", "cell[13]:1:9: undefined: undefinedName")
	n.stops("%timeit fib(5)")
}

func TestTestMagic(t *testing.T) {
	n := openNotebook(t)
	n.want(`import "testing"
func TestPasses(t *testing.T) {
	t.Log("fine")
	t.Run("sub", func(t *testing.T) { t.Parallel() })
}
func TestFails(t *testing.T) {
	t.Run("panics", func(t *testing.T) {
		var m map[string]int
		m["a"] = 1
	})
	t.Error("wrong")
}
func BenchmarkAppend(b *testing.B) {
	for b.Loop() {
		_ = make([]byte, 100)
	}
}`, "")
	n.want("%test Passes", "=== RUN   TestPasses\n    cell[1]:3: fine\n")
	n.fails("%test", "=== RUN   TestFails/panics", "panic: assignment to entry in nil map\n        at cell[1]:9 in a function literal of TestFails\n            m[\"a\"] = 1", "--- FAIL: TestFails", "cell[1]:11: wrong", "failed: TestFails")
	n.want("func TestFails(t *testing.T) {}\n%test -run Fails", "--- PASS: TestFails") // the new one, by its old name
	n.want("%bench -n 1\n%test -run none -bench . -benchtime 10x", "BenchmarkAppend")
	n.fails("%test -timeout 1s", "flag provided but not defined: -timeout")
	n.want("func TestSpins(t *testing.T) { t.Run(\"sub\", func(t *testing.T) { for {} }) }", "")
	n.stops("%test Spins")
	n.want("1", "=> 1") // alive
}

func TestWhos(t *testing.T) {
	n := openNotebook(t)
	n.want("type point struct{ x, y int }\nfunc f() {}\np := &point{1, 2}\nlist := make([]int, 1000)\nvar e error\n", "")
	text, err := n.run("name := \"two words\"\n%whos")
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range []string{"variable type size value", "e error <nil>", "list []int 1000 [0 0", "name string 9 \"two words\"", "p *point &point{x:1 y:2}"} {
		if !strings.Contains(strings.Join(strings.Fields(text), " "), line) {
			t.Errorf("%q misses %q", text, line)
		}
	}
}

func TestHistoryAndLoad(t *testing.T) {
	n := openNotebook(t)
	dir := t.TempDir()
	n.want("a := 1\na", "=> 1")
	n.want("b := 2\n", "")
	n.want("%history", "a := 1\na\nb := 2\n")
	n.want("%history -n 2-2", "// cell[2]\nb := 2\n")
	n.fails("%history x", "cell[5]:1:1: want one cell's number")
	n.fails("%history 1 3", "one range such as 2-5, got \"1 3\"")
	n.fails("%history 3-1", "one range such as 2-5, got \"3-1\"")
	n.want("%cd "+dir+"\n%env X=1", "X=1")
	n.want("%%writefile made.go\nx := 5", "Writing")
	n.want("%load made.go", "payload map[replace:true source:set_next_input text:// %load made.go\nx := 5]")
	n.want("%load 1-2", "text:// %load 1-2\na := 1\na\nb := 2]")
	n.fails("%load nowhere.go", "cell[12]:1:1: stat "+dir+"/nowhere.go: no such file")
	n.fails("%load", "cell[13]:1:1: an argument is missing", "usage: %load file")
}
