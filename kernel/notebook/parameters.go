package notebook

import (
	"fmt"
	"go/token"
	"slices"
	"strconv"
	"strings"
)

// Parameter is a value for a notebook's variable.
type Parameter struct {
	Name, Value string
	Text        bool // Value is a string as it stands, also if it looks like a number
}

// SetParameters injects a cell that sets variables, as papermill does: behind the cell tagged parameters, where it assigns
// the variables declared there, else before all others, where it declares them. One that an earlier run injected is
// replaced.
func (n *Notebook) SetParameters(parameters []Parameter) error {
	n.Cells = slices.DeleteFunc(n.Cells, func(c *Cell) bool { return c.HasTag("injected-parameters") })
	at := slices.IndexFunc(n.Cells, func(c *Cell) bool { return c.Type == "code" && c.HasTag("parameters") })
	op := "="
	if at < 0 {
		op = ":="
	}
	var b strings.Builder
	b.WriteString("// Parameters\n")
	for _, p := range parameters {
		if !token.IsIdentifier(p.Name) {
			return fmt.Errorf("parameter %q: want the name of a variable", p.Name)
		}
		fmt.Fprintf(&b, "%s %s %s\n", p.Name, op, p.literal())
	}
	cell := &Cell{Type: "code", Source: strings.TrimSuffix(b.String(), "\n"), raw: map[string]any{
		"metadata": map[string]any{"tags": []any{"injected-parameters"}}, "outputs": []any{}, "execution_count": nil}}
	if minor, err := strconv.Atoi(fmt.Sprint(n.raw["nbformat_minor"])); err == nil && minor >= 5 {
		cell.raw["id"] = "injected-parameters"
	}
	n.Cells = slices.Insert(n.Cells, at+1, cell)
	return nil
}

// literal is the value in Go: a number or a boolean where it is one, else a string.
func (p Parameter) literal() string {
	if !p.Text {
		if p.Value == "true" || p.Value == "false" {
			return p.Value
		}
		if _, err := strconv.ParseInt(p.Value, 0, 64); err == nil {
			return p.Value
		}
		if _, err := strconv.ParseFloat(p.Value, 64); err == nil && strings.ContainsAny(p.Value, "0123456789") {
			return p.Value
		}
	}
	return strconv.Quote(p.Value)
}
