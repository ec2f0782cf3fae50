package ship

import (
	"slices"
	"strings"
)

// framesShown is how many frames of a panic in a program that is no notebook's are worth showing.
const framesShown = 5

// Frames returns the places in notebook cells that a stack passes through, innermost first, as " at cell[3]:7 < cell[4]:2";
// for a program that is not a notebook's, the innermost frames above the panic, on lines of their own. It is for the errors that
// panics become.
func Frames(stack string) string {
	var cells []string
	for line := range strings.Lines(stack) {
		line = strings.TrimSpace(line)
		if at := strings.Index(line, "cell["); at >= 0 {
			cells = append(cells, strings.Fields(line[at:])[0])
		}
	}
	if len(cells) == 0 {
		lines := strings.Split(strings.TrimSpace(stack), "\n")
		if i := slices.IndexFunc(lines, func(l string) bool { return strings.HasPrefix(l, "panic(") }); i >= 0 && i+2 < len(lines) {
			lines = lines[i+2:]
		}
		return "\n" + strings.Join(lines[:min(len(lines), 2*framesShown)], "\n")
	}
	return " at " + strings.Join(cells, " < ")
}
