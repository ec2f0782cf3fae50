// Package notebook reads and writes .ipynb files, and executes them without Jupyter.
package notebook

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Notebook is an .ipynb file of nbformat 4. What this package does not know of is kept as it was.
type Notebook struct {
	Cells []*Cell
	raw   map[string]any
}

// Cell is one cell.
type Cell struct {
	Type   string // code, markdown, raw
	Source string
	raw    map[string]any
}

// Read reads a notebook.
func Read(r io.Reader) (*Notebook, error) {
	decoder := json.NewDecoder(r)
	decoder.UseNumber()
	n := &Notebook{}
	if err := decoder.Decode(&n.raw); err != nil {
		return nil, fmt.Errorf("no notebook: %w", err)
	}
	if format := fmt.Sprint(n.raw["nbformat"]); format != "4" {
		return nil, fmt.Errorf("nbformat is %s: want 4 (jupyter nbconvert --to notebook --nbformat 4 converts it)", format)
	}
	cells, ok := n.raw["cells"].([]any)
	if !ok {
		return nil, fmt.Errorf("no notebook: it has no list of cells")
	}
	for i, c := range cells {
		raw, ok := c.(map[string]any)
		if !ok {
			return nil, fmt.Errorf("cell %d is no object", i)
		}
		cell := &Cell{raw: raw, Source: joined(raw["source"])}
		cell.Type, _ = raw["cell_type"].(string)
		n.Cells = append(n.Cells, cell)
	}
	return n, nil
}

// ReadFile reads a notebook's file.
func ReadFile(path string) (*Notebook, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	n, err := Read(bytes.NewReader(data))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return n, nil
}

// Write writes the notebook as Jupyter does: keys in order, one blank of indent.
func (n *Notebook) Write(w io.Writer) error {
	cells := make([]any, len(n.Cells))
	for i, c := range n.Cells {
		c.raw["cell_type"], c.raw["source"] = c.Type, lines(c.Source)
		cells[i] = c.raw
	}
	n.raw["cells"] = cells
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", " ")
	return e.Encode(n.raw)
}

// WriteFile writes the notebook to a file, as a whole.
func (n *Notebook) WriteFile(path string) error {
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	err = n.Write(f)
	if e := f.Chmod(0o644); err == nil {
		err = e
	}
	if e := f.Close(); err == nil {
		err = e
	}
	if err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}

// Language is the language that the notebook's kernelspec names, or "".
func (n *Notebook) Language() string {
	metadata, _ := n.raw["metadata"].(map[string]any)
	for _, key := range []string{"kernelspec", "language_info"} {
		about, _ := metadata[key].(map[string]any)
		for _, field := range []string{"language", "name"} {
			if language, ok := about[field].(string); ok && (field == "language" || key == "language_info") {
				return language
			}
		}
	}
	return ""
}

// HasTag tells whether a cell is tagged.
func (c *Cell) HasTag(tag string) bool {
	metadata, _ := c.raw["metadata"].(map[string]any)
	tags, _ := metadata["tags"].([]any)
	return slices.Contains(tags, any(tag))
}

// Text is what the cell printed and showed as plain text, as it is in the file.
func (c *Cell) Text() string {
	var b strings.Builder
	outputs, _ := c.raw["outputs"].([]any)
	for _, o := range outputs {
		output, _ := o.(map[string]any)
		b.WriteString(joined(output["text"]))
		if data, ok := output["data"].(map[string]any); ok {
			b.WriteString(joined(data["text/plain"]) + "\n")
		}
	}
	return b.String()
}

// joined is a multi-line string: one string or a list of them.
func joined(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case []any:
		var b strings.Builder
		for _, line := range v {
			s, _ := line.(string)
			b.WriteString(s)
		}
		return b.String()
	}
	return ""
}

// lines is a multi-line string as it is written: a list of lines with their ends.
func lines(s string) []any {
	list := []any{}
	for line := range strings.Lines(s) {
		list = append(list, line)
	}
	return list
}
