package host

// result is what the last expression of a cell shows. Made by the runner, as part of the cell: methods of the user's
// render it.

import (
	"encoding/json"
	"fmt"
	"maps"
	"strings"

	"gomosaic/display"
	"gomosaic/kernel/cell"
	"gomosaic/kernel/cell/rt"
)

// shown keeps the values of the last expression. A cell that was left behind and has come back shows nothing.
func (s *server) shown(values []any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.current != nil && s.current.goroutines == rt.Starting() {
		s.current.shown, s.current.shownAt = values, rt.Frames()
	}
}

// render makes the cell's result, or fails the cell. What renders is interrupted like the rest of the cell, also where a
// library on the way has recovered from that.
func (r *run) render() {
	if r.shown == nil {
		return
	}
	result, err := renderResult(r.shown)
	if r.goroutines.Interrupted() {
		panic(rt.Interrupted{})
	}
	if err != nil {
		panic(&rt.Failure{Err: err, Frames: r.shownAt})
	}
	r.result = result
}

// renderResult renders values whose methods may panic: that is said in their place then. An error is that of a value which
// says that it can't be shown. Where there is nothing to show the message has no data.
func renderResult(values []any) (message, error) {
	types := make([]string, len(values))
	for i, v := range values {
		types[i] = cell.Demangle(fmt.Sprintf("%T", v))
	}
	d, err := renderSafely(values)
	if err != nil {
		return message{}, err
	}
	m, err := newShown(msgResult, d)
	if err != nil {
		m = message{Kind: msgResult, Data: map[string]any{display.MIMETypeText: "(rendering failed: " + err.Error() + ")"}}
	}
	if m.Metadata == nil {
		m.Metadata = map[string]any{}
	}
	if _, own := m.Metadata["gomosaic"]; !own {
		m.Metadata["gomosaic"] = map[string]any{"type": strings.Join(types, ", ")}
	}
	return m, nil
}

func renderSafely(values []any) (d display.Data, err error) {
	defer func() {
		if p := rt.Recovered(recover()); p != nil {
			d = display.MakeData(display.MIMETypeText, fmt.Sprintf("(rendering panicked: %s\n%s)", rt.PanicText(p), rt.Trace(rt.Frames())))
		}
	}()
	return display.RenderResult(values...)
}

// newShown makes the message of something rendered. What is not text or bytes becomes JSON here and not when the message
// is sent: that may call methods of the user's, which must not run while others wait to send.
func newShown(kind string, d display.Data) (message, error) {
	m := message{Kind: kind, Data: maps.Clone(d.Data), Metadata: maps.Clone(d.Metadata), Transient: maps.Clone(d.Transient)}
	for _, part := range []map[string]any{m.Data, m.Metadata, m.Transient} {
		for key, v := range part {
			switch v.(type) {
			case string, []byte, nil:
				continue
			}
			encoded, err := json.Marshal(v)
			if err != nil {
				return message{}, fmt.Errorf("%s: %w", key, err)
			}
			part[key] = json.RawMessage(encoded)
		}
	}
	return m, nil
}
