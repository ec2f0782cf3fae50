package gomosaic_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// machine makes a folder of programs that is a whole PATH: the basic commands, and scripts of the given content.
func machine(t *testing.T, scripts map[string]string) (path string) {
	t.Helper()
	path = t.TempDir()
	for _, name := range []string{"bash", "sh", "env", "id", "uname", "sed", "sort", "head", "printf", "cat"} {
		real, err := exec.LookPath(name)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(real, filepath.Join(path, name)); err != nil {
			t.Fatal(err)
		}
	}
	for name, script := range scripts {
		if err := os.WriteFile(filepath.Join(path, name), []byte("#!/bin/sh\n"+script+"\n"), 0o777); err != nil {
			t.Fatal(err)
		}
	}
	return path
}

// TestPrerequisites: what is missing or too old stops the set-up at once, with its name and the command that installs it.
func TestPrerequisites(t *testing.T) {
	whole := map[string]string{
		"go":      `echo go1.26.8`,
		"g++":     `:`,
		"make":    `:`,
		"python3": `case "$2" in *version_info*) echo 3.11;; esac`,
	}
	tests := []struct {
		name    string
		change  string // the program
		script  string // what it is now; empty: missing
		wants   []string
		refused bool
	}{
		{"whole", "", "", []string{"python3"}, false},
		{"no go", "go", "", []string{"Go 1.26", "no go on PATH", "/usr/local"}, true},
		{"old go", "go", `echo go1.25.4`, []string{"Go 1.26", "1.25.4"}, true},
		{"next go", "go", `echo go1.30`, []string{"python3"}, false},
		{"no g++", "g++", "", []string{"g++", "apt-get install -y g++"}, true},
		{"no make", "make", "", []string{"make", "apt-get install -y make"}, true},
		{"no python", "python3", "", []string{"Python 3.11", "apt-get install -y python3"}, true},
		{"old python", "python3", `echo 3.9`, []string{"Python 3.11", "3.9", "apt-get install"}, true},
		{"no venv", "python3", `case "$2" in *version_info*) echo 3.12;; *venv*) exit 1;; esac`, []string{"venv", "apt-get install -y python3-venv"}, true},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			scripts := map[string]string{}
			for name, script := range whole {
				scripts[name] = script
			}
			if test.script != "" {
				scripts[test.change] = test.script
			} else {
				delete(scripts, test.change)
			}
			cmd := exec.Command("setup/prerequisites.sh")
			cmd.Env = []string{"PATH=" + machine(t, scripts), "HOME=" + t.TempDir()}
			out, err := cmd.CombinedOutput()
			if (err != nil) != test.refused {
				t.Errorf("err = %v, want refused = %v", err, test.refused)
			}
			for _, want := range test.wants {
				if !strings.Contains(string(out), want) {
					t.Errorf("output lacks %q:\n%s", want, out)
				}
			}
		})
	}
}

// TestFailedDownload: a package that cannot be had is named, and no stamp says that the environment is whole.
func TestFailedDownload(t *testing.T) {
	venv := t.TempDir()
	script := `. setup/pip.sh; python3 -m venv "$1" && pip_install "$1" --no-index no-such-package==9.9.9`
	cmd := exec.Command("bash", "-c", script, "bash", venv)
	cmd.Env = append(os.Environ(), "PIP_FIND_LINKS=")
	out, err := cmd.CombinedOutput()
	if err == nil {
		t.Error("the installation of a package that does not exist went well")
	}
	for _, want := range []string{"no-such-package==9.9.9", "run the same make again"} {
		if !strings.Contains(string(out), want) {
			t.Errorf("output lacks %q:\n%s", want, out)
		}
	}
}
