package reexec

import (
	"os"
	"path/filepath"
	"testing"
)

// TestCopy: a copy holds its values, a copy of a copy its own alone, and a program that is none says so.
func TestCopy(t *testing.T) {
	dir := t.TempDir()
	program := filepath.Join(dir, "program")
	if err := os.WriteFile(program, []byte("#!/bin/sh\necho tulip\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	held := func(path string) (string, error) {
		f, err := os.Open(path)
		if err != nil {
			return "", err
		}
		defer f.Close()
		length, start, err := valuesIn(f)
		if err != nil {
			return "", err
		}
		values := make([]byte, length)
		_, err = f.ReadAt(values, start)
		return string(values), err
	}
	if got, err := held(program); err == nil {
		t.Errorf("a program that is no copy holds %q", got)
	}
	first, second := filepath.Join(dir, "first"), filepath.Join(dir, "second")
	for _, step := range []struct{ from, to, values string }{{program, first, "five petals"}, {first, second, ""}} {
		if err := writeCopy(step.to, step.from, []byte(step.values)); err != nil {
			t.Fatal(err)
		}
		if got, err := held(step.to); err != nil || got != step.values {
			t.Errorf("%s holds %q, %v, want %q", step.to, got, err, step.values)
		}
	}
	one, err := os.Stat(first)
	if err != nil {
		t.Fatal(err)
	}
	two, err := os.Stat(second)
	if err != nil || two.Size() != one.Size()-int64(len("five petals")) || two.Mode().Perm()&0o100 == 0 {
		t.Errorf("the copy of a copy: %v, %v", two, err)
	}
}
