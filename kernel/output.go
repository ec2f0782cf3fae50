package kernel

import (
	"context"
	"errors"
	"fmt"

	"gomosaic/kernel/wire"
)

// output turns what a cell writes into messages whose parent is that cell's request, also when the cell has ended and a
// goroutine of it writes on. It implements host.Output; the host calls it from one goroutine at a time.
type output struct {
	front      *front
	cell       context.Context // ends when the cell is interrupted or has ended
	parent     *wire.Message
	count      int
	silent     bool
	allowStdin bool
	payloads   []any
	result     func(data, metadata map[string]any) // takes the result instead of the notebook; nil: execute_result
}

// Stream publishes text that the cell wrote to "stdout" or "stderr".
func (o *output) Stream(name, text string) {
	o.publish("stream", map[string]any{"name": name, "text": text})
}

// Display publishes a bundle by MIME type; update replaces what transient's display_id named before.
func (o *output) Display(data, metadata, transient map[string]any, update bool) {
	msgType := "display_data"
	if update {
		msgType = "update_display_data"
	}
	o.publish(msgType, map[string]any{"data": orEmpty(data), "metadata": orEmpty(metadata), "transient": orEmpty(transient)})
}

// Result publishes the value of the cell's last expression.
func (o *output) Result(data, metadata map[string]any) {
	if o.result != nil {
		o.result(orEmpty(data), orEmpty(metadata))
		return
	}
	if !o.silent {
		o.publish("execute_result", map[string]any{"data": orEmpty(data), "metadata": orEmpty(metadata), "execution_count": o.count})
	}
}

// ClearOutput clears the cell's output, or with wait when the next output arrives.
func (o *output) ClearOutput(wait bool) { o.publish("clear_output", map[string]any{"wait": wait}) }

// Payload keeps what the cell's execute_reply asks of the client.
func (o *output) Payload(payload map[string]any) { o.payloads = append(o.payloads, payload) }

// publish sends a message of this cell. A value that JSON cannot hold (a NaN in a bundle) is told to the user, who
// would otherwise miss the output without a word.
func (o *output) publish(msgType string, content any) {
	if err := o.front.channels.Publish(o.parent, msgType, content); err != nil {
		o.front.publish(o.parent, "stream", map[string]any{"name": "stderr", "text": fmt.Sprintf("this output cannot be shown: %v\n", err)})
	}
}

func orEmpty(m map[string]any) map[string]any {
	if m == nil {
		return map[string]any{}
	}
	return m
}

var (
	errNoStdin     = errors.New("the client that runs this cell takes no input requests (allow_stdin is false)")
	errInterrupted = errors.New("interrupted while waiting for input")
)

// Input asks the client that runs the cell for a line of text.
func (o *output) Input(prompt string, password bool) (string, error) {
	if !o.allowStdin {
		return "", errNoStdin
	}
	o.front.asking.Lock()
	defer o.front.asking.Unlock()
	if o.cell.Err() != nil {
		return "", errInterrupted
	}
	select {
	case <-o.front.replies: // the late answer to a request that was interrupted
	default:
	}
	if err := o.front.channels.Request(o.cell, wire.Stdin, o.parent, "input_request", map[string]any{"prompt": prompt, "password": password}); err != nil {
		if o.cell.Err() != nil {
			err = errInterrupted
		}
		return "", err
	}
	select {
	case text := <-o.front.replies:
		return text, nil
	case <-o.cell.Done():
		return "", errInterrupted
	}
}

// takeInput keeps the newest input_reply for the cell that waits for it.
func (f *front) takeInput(m *wire.Message) {
	if m.Header.Type != "input_reply" {
		return
	}
	var reply struct {
		Value string `json:"value"`
	}
	if err := m.Decode(&reply); err != nil {
		f.options.Log("%v", err)
		return
	}
	for {
		select {
		case f.replies <- reply.Value:
			return
		default:
		}
		select {
		case <-f.replies:
		default:
		}
	}
}
