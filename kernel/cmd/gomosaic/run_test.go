package main

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// writeNotebookOf writes a notebook of code cells; a source that begins with "//tag:" is tagged so.
func writeNotebookOf(t *testing.T, path string, sources ...string) {
	t.Helper()
	var cells []any
	for i, source := range sources {
		metadata := map[string]any{}
		if tag, rest, ok := strings.Cut(source, "\n"); ok && strings.HasPrefix(tag, "//tag:") {
			metadata["tags"], source = []string{strings.TrimPrefix(tag, "//tag:")}, rest
		}
		cells = append(cells, map[string]any{"cell_type": "code", "id": string(rune('a' + i)), "metadata": metadata, "source": source, "outputs": []any{}, "execution_count": nil})
	}
	b, err := json.Marshal(map[string]any{"cells": cells, "metadata": map[string]any{}, "nbformat": 4, "nbformat_minor": 5})
	if err == nil {
		err = os.WriteFile(path, b, 0o644)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// TestRun executes notebooks with the real binary, and has nbformat judge what it writes.
func TestRun(t *testing.T) {
	binary, dir := built(t), t.TempDir()
	path := filepath.Join(dir, "a notebook.ipynb")
	run := func(args ...string) (stdout, stderr string, status int) {
		var out, errs strings.Builder
		cmd := exec.Command(binary, append([]string{"run"}, args...)...)
		cmd.Stdout, cmd.Stderr = &out, &errs
		_ = cmd.Run()
		return out.String(), errs.String(), cmd.ProcessState.ExitCode()
	}
	writeNotebookOf(t, path, "//tag:parameters\nn, rate := 1, 0.5", "import (\"fmt\"; \"os\")\nfmt.Println(n, rate)", "wd := check1(os.Getwd())\nwd",
		"display.HTML(\"<b>x</b>\")", "h := check1(display.Show(1))\ncheck(h.Update(2))")
	stdout, stderr, status := run(path, "-p", "n=41", "-p", "rate=1")
	if status != 0 || stdout != "" || !strings.Contains(stderr, "[2/6]") || !strings.Contains(stderr, "// Parameters") {
		t.Fatalf("status %d\n%s%s", status, stdout, stderr)
	}
	executed := filepath.Join(dir, "a notebook.executed.ipynb")
	validate := exec.Command("../../../.venv/bin/python", "-c", "import nbformat, sys; nbformat.validate(nbformat.read(sys.argv[1], as_version=4))", executed)
	if out, err := validate.CombinedOutput(); err != nil {
		t.Errorf("not valid: %v %s", err, out)
	}
	text, err := os.ReadFile(executed)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`"41 1\n"`, `"` + dir + `"`, `"<b>x</b>"`, `"injected-parameters"`, `"text/plain": [` + "\n       \"2\""} {
		if !strings.Contains(string(text), want) {
			t.Errorf("lacks %s:\n%s", want, text)
		}
	}

	writeNotebookOf(t, path, "println(\"before\")\nvar m map[int]int\nm[1] = 2", "1 + 1")
	stdout, stderr, status = run("-o", "-", "-q", path)
	if status != 1 || !strings.Contains(stderr, "panic: assignment to entry in nil map\n    at cell[1]:3\n") || !strings.Contains(stderr, "cell[1] failed: panic: ") || !strings.Contains(stdout, `"output_type": "error"`) || strings.Contains(stdout, `"2"`) {
		t.Errorf("status %d\n%s%s", status, stdout, stderr)
	}
	if stdout, stderr, status = run("--allow-errors", "-o", "-", path); status != 0 || !strings.Contains(stdout, `"2"`) {
		t.Errorf("status %d\n%s%s", status, stdout, stderr)
	}
	writeNotebookOf(t, path, "import (\"bufio\"; \"fmt\"; \"os\")\nname := check1(display.Input(\"name? \"))", "for s := bufio.NewScanner(os.Stdin); s.Scan(); { fmt.Println(name, s.Text()) }")
	asks := exec.Command(binary, "run", "-q", "-o", "-", path)
	asks.Stdin = strings.NewReader("Ann\none\ntwo")
	if out, err := asks.Output(); err != nil || !strings.Contains(string(out), "\"Ann one\\n\",\n      \"Ann two\\n\"") || strings.Contains(string(out), "at its end") {
		t.Errorf("%v\n%s", err, out)
	}
	writeNotebookOf(t, path, "for {}")
	if _, stderr, status = run("-timeout", "200ms", "-inplace", path); status != 1 || !strings.Contains(stderr, "timeout: the cell took longer than 0.2 s") {
		t.Errorf("status %d\n%s", status, stderr)
	}
	if _, stderr, status = run(path + "x"); status != 1 || !strings.Contains(stderr, "no such file") {
		t.Errorf("status %d\n%s", status, stderr)
	}
}
