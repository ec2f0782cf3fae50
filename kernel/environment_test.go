package kernel

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestCompleteEnvironment(t *testing.T) {
	home := homeless(t)
	bin, sdk := t.TempDir(), filepath.Join(home, "sdk", "go1.26.8", "bin")
	program(t, bin, "g++", "")
	program(t, bin, "ld", "")
	program(t, filepath.Join(home, "sdk", "go1.26.1", "bin"), "go", "")
	program(t, sdk, "go", "")
	t.Setenv("PATH", bin)
	if dir := findTool("go", home); dir != sdk && dir != "/usr/local/go/bin" && !strings.HasPrefix(dir, home+"/go") {
		t.Errorf("go is found in %q", dir)
	}
	if err := CompleteEnvironment(); err != nil {
		t.Fatal(err)
	}
	if path := os.Getenv("PATH"); !strings.HasPrefix(path, bin+":") || strings.Count(path, ":") != 1 {
		t.Errorf("PATH %q", path)
	}
	before := os.Getenv("PATH")
	if err := CompleteEnvironment(); err != nil || os.Getenv("PATH") != before {
		t.Errorf("the second call made PATH %q (%v)", os.Getenv("PATH"), err)
	}
	t.Setenv("HOME", "")
	if err := CompleteEnvironment(); err != nil || os.Getenv("HOME") == "" {
		t.Errorf("HOME %q (%v)", os.Getenv("HOME"), err)
	}
}

// TestLiveWithoutEnvironment: a kernel that is started with no HOME and no PATH runs cells.
func TestLiveWithoutEnvironment(t *testing.T) {
	c, _ := startLiveWith(t, []string{"XDG_STATE_HOME=" + t.TempDir()})
	if got := text(t, c, "1 + 1"); got != "2" {
		t.Errorf("%q", got)
	}
}
