package local

import (
	"fmt"
	"regexp"
	"strings"
)

// globCharacters are Hadoop's pattern characters.
const globCharacters = `*?[{\`

// hasGlob reports whether a path holds one of them.
func hasGlob(s string) bool { return strings.ContainsAny(s, globCharacters) }

// expandBraces writes out the alternatives {a,b/c} that go across folders, as Hadoop's GlobExpander does; the others are
// compileGlob's.
func expandBraces(path string) []string {
	depth, start, slash := 0, 0, false
	var cuts []int
	for i := 0; i < len(path); i++ {
		switch c := path[i]; {
		case c == '\\':
			i++
		case c == '{':
			if depth++; depth == 1 {
				start, slash, cuts = i, false, nil
			}
		case c == '/' && depth > 0:
			slash = true
		case c == ',' && depth == 1:
			cuts = append(cuts, i)
		case c == '}' && depth > 0:
			if depth--; depth > 0 || !slash {
				continue
			}
			var all []string
			from := start + 1
			for _, cut := range append(cuts, i) {
				all = append(all, expandBraces(path[:start]+path[from:cut]+path[i+1:])...)
				from = cut + 1
			}
			return all
		}
	}
	return []string{path}
}

// compileGlob turns a Hadoop glob of one path segment into a regular expression (org.apache.hadoop.fs.GlobPattern): *
// any run, ? any character, [a-z] and [^a-z] classes, {a,b} alternatives, \ before a character taken as it is.
func compileGlob(glob string) (*regexp.Regexp, error) {
	var b strings.Builder
	b.WriteString(`(?s)\A`)
	braces, class := 0, false
	for i := 0; i < len(glob); i++ {
		c := glob[i]
		switch {
		case c == '\\' && i+1 < len(glob):
			i++
			b.WriteString(regexp.QuoteMeta(glob[i : i+1]))
		case class:
			if c == ']' {
				class = false
			}
			if c == '[' || c == '&' {
				b.WriteByte('\\')
			}
			b.WriteByte(c)
		case c == '*':
			b.WriteString(".*")
		case c == '?':
			b.WriteByte('.')
		case c == '[':
			class = true
			b.WriteByte('[')
			if i+1 < len(glob) && (glob[i+1] == '^' || glob[i+1] == '!') {
				b.WriteByte('^')
				i++
			}
		case c == '{':
			braces++
			b.WriteString("(?:")
		case c == '}' && braces > 0:
			braces--
			b.WriteByte(')')
		case c == ',' && braces > 0:
			b.WriteByte('|')
		default:
			b.WriteString(regexp.QuoteMeta(glob[i : i+1]))
		}
	}
	if class || braces > 0 {
		return nil, fmt.Errorf("pattern %q: bracket without its end", glob)
	}
	re, err := regexp.Compile(b.String() + `\z`)
	if err != nil {
		return nil, fmt.Errorf("pattern %q: %w", glob, err)
	}
	return re, nil
}
