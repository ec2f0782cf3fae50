package kernel

import (
	"context"
	"runtime"
	"strings"
	"time"
	"unicode/utf8"

	"gomosaic/kernel/host"
	"gomosaic/kernel/wire"
)

// startWait is how long completion and inspection wait for a host that is still starting.
const startWait = 3 * time.Second

// answer answers one request that is no cell. Requests of unknown type get their busy and idle and no reply, as the
// protocol wants it.
func (f *front) answer(ctx context.Context, on wire.Channel, m *wire.Message) {
	reply := func(msgType string, content map[string]any) {
		if _, ok := content["status"]; !ok {
			content["status"] = "ok"
		}
		f.reply(on, m, msgType, content)
	}
	failed := func(msgType string, err error) {
		content := errorContent(err)
		content["status"] = "error"
		f.reply(on, m, msgType, content)
	}
	end := func() {}
	f.aside(m, func() {
		switch m.Header.Type {
		case "kernel_info_request":
			reply("kernel_info_reply", f.info())
		case "complete_request":
			var r positionRequest
			if err := m.Decode(&r); err != nil {
				failed("complete_reply", err)
				return
			}
			reply("complete_reply", f.complete(ctx, r))
		case "inspect_request":
			var r positionRequest
			if err := m.Decode(&r); err != nil {
				failed("inspect_reply", err)
				return
			}
			reply("inspect_reply", f.inspect(ctx, r))
		case "is_complete_request":
			var r struct {
				Code string `json:"code"`
			}
			if err := m.Decode(&r); err != nil {
				failed("is_complete_reply", err)
				return
			}
			reply("is_complete_reply", isComplete(r.Code))
		case "history_request":
			var r historyRequest
			if err := m.Decode(&r); err != nil {
				failed("history_reply", err)
				return
			}
			entries, err := f.history.find(r)
			if err != nil {
				failed("history_reply", err)
				return
			}
			reply("history_reply", map[string]any{"history": entries})
		case "comm_info_request":
			reply("comm_info_reply", map[string]any{"comms": map[string]any{}})
		case "comm_open":
			f.refuseComm(m)
		case "interrupt_request":
			f.interrupt()
			reply("interrupt_reply", map[string]any{})
		case "shutdown_request":
			var r struct {
				Restart bool `json:"restart"`
			}
			if err := m.Decode(&r); err != nil {
				failed("shutdown_reply", err)
				return
			}
			content := map[string]any{"restart": r.Restart}
			reply("shutdown_reply", content)
			f.publish(m, "shutdown_reply", content) // so that other clients learn of it
			end = f.quit
		case "debug_request":
			f.refuseDebug(on, m)
		}
	})
	end()
}

// info is the content of kernel_info_reply.
func (f *front) info() map[string]any {
	version := strings.TrimPrefix(runtime.Version(), "go")
	return map[string]any{
		"protocol_version":       wire.ProtocolVersion,
		"implementation":         "gomosaic",
		"implementation_version": f.options.Version,
		"language_info": map[string]any{
			"name": "go", "version": version, "mimetype": "text/x-go", "file_extension": ".go",
			"pygments_lexer": "go", "codemirror_mode": "go", "nbconvert_exporter": "script",
		},
		"banner":             "gomosaic " + f.options.Version + ": Go " + version + " notebooks, compiled cells; Mosaic data shards, streaming and training are preloaded.",
		"debugger":           false,
		"supported_features": []string{},
		"help_links": []map[string]string{
			{"text": "Go: the language", "url": "https://go.dev/ref/spec"},
			{"text": "Go: packages", "url": "https://pkg.go.dev/std"},
			{"text": "Mosaic Streaming", "url": "https://docs.mosaicml.com/projects/streaming/en/stable/"},
		},
	}
}

// positionRequest is the content of complete_request and inspect_request; the cursor counts Unicode code points.
type positionRequest struct {
	Code        string `json:"code"`
	CursorPos   int    `json:"cursor_pos"`
	DetailLevel int    `json:"detail_level"`
}

// byteOffset converts a position in code points, clamped to the text.
func byteOffset(s string, points int) int {
	at := 0
	for ; points > 0 && at < len(s); points-- {
		_, n := utf8.DecodeRuneInString(s[at:])
		at += n
	}
	return at
}

// pointOffset converts a position in bytes, clamped to the text.
func pointOffset(s string, bytes int) int {
	return utf8.RuneCountInString(s[:min(max(bytes, 0), len(s))])
}

// ready returns the session, or nil when it does not start soon.
func (f *front) ready(ctx context.Context) session {
	if s := f.host.running(); s != nil {
		return s
	}
	ctx, cancel := context.WithTimeout(ctx, startWait)
	defer cancel()
	s, err := f.host.get(ctx)
	if err != nil {
		return nil
	}
	return s
}

func (f *front) complete(ctx context.Context, r positionRequest) map[string]any {
	cursor := byteOffset(r.Code, r.CursorPos)
	start, end := r.CursorPos, r.CursorPos
	matches, types := []string{}, []map[string]any{}
	if s := f.ready(ctx); s != nil {
		c := s.Complete(r.Code, cursor)
		if len(c.Matches) > 0 {
			start, end = pointOffset(r.Code, c.Start), pointOffset(r.Code, c.End)
		}
		for _, m := range c.Matches {
			matches = append(matches, m.Text)
			types = append(types, map[string]any{"start": start, "end": end, "text": m.Text, "type": m.Type})
		}
	}
	return map[string]any{"matches": matches, "cursor_start": start, "cursor_end": end,
		"metadata": map[string]any{"_jupyter_types_experimental": types}}
}

func (f *front) inspect(ctx context.Context, r positionRequest) map[string]any {
	content := map[string]any{"found": false, "data": map[string]any{}, "metadata": map[string]any{}}
	if s := f.ready(ctx); s != nil {
		if data, found := s.Inspect(r.Code, byteOffset(r.Code, r.CursorPos), r.DetailLevel); found {
			content["found"], content["data"] = true, orEmpty(data)
		}
	}
	return content
}

func isComplete(code string) map[string]any {
	status, indent := host.IsComplete(code)
	content := map[string]any{"status": status}
	if status == "incomplete" {
		content["indent"] = indent
	}
	return content
}

// refuseComm closes a comm that a client opens: the kernel has no comm targets, and a comm left open would make
// widgets wait for ever.
func (f *front) refuseComm(m *wire.Message) {
	var r struct {
		ID string `json:"comm_id"`
	}
	if err := m.Decode(&r); err != nil {
		f.options.Log("%v", err)
		return
	}
	f.publish(m, "comm_close", map[string]any{"comm_id": r.ID, "data": map[string]any{}})
}

// refuseDebug answers a request of the Debug Adapter Protocol, which debug_request carries.
func (f *front) refuseDebug(on wire.Channel, m *wire.Message) {
	var r struct {
		Seq     int    `json:"seq"`
		Command string `json:"command"`
	}
	if err := m.Decode(&r); err != nil {
		f.options.Log("%v", err)
	}
	f.reply(on, m, "debug_reply", map[string]any{"type": "response", "request_seq": r.Seq, "command": r.Command,
		"success": false, "message": "the gomosaic kernel has no debugger"})
}
