package cell

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// keyed environment changes what the compiler makes.
var keyedEnv = []string{"GOAMD64", "GOARM64", "GOEXPERIMENT", "CGO_CFLAGS", "CGO_LDFLAGS", "CC"}

// moduleKey names the state of everything that a list of archives depends on: the Go version, the module's
// requirements, and its sources with those of local replacements.
func moduleKey(m *Module, roots []string) (string, error) {
	h := sha256.New()
	fmt.Fprintf(h, "v1 %s %s %q\n", m.tools.Version, m.tools.Root, roots)
	for _, name := range keyedEnv {
		fmt.Fprintf(h, "%s=%s\n", name, os.Getenv(name))
	}
	if m.folder != "" {
		for _, name := range []string{"go.mod", "go.sum", "overlay.json"} {
			data, _ := os.ReadFile(m.file(name)) // there need be none
			fmt.Fprintf(h, "%s %q %q\n", name, data, m.tools.userFlags)
		}
	}
	dirs, err := m.localFolders()
	if err != nil {
		return "", err
	}
	for _, dir := range dirs {
		err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			name := d.Name()
			if d.IsDir() {
				if path != dir && (strings.HasPrefix(name, ".") || strings.HasPrefix(name, "_") || name == "testdata" || name == "out") {
					return filepath.SkipDir
				}
				return nil
			}
			if !d.Type().IsRegular() || strings.HasSuffix(name, "_test.go") {
				return nil
			}
			rel, err := filepath.Rel(dir, path)
			if err != nil {
				return err
			}
			switch filepath.Ext(name) {
			case ".go", ".s", ".c", ".h", ".mod", ".sum":
				data, err := os.ReadFile(path)
				if err != nil {
					return err
				}
				fmt.Fprintf(h, "%s %x\n", rel, sha256.Sum256(data))
			case ".js", ".json", ".tmpl", ".txt", ".svg", ".cpp": // what a package may embed
				info, err := d.Info()
				if err != nil {
					return err
				}
				fmt.Fprintf(h, "%s %d %d\n", rel, info.Size(), info.ModTime().UnixNano())
			}
			return nil
		})
		if err != nil {
			return "", fmt.Errorf("sources of cells' packages: %w", err)
		}
	}
	return hex.EncodeToString(h.Sum(nil)[:12]), nil
}

// localFolders are the clone and the folders that go.mod puts in the place of modules.
func (m *Module) localFolders() ([]string, error) {
	mod, err := m.read()
	if err != nil {
		return nil, err
	}
	dirs := []string{m.dir}
	for _, r := range mod.Replace {
		if r.New.Version == "" {
			dirs = append(dirs, absoluteIn(m.dir, r.New.Path))
		}
	}
	return dirs, nil
}

func absoluteIn(dir, path string) string {
	if filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(dir, path)
}

func modified(path string) time.Time {
	info, err := os.Stat(path)
	if err != nil {
		return time.Time{}
	}
	return info.ModTime()
}
