package notebook

import (
	"errors"
	"maps"
	"strings"
	"sync"

	"gomosaic/kernel/host"
)

// outputs is a notebook's display outputs by their display id: an update changes all that show it, in any cell.
type outputs struct {
	mu  sync.Mutex
	ids map[string][]map[string]any
}

// cellOutput is the host.Output of one cell.
type cellOutput struct {
	of    *outputs
	cell  *Cell
	count int
	clear bool // when the next output comes
	input func(prompt string, password bool) (string, error)
}

func (o *cellOutput) list() []any {
	list, _ := o.cell.raw["outputs"].([]any)
	return list
}

func (o *cellOutput) add(output map[string]any) {
	if o.clear {
		o.clear = false
		o.cell.raw["outputs"] = []any{}
	}
	o.cell.raw["outputs"] = append(o.list(), output)
}

// Stream adds to the text before, if that is of the same stream.
func (o *cellOutput) Stream(name, text string) {
	o.of.mu.Lock()
	defer o.of.mu.Unlock()
	if list := o.list(); len(list) > 0 && !o.clear {
		if last, _ := list[len(list)-1].(map[string]any); last["output_type"] == "stream" && last["name"] == name {
			last["text"] = lines(joined(last["text"]) + text)
			return
		}
	}
	o.add(map[string]any{"output_type": "stream", "name": name, "text": lines(text)})
}

// Display adds a display, or updates those with its id.
func (o *cellOutput) Display(data, metadata, transient map[string]any, update bool) {
	o.of.mu.Lock()
	defer o.of.mu.Unlock()
	id, _ := transient["display_id"].(string)
	if update {
		for _, shown := range o.of.ids[id] {
			shown["data"], shown["metadata"] = bundle(data), orEmpty(metadata)
		}
		return
	}
	output := map[string]any{"output_type": "display_data", "data": bundle(data), "metadata": orEmpty(metadata)}
	if id != "" {
		o.of.ids[id] = append(o.of.ids[id], output)
	}
	o.add(output)
}

// Result adds the value of the cell's last expression.
func (o *cellOutput) Result(data, metadata map[string]any) {
	o.of.mu.Lock()
	defer o.of.mu.Unlock()
	o.add(map[string]any{"output_type": "execute_result", "execution_count": o.count, "data": bundle(data), "metadata": orEmpty(metadata)})
}

// ClearOutput empties the cell.
func (o *cellOutput) ClearOutput(wait bool) {
	o.of.mu.Lock()
	defer o.of.mu.Unlock()
	o.clear = wait
	if !wait {
		o.cell.raw["outputs"] = []any{}
	}
}

// Input asks whom the options name, and fails where that is nobody.
func (o *cellOutput) Input(prompt string, password bool) (string, error) {
	if o.input != nil {
		return o.input(prompt, password)
	}
	return "", errors.New("the notebook is executed without a front-end: nobody can answer " + strings.TrimSpace(prompt))
}

// Payload is for front-ends: there is none.
func (o *cellOutput) Payload(map[string]any) {}

func (o *cellOutput) fail(e *host.CellError) {
	o.of.mu.Lock()
	defer o.of.mu.Unlock()
	traceback := make([]any, len(e.Traceback))
	for i, line := range e.Traceback {
		traceback[i] = line
	}
	o.add(map[string]any{"output_type": "error", "ename": e.Name, "evalue": e.Value, "traceback": traceback})
}

// bundle writes text of a bundle as lists of lines; JSON stays as it is.
func bundle(data map[string]any) map[string]any {
	written := maps.Clone(data)
	for mime, v := range written {
		if text, ok := v.(string); ok && mime != "application/json" {
			written[mime] = lines(text)
		}
	}
	return orEmpty(written)
}

func orEmpty(m map[string]any) map[string]any {
	if m == nil {
		return map[string]any{}
	}
	return m
}
