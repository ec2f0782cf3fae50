package host

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/fnv"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

func TestInterruptCompilation(t *testing.T) {
	n := openNotebook(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var e *CellError
	if err := n.Execute(ctx, "x := 1", 1, &recorder{}); !errors.As(err, &e) || e.Name != "interrupted" {
		t.Errorf("gave %v, want interrupted", err)
	}
	n.count = 1
	n.fails("x", "undefined: x")
}

func TestGoroutinePanic(t *testing.T) {
	n := openNotebook(t)
	n.want(`import ("sync"; "time")
x := 7
func crash(p *int) { *p = 1 }
var wg sync.WaitGroup
wg.Go(func() { panic("first") })
go crash(nil)
time.AfterFunc(1, func() {
	panic("third")
})
wg.Wait()
time.Sleep(100 * time.Millisecond)`, "panic in goroutine: first\n    at cell[1]:5 in a function literal\n        wg.Go(func() { panic(\"first\") })\n")
	n.want("x", "=> 7")
}

func TestGoroutinePanicPlaces(t *testing.T) {
	n := openNotebook(t)
	out := &recorder{}
	if err := n.Execute(t.Context(), "func crash(p *int) { *p = 1 }\ngo crash(nil)", 1, out); err != nil {
		t.Error(err)
	}
	eventually(t, func() bool {
		return strings.Contains(out.text(), "nil pointer") && strings.Contains(out.text(), "cell[1]:1")
	}, out.text)
}

func TestPanicFrames(t *testing.T) {
	n := openNotebook(t)
	n.want("func deep(n int) int {\n\tif n == 0 {\n\t\tvar m map[int]int\n\t\tm[1] = 2\n\t}\n\treturn deep(n-1)\n}", "")
	n.fails("y := 1\n\ndeep(3)\ny", "panic: assignment to entry in nil map", "    at cell[1]:4 in deep\n        m[1] = 2\n    at cell[1]:6 in deep (3 times)\n    at cell[2]:3\n")
}

func TestDeathBetweenCells(t *testing.T) {
	n := openNotebook(t)
	over := filepath.Join(t.TempDir(), "over")
	n.want("import (\"os\"; \"time\")\nx := 1\ngo func() { for { if _, err := os.Stat("+strconv.Quote(over)+"); err == nil { os.Exit(4) }; time.Sleep(time.Millisecond) } }()", "")
	n.mu.Lock()
	exited := n.host.exited
	n.mu.Unlock()
	if err := os.WriteFile(over, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	<-exited
	n.fails("x", "exit status 4", "was not run")
	n.fails("x", "undefined: x")
	n.want("1 + 1", "=> 2")
}

func TestUserTextLikeACrash(t *testing.T) {
	n := openNotebook(t)
	n.want("import (\"fmt\"; \"os\"; \"time\")\nos.Stderr.WriteString(\"panic: not really\\n\")\nfmt.Println(\"on\")", "panic: not really\n")
	n.want("os.Stderr.WriteString(\"fatal error: neither\\n\")\ntime.Sleep(time.Second)\nfmt.Println(\"on\")", "fatal error: neither\non")
}

func TestOutputOrder(t *testing.T) {
	n := openNotebook(t)
	text, err := n.run(`import ("fmt"; "os"; "os/exec")
fmt.Println("one")
Display("two")
fmt.Println("three")
cmd := exec.Command("echo", "four")
cmd.Stdout = os.Stdout
check(cmd.Run())
h, err := display.Show("five")
check(err)
fmt.Fprintln(os.Stderr, "six")
check(h.Update("seven"))
fmt.Print("eight")
"nine"`)
	if err != nil {
		t.Fatal(err)
	}
	at := 0
	for _, word := range []string{"one", "display two", "three", "four", "display five", "six", "display seven", "update=true", "eight", "=> nine"} {
		i := strings.Index(text[at:], word)
		if i < 0 {
			t.Fatalf("%q is missing or out of order in %q", word, text)
		}
		at += i
	}
}

// TestStderrOrder: Go's two streams are two pipes, and still in order, with a child's and C's output too.
func TestStderrOrder(t *testing.T) {
	n := openNotebook(t)
	text, err := n.run(`import ("fmt"; "io"; "log"; "log/slog"; "os"; "os/exec")
log.SetFlags(0)
own := log.New(os.Stderr, "", 0)
structured := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr { if a.Key == "time" { return slog.Attr{} }; return a }}))
for i := range 200 {
	fmt.Println(i, "a")
	fmt.Fprintln(os.Stderr, i, "b")
	fmt.Print(i, " c\n")
	log.Print(i, " d")
	fmt.Fprintf(os.Stdout, "%d e\n", i)
	own.Println(i, "f")
	io.WriteString(os.Stdout, fmt.Sprintln(i, "g"))
	structured.Info(fmt.Sprint(i, "h"))
}
c := exec.Command("echo", "child")
c.Stdout = os.Stdout
check(c.Run())
fmt.Fprint(os.Stderr, "last\n")`)
	var want strings.Builder
	for i := range 200 {
		fmt.Fprintf(&want, "%d a\n%d b\n%d c\n%d d\n%d e\n%d f\n%d g\nlevel=INFO msg=%dh\n", i, i, i, i, i, i, i, i)
	}
	want.WriteString("child\nlast\n")
	if err != nil || text != want.String() {
		t.Errorf("gave %.500q, %v", text, err)
	}
	n.want("r, w, _ := os.Pipe()\nos.Stderr = w\nfmt.Fprint(os.Stderr, \"own\")\nw.Close()\nb, _ := io.ReadAll(r)\nstring(b)", "=> own")
}

func TestInputAndClear(t *testing.T) {
	n := openNotebook(t)
	out := &recorder{input: func(prompt string, password bool) (string, error) {
		if prompt == "stop" {
			return "", errors.New("no input here")
		}
		return fmt.Sprint(prompt, "-", password), nil
	}}
	err := n.Execute(t.Context(), `import "fmt"
fmt.Println("before")
fmt.Println(display.Input("name"))
check(display.Clear(true))
fmt.Println(display.Password("key"))
fmt.Println(display.Input("stop"))`, 1, out)
	if want := "before\nname-false <nil>\nclear true\nkey-true <nil>\n no input here\n"; err != nil || out.text() != want {
		t.Errorf("gave %q, %v; want %q", out.text(), err, want)
	}
}

func TestOutputIsCoalesced(t *testing.T) {
	n := openNotebook(t)
	out := &recorder{}
	started := time.Now()
	if err := n.Execute(t.Context(), "import \"fmt\"\nfor i := range 50000 { fmt.Println(\"line\", i) }", 1, out); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(out.text()), "\n")
	if len(lines) != 50000 || lines[49999] != "line 49999" {
		t.Errorf("%d lines arrived, the last is %q", len(lines), lines[len(lines)-1])
	}
	if took := time.Since(started); len(out.log) > 50+int(took/streamDelay) {
		t.Errorf("50000 prints became %d messages in %v", len(out.log), took)
	}
}

func TestOutputAfterTheCell(t *testing.T) {
	n := openNotebook(t)
	first := &recorder{}
	if err := n.Execute(t.Context(), "import (\"fmt\"; \"time\")\ngo func() { time.Sleep(100*time.Millisecond); fmt.Println(\"late\") }()", 1, first); err != nil {
		t.Fatal(err)
	}
	eventually(t, func() bool { return strings.Contains(first.text(), "late") }, first.text)
}

func TestUserNamesInOutput(t *testing.T) {
	n := openNotebook(t)
	n.want("import \"fmt\"\ntype point struct { x, y int }\np := point{1, 2}\nfmt.Printf(\"%+v %T\\n\", p, p)", "{x:1 y:2} main.point")
	n.want("p", "=> point{x:1 y:2} (main.point)")
}

func TestCheck(t *testing.T) {
	n := openNotebook(t)
	n.want("import (\"errors\"; \"fmt\"; \"strconv\")\ncheck(nil)\nn := check1(strconv.Atoi(\"12\"))\nfmt.Println(n)", "12")
	text, err := n.run("fmt.Println(\"a\")\ncheck(errors.New(\"no such thing\"))\nfmt.Println(\"b\")")
	var e *CellError
	if !errors.As(err, &e) || e.Name != "error" || e.Value != "no such thing" || !strings.Contains(e.Text(), "at cell[2]:2") || strings.Contains(text, "b\n") {
		t.Errorf("gave %q, %v", text, err)
	}
	n.fails("func parse(s string) int {\n\treturn check1(strconv.Atoi(s))\n}\nparse(\"q\")", "invalid syntax", "    at cell[3]:2 in parse\n        return check1(strconv.Atoi(s))\n    at cell[3]:4\n")
	n.want("func try() (err error) { defer func() { err, _ = recover().(error) }(); check(errors.New(\"kept\")); return }\ntry()", "=> kept")
}

func TestUserNamesWin(t *testing.T) {
	n := openNotebook(t)
	n.want("func check(x int) int { return x + 1 }\ncheck(1)", "=> 2")
	n.want("display := 5\ndisplay + 1", "=> 6")
	n.want("import \"context\"\nctx, cancel := context.WithCancel(ctx)\ncancel()\nctx.Err()", "=> context canceled")
	n.want("ctx.Err()", "=> context canceled")
	n.want("import torch \"strings\"\ntorch.ToUpper(\"a\")", "=> A")
	n.want("type nn struct{ a int }\nnn{3}.a", "=> 3")
	n.want("func f(ctx int) int { return ctx }\nf(4)", "=> 4")
	n.want("import \"gomosaic/display\"\ndisplay.Markdown(\"x\").Data", "text/markdown")
}

func TestErrorsOfACell(t *testing.T) {
	n := openNotebook(t)
	n.fails("x := 1\nvar s string = x\n\ty := undefinedName", "cell[1]:2:16: cannot use x", "cell[1]:3:7: undefined: undefinedName\n    \ty := undefinedName\n    \t     ^")
	n.fails("strings.ToUpper(\"a\")", "hint: import \"strings\"")
	n.fails("import \"no/such/pkg\"", "cell[3]:1:8: cannot import no/such/pkg")
	n.fails("import \"example.com/nothing/here\"", "example.com/nothing/here")
	n.want("import \"strings\"\nstrings := 3", "")
	n.fails("strings.ToUpper(\"a\")", "hint: the variable strings hides the package \"strings\"")
	n.fails("length := 3\nlenght", "did you mean length?")
	n.fails("if true {", "cell[8]:1")
	n.fails("}", "cell[9]:1")
	n.fails("//go:embed x\nvar s string", "//go:embed is not possible in a cell")
}

func TestLastExpression(t *testing.T) {
	n := openNotebook(t)
	n.want("type celsius float64\nxs := []int{1, 2}\nlen(xs)", "=> 2 (int)")
	n.want("celsius(3)", "=> 3 (main.celsius)")
	n.want("[]byte(\"a\")", "=> []byte(\"a\") ([]uint8)")
	n.want("append(xs, 3)", "=> [1 2 3]")
	n.want("func pair() (int, string) { return 1, \"b\" }\npair()", "=> 1 b (int, string)")
	for _, quiet := range []string{"clear(xs)", "func void() {}\nvoid()", "import \"fmt\"\nfmt.Sprint(1); fmt.Print()", "x := 3", "check(nil)", "Display(nil)"} {
		if text, err := n.run(quiet); strings.Contains(text, "=>") || err != nil {
			t.Errorf("%s gave %q, %v", quiet, text, err)
		}
	}
	n.fails("len(xs)\nx := 2", "len(xs) (value of type int) is not used")
}

func TestNothingToRun(t *testing.T) {
	n := openNotebook(t)
	for _, code := range []string{"", "\n\n", "// a comment", "import \"fmt\"", "/* a */ import \"os\" // b"} {
		if text, err := n.run(code); text != "" || err != nil {
			t.Errorf("%q gave %q, %v", code, text, err)
		}
	}
	n.want("\ufefffmt.Println(len(os.Args) > 0)\r\nfmt.Println(`a\r\nb`)\r\n", "true\na\nb\n")
}

func TestTwoSessions(t *testing.T) {
	a, b := openNotebook(t), openNotebook(t)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for range 5 {
			a.want("x := 1\nx", "=> 1 (int)")
		}
	}()
	for range 5 {
		b.want("x := \"b\"\nx", "=> b (string)")
	}
	<-done
	a.want("x", "=> 1 (int)")
	b.want("x", "=> b (string)")
}

func TestRestart(t *testing.T) {
	n := openNotebook(t)
	n.want("import \"fmt\"\nx := 1", "")
	if err := n.Restart(t.Context()); err != nil {
		t.Fatal(err)
	}
	n.fails("x", "undefined: x")
	n.want("fmt.Println(2)", "2\n")
	running := make(chan struct{})
	done := make(chan error, 1)
	go func() {
		done <- n.Execute(context.Background(), "fmt.Println(3)\nselect {}", 9, &starter{recorder: &recorder{}, started: running})
	}()
	<-running
	if err := n.Restart(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := <-done; err == nil {
		t.Error("the cell that ran during the restart ended well")
	}
	n.want("fmt.Println(4)", "4\n")
}

func TestNothingIsLeft(t *testing.T) {
	s, err := Start(t.Context(), testOptions)
	if err != nil {
		t.Fatal(err)
	}
	n := &notebook{t: t, Session: s}
	n.want("import \"os/exec\"\ncmd := exec.Command(\"sleep\", \"1000\")\ncheck(cmd.Start())", "")
	text, _ := n.run("cmd.Process.Pid")
	folder, host := n.folder.path, n.host.pid
	var child int
	if _, err := sscan(text, &child); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(folder); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the session's folder is still there: %v", err)
	}
	for _, pid := range []int{host, child} {
		if !gone(pid) {
			t.Errorf("process %d is still there", pid)
		}
	}
	if err := s.Execute(t.Context(), "1", 1, &recorder{}); err == nil {
		t.Error("a closed session runs cells")
	}
}

// gone waits a little for a process to end; one that nobody has waited for yet counts as ended.
func gone(pid int) bool {
	for deadline := time.Now().Add(ages); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		state, err := os.ReadFile(filepath.Join("/proc", itoa(pid), "stat"))
		if err != nil || syscall.Kill(pid, 0) != nil || strings.Contains(string(state), ") Z ") {
			return true
		}
	}
	return false
}

// TestPluginsAreSlim: a plugin holds nothing that the host has; one that lacks something after all is linked anew, whole.
func TestPluginsAreSlim(t *testing.T) {
	n := openNotebook(t)
	n.want("import (\"fmt\"; \"encoding/json\")\nx := map[string]int{\"a\": 1}\nfmt.Println(x)\ndata, err := json.Marshal(x)\nstring(data)", "map[a:1]")
	largest := func() (bytes int64) {
		plugins, _ := filepath.Glob(filepath.Join(n.folder.path, "c*", "*.so"))
		for _, file := range plugins {
			if info, err := os.Stat(file); err == nil {
				bytes = max(bytes, info.Size())
			}
		}
		return bytes
	}
	if got := largest(); got == 0 || got > 200<<10 {
		t.Errorf("a plugin of %d bytes", got)
	}

	pretendToHave(t, "encoding/ascii85.MaxEncodedLen")
	n.want("import \"encoding/ascii85\"\nf := ascii85.MaxEncodedLen\nf(4) + len(x)", "=> 6 (int)")
	if got := largest(); got < 1<<20 {
		t.Errorf("no plugin of more than %d bytes: the wrong one was loaded", got)
	}
	n.want("f(8)", "=> 10 (int)")
}

// pretendToHave adds a name to what hosts are taken to export.
func pretendToHave(t *testing.T, name string) {
	files, err := filepath.Glob(filepath.Join(testOptions.CacheDir, "hostsymbols-*"))
	if err != nil || len(files) == 0 {
		t.Fatal("no list of a host's symbols", err)
	}
	for _, file := range files {
		symbols, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = os.WriteFile(file, symbols, 0o644) })
		h := fnv.New64a()
		h.Write([]byte(name))
		hashes := []uint64{h.Sum64()}
		for i := 0; i < len(symbols); i += 8 {
			hashes = append(hashes, binary.LittleEndian.Uint64(symbols[i:]))
		}
		slices.Sort(hashes)
		var more []byte
		for _, v := range hashes {
			more = binary.LittleEndian.AppendUint64(more, v)
		}
		if err := os.WriteFile(file, more, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}
