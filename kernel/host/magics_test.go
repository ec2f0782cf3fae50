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

// TestShellInterrupt: an interrupted command ends with all that it started, and the cell at once.
func TestShellInterrupt(t *testing.T) {
	n := openNotebook(t)
	for _, code := range []string{"!sleep 100 | cat; sleep 100", "!trap '' INT; sleep 100; sleep 100", "%%bash\nsleep 100 &\nwait"} {
		running := make(chan struct{})
		done := make(chan error, 1)
		n.count++
		go func() {
			if rest, ok := strings.CutPrefix(code, "%%bash\n"); ok {
				code = "%%bash\necho running\n" + rest
			} else {
				code = "println(\"running\")\n" + code
			}
			done <- n.Execute(context.Background(), code, n.count, &starter{recorder: &recorder{}, started: running})
		}()
		<-running
		time.Sleep(100 * time.Millisecond)
		at := time.Now()
		n.Interrupt()
		err := <-done
		var e *CellError
		if !errors.As(err, &e) || e.Value != "interrupted" || time.Since(at) > 900*time.Millisecond {
			t.Errorf("%s\nended after %v with %v", code, time.Since(at), err)
		}
	}
	n.want("!echo alive", "alive")
	n.fails("!pgrep -P $PPID -x sleep", "exit status 1")
}

func TestWhoAndReset(t *testing.T) {
	n := openNotebook(t)
	n.want("import \"os\"\nconst k = 1\ntype T struct{}\nfunc f() {}\na, b := 1, os.Getpid()", "")
	n.want("%who", "variables  a  b\nconstants  k\nfunctions  f\ntypes      T\n")
	n.want("%reset\nos.Getpid() > 0", "=> true")
	n.fails("b", "undefined: b")
	n.want("%help", "%%writefile [-a] file")
}
