package host

import (
	"fmt"
	"strings"

	"gomosaic/kernel/cell"
	"gomosaic/kernel/cell/magic"
)

const helpIntro = "A cell is Go: imports, declarations and statements at top level. Its last expression is shown."

// helpNames are what every cell knows without an import, beside the preloaded packages.
var helpNames = [][2]string{
	{"ctx", "a context that ends when its cell is interrupted or fails; what the cell has started with it goes on otherwise"},
	{"check(err)", "stops the cell with the message of an error that is not nil"},
	{"check1(f())", "the value of a call that returns one and an error, or the cell's end"},
	{"Display(x)", "shows any value; display.HTML, display.Markdown, display.Image, … make values to show"},
}

// helpText is %help for terminals; packages are those that need no import.
func helpText(packages []cell.Preload) string {
	var b strings.Builder
	b.WriteString(helpIntro + "\n\n")
	width := 0
	for _, m := range magic.All() {
		width = max(width, len(m.Usage))
	}
	for _, pair := range helpNames {
		fmt.Fprintf(&b, "%-*s  %s\n", width, pair[0], pair[1])
	}
	b.WriteString("\n")
	for _, m := range magic.All() {
		fmt.Fprintf(&b, "%-*s  %s\n", width, m.Usage, m.Doc)
	}
	fmt.Fprintf(&b, "\nPackages that need no import: %s.\n", strings.Join(namesOf(packages), ", "))
	return b.String()
}

// helpMarkdown is %help for notebooks.
func helpMarkdown(packages []cell.Preload) string {
	var b strings.Builder
	escape := strings.NewReplacer("|", `\|`)
	row := func(code, text string) {
		fmt.Fprintf(&b, "| `%s` | %s |\n", escape.Replace(code), escape.Replace(text))
	}
	b.WriteString(helpIntro + "\n\n| | |\n|:--|:--|\n")
	for _, pair := range helpNames {
		row(pair[0], pair[1])
	}
	for _, m := range magic.All() {
		row(m.Usage, m.Doc)
	}
	fmt.Fprintf(&b, "\nPackages that need no import: `%s`.\n", strings.Join(namesOf(packages), "`, `"))
	return b.String()
}

func namesOf(packages []cell.Preload) []string {
	names := make([]string, len(packages))
	for i, p := range packages {
		names[i] = p.Name
	}
	return names
}
