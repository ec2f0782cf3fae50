package host

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"unicode/utf8"

	"gomosaic/kernel/cell/rt/shell"
)

// inputs are the cells that a session was given, for %history and %load. It is safe for concurrent use.
type inputs struct {
	mu   sync.Mutex
	list []cellInput
}

// cellInput is one cell.
type cellInput struct {
	cell int
	code string
}

// add keeps a cell. What else is run under its number, such as a client's expressions, is no input.
func (in *inputs) add(cell int, code string) {
	in.mu.Lock()
	defer in.mu.Unlock()
	if n := len(in.list); cell > 0 && (n == 0 || in.list[n-1].cell < cell) {
		in.list = append(in.list, cellInput{cell, code})
	}
}

// between gives the cells numbered from first to last.
func (in *inputs) between(first, last int) []cellInput {
	in.mu.Lock()
	defer in.mu.Unlock()
	var found []cellInput
	for _, i := range in.list {
		if i.cell >= first && i.cell <= last {
			found = append(found, i)
		}
	}
	return found
}

// cellRange reads "3" or "2-5".
func cellRange(text string) (first, last int, ok bool) {
	from, to, isRange := strings.Cut(text, "-")
	first, err := strconv.Atoi(from)
	if err != nil {
		return 0, 0, false
	}
	if !isRange {
		return first, first, true
	}
	last, err = strconv.Atoi(to)
	return first, last, err == nil && first <= last
}

func (s *Session) magicHistory(_ context.Context, m magicCall) error {
	args := strings.Fields(m.Args)
	numbers := slices.Contains(args, "-n")
	args = slices.DeleteFunc(args, func(arg string) bool { return arg == "-n" })
	first, last := 1, m.cell-1
	if len(args) > 0 {
		var ok bool
		if first, last, ok = cellRange(strings.Join(args, " ")); !ok {
			return fmt.Errorf("want one cell's number or one range such as 2-5, got %q; usage: %s", m.Args, m.Usage)
		}
	}
	for _, in := range s.inputs.between(first, last) {
		if numbers {
			m.printf("// cell[%d]\n", in.cell)
		}
		m.printf("%s\n", strings.TrimRight(in.code, "\n"))
	}
	return nil
}

// loadBytes bounds what %load puts into a cell.
const loadBytes = 1 << 20

// magicLoad asks the client to put a file's text, or earlier cells, in the place of the cell.
func (s *Session) magicLoad(_ context.Context, m magicCall) error {
	text := ""
	if first, last, ok := cellRange(m.Args); ok {
		for _, in := range s.inputs.between(first, last) {
			text += strings.TrimRight(in.code, "\n") + "\n"
		}
		if text == "" {
			return fmt.Errorf("no cell %s was run", m.Args)
		}
	} else {
		path, err := shell.Home(strings.Trim(m.Args, `"'`))
		if err != nil {
			return err
		}
		if !filepath.IsAbs(path) {
			path = filepath.Join(s.workingDir(), path)
		}
		info, err := os.Stat(path)
		if err != nil {
			return err
		}
		if info.Size() > loadBytes {
			return fmt.Errorf("%s has %d bytes; a cell takes up to %d", path, info.Size(), loadBytes)
		}
		b, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		if !utf8.Valid(b) {
			return fmt.Errorf("%s is no text in UTF-8", path)
		}
		text = string(b)
	}
	m.out.Payload(map[string]any{"source": "set_next_input", "text": "// %load " + m.Args + "\n" + strings.TrimRight(text, "\n"), "replace": true})
	return nil
}
