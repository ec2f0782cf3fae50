package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestBuild builds a kernel with a module of a folder in it, whose packages cells use without an import.
func TestBuild(t *testing.T) {
	binary, dir := built(t), t.TempDir()
	for name, text := range map[string]string{
		"go.mod": "module gomosaic.test/mine\n\ngo 1.24\n", "m.go": "package mine\n\nimport \"gomosaic.test/mine/internal/secret\"\n\nfunc Say() string { return secret.Word }\n",
		"sub/s.go": "package sub\n\nvar Calls int\n", "internal/secret/s.go": "package secret\n\nconst Word = \"mine\"\n",
	} {
		path := filepath.Join(dir, "mine", name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	mykernel := filepath.Join(dir, "mykernel")
	out, err := exec.Command(binary, "build", "--with", filepath.Join(dir, "mine"), "-o", mykernel).CombinedOutput()
	if err != nil || !strings.Contains(string(out), "cells use mine, sub without an import") {
		t.Fatalf("%v: %s", err, out)
	}
	linked, err := exec.Command("go", "version", "-m", mykernel).Output()
	if err != nil || !strings.Contains(string(linked), "gomosaic.test/mine") {
		t.Errorf("not linked in: %v %s", err, linked)
	}
	path := filepath.Join(dir, "n.ipynb")
	writeNotebookOf(t, path, "sub.Calls++\nprintln(mine.Say(), sub.Calls)", "import \"gomosaic.test/mine/sub\"\nsub.Calls")
	if out, err := exec.Command(mykernel, "run", "-q", path, "-o", path).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	text, err := os.ReadFile(path)
	if err != nil || !strings.Contains(string(text), `"mine 1\n"`) {
		t.Errorf("%v: %s", err, text)
	}
	out, err = exec.Command(mykernel, "install", "--prefix", dir, "--dry-run").CombinedOutput()
	if err != nil || !strings.Contains(string(out), "kernels/mykernel:") || !strings.Contains(string(out), `"Go (mykernel)"`) {
		t.Errorf("%v: %s", err, out)
	}
	for args, want := range map[string]string{"build": "usage:", "build --with x": "usage:", "build -o x --with ./nowhere": "has no go.mod"} {
		if out, err := exec.Command(binary, strings.Fields(args)...).CombinedOutput(); err == nil || !strings.Contains(string(out), want) {
			t.Errorf("%s: %v %s", args, err, out)
		}
	}
}
