package cell

// Which packages cells may import, for hints and completion.

import (
	"slices"
	"strings"
)

// importable tells whether cells may import a path: not what is internal to others.
func importable(path string) bool {
	return !strings.HasPrefix(path, "vendor/") && !strings.Contains("/"+path+"/", "/internal/")
}

// Suggest lists importable packages of the given name: the standard library first, short paths first.
func (a *Archives) Suggest(name string) []string {
	a.mu.Lock()
	defer a.mu.Unlock()
	var paths []string
	for path, p := range a.all() {
		if p.name == name && importable(path) {
			paths = append(paths, path)
		}
	}
	slices.SortFunc(paths, func(x, y string) int {
		if d := strings.Count(x, ".") - strings.Count(y, "."); d != 0 {
			return d
		}
		if d := len(x) - len(y); d != 0 {
			return d
		}
		return strings.Compare(x, y)
	})
	return paths
}

// Paths lists the import paths that begin with prefix, for completion.
func (a *Archives) Paths(prefix string) []string {
	a.mu.Lock()
	defer a.mu.Unlock()
	var paths []string
	for path := range a.all() {
		if strings.HasPrefix(path, prefix) && importable(path) {
			paths = append(paths, path)
		}
	}
	slices.Sort(paths)
	return paths
}

// Names lists the names of importable packages that begin with prefix, for completion.
func (a *Archives) Names(prefix string) []string {
	a.mu.Lock()
	defer a.mu.Unlock()
	names := map[string]bool{}
	for path, p := range a.all() {
		if strings.HasPrefix(p.name, prefix) && importable(path) {
			names[p.name] = true
		}
	}
	return sortedKeys(names)
}
