package ship

import "strings"

// Frames returns the places in notebook cells that a stack passes through, innermost first, as " at cell[3]:7 < cell[4]:2";
// for a program that is not a notebook's, the whole stack on lines of its own. It is for the errors that panics become in
// shipped programs.
func Frames(stack string) string {
	var cells []string
	for line := range strings.Lines(stack) {
		line = strings.TrimSpace(line)
		if at := strings.Index(line, "cell["); at >= 0 {
			cells = append(cells, strings.Fields(line[at:])[0])
		}
	}
	if len(cells) == 0 {
		return "\n" + stack
	}
	return " at " + strings.Join(cells, " < ")
}
