package cell

import (
	"fmt"
	"go/types"
	"regexp"
	"strings"
)

var (
	undefinedName   = regexp.MustCompile(`^undefined: (\S+)$`)
	undefinedMember = regexp.MustCompile(`^(\S+)\.(\S+) undefined \(type`)
)

// hint says what to do about the usual slips, or nothing.
func (c *compilation) hint(e types.Error) string {
	if m := undefinedName.FindStringSubmatch(e.Msg); m != nil {
		name := strings.TrimSuffix(m[1], freshMark)
		if c.s.config.Suggest != nil {
			if paths := c.s.config.Suggest(name); len(paths) > 0 {
				return importHint(paths)
			}
		}
		if near := nearest(name, c.knownNames()); near != "" {
			return "did you mean " + near + "?"
		}
	}
	if m := undefinedMember.FindStringSubmatch(e.Msg); m != nil {
		name := strings.TrimSuffix(m[1], freshMark)
		path, isImport := c.s.imports[name]
		if !isImport && c.s.config.Suggest != nil && c.s.objects[name] != nil {
			if paths := c.s.config.Suggest(name); len(paths) > 0 {
				path, isImport = paths[0], true
			}
		}
		_, isVariable := c.s.objects[name].(*types.Var)
		if isImport && (isVariable || c.declared[name]) {
			return fmt.Sprintf("the variable %s hides the package %q: rename the variable, or import the package again", name, path)
		}
	}
	return ""
}

// importAdvice says how to get a package that is not there. A path with a dot in its first element is a module's.
func importAdvice(path string, err error) string {
	if !strings.Contains(err.Error(), notThere) {
		return ""
	}
	first, _, _ := strings.Cut(path, "/")
	if strings.Contains(first, ".") {
		return "%get " + path
	}
	return "a folder of yours becomes importable by %use ./" + first
}

func importHint(paths []string) string {
	quoted := make([]string, min(len(paths), 3))
	for i := range quoted {
		quoted[i] = fmt.Sprintf("import %q", paths[i])
	}
	return strings.Join(quoted, " or ")
}

func (c *compilation) knownNames() []string {
	var names []string
	for _, name := range c.pkg.Scope().Names() {
		if !isGenerated(name) {
			names = append(names, strings.TrimSuffix(name, freshMark))
		}
	}
	for name := range c.imports {
		names = append(names, name)
	}
	for name := range preludeNames {
		names = append(names, name)
	}
	return names
}

// nearest is the name that differs from the given one by one letter (two in long names) or by case, or "".
func nearest(name string, names []string) string {
	best, limit := "", 1+len(name)/6
	if len(name) < 3 {
		limit = 0
	}
	for _, other := range names {
		if strings.EqualFold(name, other) && name != other {
			return other
		}
		if d := distance(name, other); d > 0 && (d < limit+1) && (best == "" || d < distance(name, best) || d == distance(name, best) && other < best) {
			best = other
		}
	}
	return best
}

// distance is Levenshtein's, in bytes.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			diagonal, row[j+1] = row[j+1], min(row[j+1]+1, row[j]+1, diagonal+cost)
		}
	}
	return row[len(b)]
}
