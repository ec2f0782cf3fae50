package cell

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func newTestBuilder(t *testing.T, archives *Archives) *Builder {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "with a space")
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	b, err := NewBuilder(t.Context(), archives.tools, archives, dir, dir, "")
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestBuild(t *testing.T) {
	archives, err := archivesOnce()
	if err != nil {
		t.Fatal(err)
	}
	s, b := newTestSession(t), newTestBuilder(t, archives)
	for i, code := range []string{"x := []int{1}", "x = append(x, 2)\nfunc f() int { return len(x) }", "f()"} {
		u, err := s.Compile(code, i+1)
		if err != nil {
			t.Fatal(err)
		}
		plugin, err := b.Build(t.Context(), u)
		if err != nil {
			t.Fatal(err)
		}
		if info, err := os.Stat(plugin); err != nil || info.Size() == 0 {
			t.Errorf("%s: %v", plugin, err)
		}
		s.Commit(u)
	}
}

// TestBuildAfterTrim: Go trims its build cache of what was not used for days, also under a session that is open.
func TestBuildAfterTrim(t *testing.T) {
	shared, err := archivesOnce()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	archives, err := OpenArchives(t.Context(), shared.base, dir, []string{runtimePath}, nil)
	if err != nil {
		t.Fatal(err)
	}
	s, b := newTestSession(t), newTestBuilder(t, archives)
	archives.mu.Lock()
	for _, path := range []string{"internal/abi", runtimePath, "sync/atomic"} {
		known := archives.packages[path]
		known.file = filepath.Join(dir, "trimmed")
		archives.packages[path] = known
	}
	archives.mu.Unlock()
	u, err := s.Compile("x := 1", 1)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.Build(t.Context(), u); err != nil {
		t.Error(err)
	}
	if gone := b.vanished(); gone != "" {
		t.Errorf("%s is still lost", gone)
	}
}

// TestCompilerErrors: what go/types lets through comes from the compiler, at the cell's line.
func TestCompilerErrors(t *testing.T) {
	archives, err := archivesOnce()
	if err != nil {
		t.Fatal(err)
	}
	s, b := newTestSession(t), newTestBuilder(t, archives)
	u, err := s.Compile("import \"fmt\"\n\nvar big [1 << 50]byte\nfmt.Println(len(big))", 4)
	if err == nil {
		_, err = b.Build(t.Context(), u)
	}
	var found Errors
	if !errors.As(err, &found) || found[0].Cell != 4 || !strings.Contains(found[0].Text(), "larger than address space\n    var big") {
		t.Errorf("got %v", err)
	}
}

// TestWholePlugins: where the slim linker cannot be built, that is said and Go's own linker makes the plugin.
func TestWholePlugins(t *testing.T) {
	archives, err := archivesOnce()
	if err != nil {
		t.Fatal(err)
	}
	tools, dir := *archives.base.Tools(), t.TempDir()
	tools.Root = filepath.Join(dir, "no sources")
	host, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for range 2 { // the second time the failure is known
		b, err := NewBuilder(t.Context(), &tools, archives, dir, t.TempDir(), host)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(b.Whole(), "no sources") {
			t.Errorf("the reason is %q", b.Whole())
		}
		u, err := newTestSession(t).Compile("x := 1", 1)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := b.Build(t.Context(), u); err != nil {
			t.Error(err)
		}
	}
}

// TestGuardIsInlined: the check for interruption is two instructions and no call.
func TestGuardIsInlined(t *testing.T) {
	archives, err := archivesOnce()
	if err != nil {
		t.Fatal(err)
	}
	b := newTestBuilder(t, archives)
	u, err := newTestSession(t).Compile("n := 1\nfor n < 1000 { n *= 2 }", 1)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.Build(t.Context(), u); err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(b.dir, "c1")
	out, err := command(t.Context(), dir, b.tools.env, filepath.Join(b.tools.ToolDir, "compile"), "-m", "-o", "again.a", "-p", u.Path(), "-dynlink",
		"-importcfg", "compile.cfg", "cell.go", "loader.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, call := range []string{"rt.Stopped", "atomic.(*Int32).Load"} {
		if !strings.Contains(string(out), "inlining call to "+call) {
			t.Errorf("%s is called:\n%s", call, out)
		}
	}
}
