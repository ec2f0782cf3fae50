package cell

// Misspelt names, and the ones that are meant.

import "strings"

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

// distance is the number of letters to insert, delete, change or swap with their neighbour (Damerau and Levenshtein).
func distance(a, b string) int {
	before, row := make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		next := make([]int, len(b)+1)
		next[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			next[j+1] = min(row[j+1]+1, next[j]+1, row[j]+cost)
			if i > 0 && j > 0 && a[i] == b[j-1] && a[i-1] == b[j] {
				next[j+1] = min(next[j+1], before[j-1]+1)
			}
		}
		before, row = row, next
	}
	return row[len(b)]
}
