package cell

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// listed bounds how many entries of a folder are looked at.
const listed = 10_000

// pathMatches are the files and folders whose path begins as text does, relative to dir: the last part of each, folders
// with a / at the end. Hidden ones are listed where the text asks for them.
func pathMatches(dir, text string) []Match {
	folder, name := text[:strings.LastIndexByte(text, '/')+1], text[strings.LastIndexByte(text, '/')+1:]
	where := folder
	if rest, ok := strings.CutPrefix(folder, "~/"); ok {
		home, err := os.UserHomeDir()
		if err != nil {
			return nil
		}
		where = filepath.Join(home, rest)
	} else if !filepath.IsAbs(folder) {
		where = filepath.Join(dir, folder)
	}
	f, err := os.Open(where)
	if err != nil {
		return nil
	}
	defer f.Close()
	entries, _ := f.ReadDir(listed)
	var out []Match
	for _, e := range entries {
		if !strings.HasPrefix(e.Name(), name) || e.Name()[0] == '.' && !strings.HasPrefix(name, ".") || strings.ContainsAny(e.Name(), "\"\\`\n") {
			continue
		}
		text := e.Name()
		if info, err := os.Stat(filepath.Join(where, text)); err == nil && info.IsDir() {
			text += "/"
		}
		out = append(out, Match{Text: text, Kind: "path"})
	}
	slices.SortFunc(out, func(a, b Match) int { return strings.Compare(a.Text, b.Text) })
	return out
}
