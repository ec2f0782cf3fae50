package host

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"

	"gomosaic/kernel/cell"
)

// The tests run cells in a real host: a binary built once from a module made here, "cellstest", which uses gomosaic as
// an outside module does and has a package of its own, cellstest/mypkg, that cells import.

const hostMain = `package main

import (
	"os"

	_ "encoding/json"
	_ "log"
	_ "net/http/httptest"
	_ "text/template"

	_ "github.com/apache/arrow/go/v17/arrow/array"

	_ "cellstest/entry"
	_ "cellstest/mypkg"
	_ "gomosaic/display"
	"gomosaic/kernel/host"
)

func main() { os.Exit(host.Main(os.Args[2:])) }
`

// entryPackage is what a shipped program calls: it runs the function and prints what it returns.
const entryPackage = `package entry

import (
	"context"
	"fmt"
)

func Main(fn func(context.Context, int) (string, error)) {
	text, err := fn(context.Background(), 5)
	fmt.Println(text, err)
}
`

var testOptions Options

func TestMain(m *testing.M) {
	if options := os.Getenv(frontVariable); options != "" {
		os.Exit(runFront(options))
	}
	flag.Parse()
	dir, err := os.MkdirTemp("", "gomosaic host test ") // a path with spaces
	if err == nil {
		err = buildTestHost(dir)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	status := m.Run()
	os.RemoveAll(dir)
	os.Exit(status)
}

func buildTestHost(dir string) error {
	clone, err := filepath.Abs("../..")
	if err != nil {
		return err
	}
	mod, sum, err := cell.OutsideModule("cellstest", clone)
	if err != nil {
		return err
	}
	mypkg, err := os.ReadFile("../cell/testdata/mypkg/mypkg.go")
	if err != nil {
		return err
	}
	module := filepath.Join(dir, "module")
	for name, text := range map[string]string{"go.mod": string(mod), "go.sum": string(sum), "mypkg/mypkg.go": string(mypkg),
		"entry/entry.go": entryPackage, "entry/loops.go": "package entry\n\n" + loops, "main.go": hostMain} {
		file := filepath.Join(module, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			return err
		}
	}
	build := exec.Command("go", "build", "-trimpath", "-buildvcs=false", "-o", filepath.Join(dir, "host"), ".")
	build.Dir = module
	build.Env = append(os.Environ(), "CGO_ENABLED=1", "GOFLAGS=-mod=readonly", "GOWORK=off")
	if out, err := build.CombinedOutput(); err != nil {
		return fmt.Errorf("test host: %w\n%s", err, out)
	}
	testOptions = Options{Binary: filepath.Join(dir, "host"), ModuleDir: module, MainPackage: "cellstest",
		CacheDir: filepath.Join(dir, "cache"), StackBytes: 64 << 20}
	return nil
}

// recorder is an Output that keeps what it gets, in order.
type recorder struct {
	mu    sync.Mutex
	log   []string // "stdout text", "display mime=…", "result …"
	input func(prompt string, password bool) (string, error)
}

func (r *recorder) add(format string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.log = append(r.log, fmt.Sprintf(format, args...))
}

func (r *recorder) Stream(name, text string) { r.add("%s", text) }
func (r *recorder) Display(data, metadata, transient map[string]any, update bool) {
	r.add("display %v %v update=%v\n", data["text/plain"], transient["display_id"], update)
}
func (r *recorder) Result(data, metadata map[string]any) {
	info, _ := metadata["gomosaic"].(map[string]any)
	r.add("=> %v (%v)\n", data["text/plain"], info["type"])
}
func (r *recorder) Payload(payload map[string]any) { r.add("payload %v\n", payload) }

func (r *recorder) ClearOutput(wait bool) { r.add("clear %v\n", wait) }
func (r *recorder) Input(prompt string, password bool) (string, error) {
	return r.input(prompt, password)
}

func (r *recorder) text() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return strings.Join(r.log, "")
}

// notebook is a session in a test.
type notebook struct {
	t *testing.T
	*Session
	count int
}

func openNotebook(t *testing.T) *notebook {
	t.Helper()
	s, err := Start(t.Context(), testOptions)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return &notebook{t: t, Session: s}
}

// run executes a cell and returns all that it gave out, its error's traceback included.
func (n *notebook) run(code string) (text string, err error) {
	n.t.Helper()
	n.count++
	out := &recorder{}
	ctx, cancel := context.WithTimeout(context.Background(), ages)
	defer cancel()
	err = n.Execute(ctx, code, n.count, out)
	text = out.text()
	if e, ok := err.(*CellError); ok {
		text += e.Text() + "\n"
	} else if err != nil {
		n.t.Fatalf("cell[%d]: %v", n.count, err)
	}
	return text, err
}

// want runs a cell that must succeed and give out a text.
func (n *notebook) want(code, text string) {
	n.t.Helper()
	got, err := n.run(code)
	if err != nil || !strings.Contains(got, text) {
		n.t.Errorf("%s\ngave %q, %v; want %q", code, got, err, text)
	}
}

// fails runs a cell that must fail with all of the texts in its output and traceback.
func (n *notebook) fails(code string, texts ...string) {
	n.t.Helper()
	got, err := n.run(code)
	if err == nil {
		n.t.Errorf("%s\ngave %q and no error; want %q", code, got, texts)
	}
	for _, text := range texts {
		if !strings.Contains(got, text) {
			n.t.Errorf("%s\ngave %q; want %q", code, got, text)
		}
	}
}

func TestTrivialCell(t *testing.T) {
	n := openNotebook(t)
	n.want("x := 40\nx + 2", "=> 42 (int)")
	n.want("import \"fmt\"\nfmt.Println(\"x is\", x)", "x is 40")
}

func itoa(n int) string { return strconv.Itoa(n) }

// sscan reads the number out of a shown result.
func sscan(text string, n *int) (int, error) { return fmt.Sscanf(text, "=> %d", n) }
