package host

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

// expectedFailures are blocks of cells.txt whose expectation is wrong, by name, with the sentence that makes it so.
var expectedFailures = map[string]string{
	// Go specification, "Short variable declarations".
	"last expr assign should be silent?": `"It is shorthand for a regular variable declaration with initializer expressions but no types": no expression, so nothing is shown`,
	// docs/kernel.md, "Check".
	"?err partial state after error": `"All errors are reported at once, before anything runs": the first statement of a cell with an error sets no variable`,
}

// TestCells runs the blocks of all cells files: cells in one session each, then lines that must be part of what they gave
// out. BLOCK=word runs only the blocks whose names contain it.
func TestCells(t *testing.T) {
	files, err := filepath.Glob("../cell/testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatal("no cells files: ", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) { runBlocks(t, file, expectedFailures) })
	}
}

// workers is how many sessions share the blocks: compiling leaves cores idle while cells run.
const workers = 3

func runBlocks(t *testing.T, file string, failures map[string]string) {
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	blocks := strings.Split("\n"+string(data), "\n=== ")[1:]
	if only := os.Getenv("BLOCK"); only != "" {
		blocks = slices.DeleteFunc(blocks, func(block string) bool {
			name, _, _ := strings.Cut(block, "\n")
			return !strings.Contains(name, only)
		})
	}
	var passed atomic.Int32
	var group sync.WaitGroup
	for w := range workers {
		n := openNotebook(t)
		group.Go(func() {
			for i := w; i < len(blocks); i += workers {
				if n.block(blocks[i], failures) {
					passed.Add(1)
				}
			}
		})
	}
	group.Wait()
	t.Logf("%d of %d blocks pass", passed.Load(), len(blocks))
}

// block runs one block and tells whether it does as it says. The host is shared by the blocks, the session is not: each
// starts with nothing declared and nothing imported.
func (n *notebook) block(block string, failures map[string]string) bool {
	name, rest, _ := strings.Cut(block, "\n")
	cells, want, _ := strings.Cut(rest, "\n>>> ")
	n.forget()
	var all strings.Builder
	for _, code := range strings.Split(cells, "\n---\n") {
		text, _ := n.run(code)
		all.WriteString(text + "\n")
	}
	missing := ""
	for line := range strings.SplitSeq(strings.TrimSpace(want), "\n") {
		if !strings.Contains(all.String(), line) {
			missing = line
		}
	}
	reason, expected := failures[name]
	switch {
	case missing == "" && expected:
		n.t.Errorf("%s: passes, but is listed as failing: %s", name, reason)
	case missing != "" && !expected:
		n.t.Errorf("%s:\n%s\nmisses %q in:\n%s", name, cells, missing, all.String())
	}
	return missing == ""
}

// forget makes the session new, on the host that runs.
func (n *notebook) forget() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.model = n.newModel(n.model.Seq())
	n.count = 0
}
