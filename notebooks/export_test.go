package notebooks_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var (
	// seconds are times and rates, whose units differ, too, from a quiet machine to a busy one.
	seconds = regexp.MustCompile(`\d+(\.\d+)? ([nµm]?s|[kMGT]?B/s)\b`)
	// varying are lines that no two runs share, or that a screen shows and a terminal says in other words: progress bars,
	// and the drawn lines of live charts.
	varying = regexp.MustCompile(`\d(step|it)?/s|^[▁▂▃▄▅▆▇█ ]+( |$)|^\[\d\] `)
	// before are cells that show a value of a type that gets a String method in a later cell: in a program it has one already.
	before   = map[string]int{"02_kernel.ipynb": 3}
	measures = regexp.MustCompile(`(?m)^%(who|whos|time|timeit|bench|test)\b`) // a program has no use for these
)

// TestRunAndExport: every notebook runs without Jupyter, and the program that it is exported to compiles and gives out what
// the notebook does.
func TestRunAndExport(t *testing.T) {
	gomosaic, err := filepath.Abs("../.venv/bin/gomosaic")
	if err != nil {
		t.Fatal(err)
	}
	work := t.TempDir()
	flowers := filepath.Join(work, "flowers")
	if b, err := exec.CommandContext(t.Context(), "go", "run", "./flowers/cmd/genflowers", "-images", "200", flowers).CombinedOutput(); err != nil {
		t.Fatalf("%v:\n%s", err, b)
	}
	notebooks, err := filepath.Glob("*.ipynb")
	if err != nil || len(notebooks) == 0 {
		t.Fatal("no notebooks", err)
	}
	for _, path := range notebooks {
		t.Run(path, func(t *testing.T) {
			out := filepath.Join(work, path)
			env := append(os.Environ(), "FLOWERS_DIR="+flowers, "OUT_DIR="+out, "IMAGE_SIZE=32", "BATCH_SIZE=16", "NUM_EPOCHS=1", "MAX_TRAIN=64", "MAX_VAL=16", "NUM_PROCESSES=2")
			command := func(name string, args ...string) (stdout, stderr string) {
				t.Helper()
				cmd := exec.CommandContext(t.Context(), name, args...)
				cmd.Env = env
				var o, e bytes.Buffer
				cmd.Stdout, cmd.Stderr = &o, &e
				if name != gomosaic {
					cmd.Dir = filepath.Join(out, "program")
				}
				if err := cmd.Run(); err != nil {
					t.Fatalf("%s %s: %v:\n%s%s", name, strings.Join(args, " "), err, o.String(), e.String())
				}
				return o.String(), e.String()
			}
			if err := os.MkdirAll(out, 0o755); err != nil {
				t.Fatal(err)
			}
			executed := filepath.Join(out, "executed.ipynb")
			command(gomosaic, "run", path, "-o", executed)
			validate := exec.CommandContext(t.Context(), python(t), "-c", "import nbformat, sys; nbformat.validate(nbformat.read(sys.argv[1], as_version=4))", executed)
			if b, err := validate.CombinedOutput(); err != nil {
				t.Errorf("not valid: %v\n%s", err, b)
			}
			if err := os.RemoveAll(filepath.Join(out, "data")); err != nil {
				t.Fatal(err)
			}
			program := filepath.Join(out, "program")
			command(gomosaic, "export", path, "-o", program)
			command("go", "build", "-o", "program", ".")
			stdout, stderr := command(filepath.Join(program, "program"))
			given := map[string]bool{}
			for line := range strings.Lines(stdout + stderr) {
				given[plainLine(line)] = true
			}
			for i, c := range readNotebook(t, executed).Cells {
				if c.Type != "code" || before[path] == i+1 || measures.MatchString(string(c.Source)) {
					continue
				}
				for line := range strings.Lines(shown([]cell{c}, "text")) {
					if line = plainLine(line); line != "" && !varying.MatchString(line) && !given[line] {
						t.Errorf("cell %d gives out %q, the program does not", i+1, line)
					}
				}
			}
			if t.Failed() {
				t.Logf("the program:\n%s%s", stdout, stderr)
			}
		})
	}
}

// plainLine is a line without what differs from run to run.
func plainLine(line string) string {
	return seconds.ReplaceAllString(strings.TrimSpace(line), "N")
}
