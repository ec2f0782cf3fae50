package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"gomosaic/kernel/notebook"
)

// TestExport: a notebook with a local package, names declared again and a function that runs as two ranks gives out the
// same when it is executed and when its exported program is.
func TestExport(t *testing.T) {
	binary, dir := built(t), t.TempDir()
	path := filepath.Join(dir, "a notebook.ipynb")
	if err := os.MkdirAll(filepath.Join(dir, "tools"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "tools", "t.go"), []byte("package tools\n\nfunc Double(n int) int { return 2 * n }\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	writeNotebookOf(t, path,
		"%use ./tools\nimport (\"fmt\"; \"tools\")\nreport := tools.Double(21)\nreport",
		"type Shape interface{ Area() float64 }\ntype Square struct{ Side float64 }\nfunc (s Square) Area() float64 { return s.Side * s.Side }\nvar shape Shape = Square{3}\nrate := 0.5\nfunc scale(x float64) float64 { return rate * x }",
		"// Work is what every rank does.\nfunc work(c context.Context, w dist.World) (string, error) {\n\tfmt.Println(\"area\", scale(shape.Area()), \"of\", w.Size)\n\treturn fmt.Sprint(\"rank \", w.Rank, \": \", scale(10)), nil\n}\nimport \"context\"",
		"job := distributor.TorchDistributor{NumProcesses: 2, LocalMode: true}\ncheck1(distributor.Run(ctx, job, work))",
		"func scale(x float64) float64 { return -x }\nrate := \"text now\"\nfmt.Println(rate, scale(1))",
		"text, err := distributor.Run(ctx, job, work)\ncheck(err)\ntext",
		"!echo shell {rate}",
		"type lazy struct{}\nfunc (lazy) TryRender() (display.Data, error) { return display.Data{}, fmt.Errorf(\"the %s\", \"end\") }\nlazy{}")
	program := filepath.Join(dir, "a program")
	out, err := exec.Command(binary, "export", path, "-o", program).CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if out, err := exec.Command(binary, "export", path, "-o", program).CombinedOutput(); err == nil || !strings.Contains(string(out), "-f overwrites") {
		t.Errorf("a program is overwritten: %s", out)
	}
	build := exec.Command("go", "build", "-o", "program", ".")
	build.Dir = program
	if out, err := build.CombinedOutput(); err != nil {
		source, _ := os.ReadFile(filepath.Join(program, "main.go"))
		t.Fatalf("%v: %s\n%s", err, out, source)
	}
	run := exec.Command(filepath.Join(program, "program"))
	run.Dir = dir
	temp := t.TempDir()
	run.Env = append(os.Environ(), "TMPDIR="+temp)
	stdout, err := run.Output()
	exit, ok := err.(*exec.ExitError)
	if !ok || exit.ExitCode() != 1 || string(exit.Stderr) != "error: the end\n" {
		t.Errorf("the program ends with %v", err)
	}
	if out, err := exec.Command(binary, "run", "-q", "--allow-errors", "-inplace", path).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	n, err := notebook.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var text strings.Builder
	for i, c := range n.Cells {
		if i == 0 { // %use says what it did, which a program has no need of
			_, rest, _ := strings.Cut(c.Text(), "\n")
			text.WriteString(rest)
			continue
		}
		text.WriteString(c.Text())
	}
	want, got := sortedLines(text.String()), sortedLines(string(stdout))
	if !slices.Equal(want, got) {
		t.Errorf("the notebook gives out\n%s\nthe program\n%s", strings.Join(want, "\n"), strings.Join(got, "\n"))
	}
	if left, _ := filepath.Glob(filepath.Join(temp, "gomosaic-reexec-*")); len(left) > 0 {
		t.Errorf("the program leaves %s behind", left)
	}
}

// sortedLines are the lines of a text that are not blank; ranks print in any order.
func sortedLines(text string) []string {
	lines := slices.DeleteFunc(strings.Split(text, "\n"), func(l string) bool { return strings.TrimSpace(l) == "" })
	slices.Sort(lines)
	return lines
}
