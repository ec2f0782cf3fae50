package plan

import (
	"cmp"
	"slices"
	"strings"
)

// Nearest returns "did you mean a, b?" with up to three of the known names that differ from word by few letters, or "".
func Nearest(word string, known []string) string {
	type near struct {
		name string
		d    int
	}
	var found []near
	word = strings.ToLower(word)
	for _, k := range known {
		low := strings.ToLower(k)
		d := distance(word, low)
		if len(word) >= 3 && (strings.HasPrefix(low, word) || strings.HasPrefix(word, low) && len(low) >= 3) {
			d = min(d, 1)
		}
		if d <= max(1, len(word)/3) {
			found = append(found, near{k, d})
		}
	}
	if len(found) == 0 {
		return ""
	}
	slices.SortFunc(found, func(a, b near) int { return cmp.Or(cmp.Compare(a.d, b.d), cmp.Compare(a.name, b.name)) })
	names := make([]string, 0, 3)
	for _, f := range found[:min(3, len(found))] {
		names = append(names, f.name)
	}
	return "did you mean " + strings.Join(names, ", ") + "?"
}

// distance is Levenshtein's edit distance in bytes.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, diagonal+1)
		}
	}
	return row[len(b)]
}
