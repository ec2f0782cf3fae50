package kernel

import (
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strings"
)

// toolDirs are where compilers are installed; * stands for a release, of which the newest by name wins.
var toolDirs = []string{"/usr/local/go/bin", "~/go/bin", "~/sdk/go1.*/bin", "~/.local/go/bin", "/usr/lib/go-1.*/bin", "/usr/lib/go/bin",
	"/snap/bin", "/opt/homebrew/bin", "/usr/local/bin", "/usr/bin", "/bin"}

// CompleteEnvironment sets what a desktop or a service manager may have left out of this process's environment, and
// compilers need: HOME, and on PATH the folders of go and g++. What is set stays as it is and comes first.
func CompleteEnvironment() error {
	home := os.Getenv("HOME")
	if home == "" {
		u, err := user.Current()
		if err != nil {
			return err
		}
		home = u.HomeDir
		if err := os.Setenv("HOME", home); err != nil {
			return err
		}
	}
	var missing []string
	for _, program := range []string{"go", "g++", "ld"} {
		if _, err := exec.LookPath(program); err == nil {
			continue
		}
		if dir := findTool(program, home); dir != "" && !slices.Contains(missing, dir) {
			missing = append(missing, dir)
		}
	}
	if len(missing) == 0 {
		return nil
	}
	path := strings.Join(missing, string(os.PathListSeparator))
	if have := os.Getenv("PATH"); have != "" {
		path = have + string(os.PathListSeparator) + path
	}
	return os.Setenv("PATH", path)
}

// findTool returns the first of toolDirs that holds program, "" for none.
func findTool(program, home string) string {
	for _, pattern := range toolDirs {
		if rest, ok := strings.CutPrefix(pattern, "~"); ok {
			pattern = home + rest
		}
		dirs, _ := filepath.Glob(pattern)
		slices.Reverse(dirs)
		for _, dir := range dirs {
			if _, err := exec.LookPath(filepath.Join(dir, program)); err == nil {
				return dir
			}
		}
	}
	return ""
}
