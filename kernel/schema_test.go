package kernel

import (
	"encoding/json"
	"fmt"
	"math"
	"regexp"
	"slices"
	"strings"

	"gomosaic/kernel/wire"
)

// The content of each message that a kernel sends, as the Jupyter messaging protocol 5.4 declares it, in the manner of
// ipykernel's test_message_spec: field → kind. Kinds are string, int, bool, object, list, strings, bundle (MIME type →
// value), or one of several words as "a|b"; a field whose name ends in ? may be absent.
var schema = map[string]map[string]string{
	"kernel_info_reply": {"status": "ok|error", "protocol_version": "version", "implementation": "string", "implementation_version": "string",
		"language_info": "language_info", "banner": "string", "debugger": "bool", "help_links": "list", "supported_features": "strings"},
	"execute_reply":       {"status": "ok|error|aborted", "execution_count": "int", "payload": "payloads", "user_expressions": "object", "ename?": "string", "evalue?": "string", "traceback?": "strings"},
	"complete_reply":      {"status": "ok|error", "matches": "strings", "cursor_start": "int", "cursor_end": "int", "metadata": "object"},
	"inspect_reply":       {"status": "ok|error", "found": "bool", "data": "bundle", "metadata": "object"},
	"is_complete_reply":   {"status": "complete|incomplete|invalid|unknown", "indent?": "string"},
	"history_reply":       {"status": "ok|error", "history": "list"},
	"comm_info_reply":     {"status": "ok|error", "comms": "object"},
	"shutdown_reply":      {"status?": "ok|error", "restart": "bool"},
	"interrupt_reply":     {"status": "ok|error"},
	"debug_reply":         {"type": "response", "request_seq": "int", "command": "string", "success": "bool", "message": "string"},
	"input_request":       {"prompt": "string", "password": "bool"},
	"status":              {"execution_state": "busy|idle|starting"},
	"execute_input":       {"code": "string", "execution_count": "int"},
	"execute_result":      {"data": "bundle", "metadata": "object", "execution_count": "int"},
	"display_data":        {"data": "bundle", "metadata": "object", "transient": "object"},
	"update_display_data": {"data": "bundle", "metadata": "object", "transient": "display_id"},
	"stream":              {"name": "stdout|stderr", "text": "string"},
	"error":               {"ename": "string", "evalue": "string", "traceback": "strings"},
	"clear_output":        {"wait": "bool"},
	"comm_close":          {"comm_id": "string", "data": "object"},
	"iopub_welcome":       {"subscription": "string"},
}

var languageInfo = map[string]string{"name": "string", "version": "string", "mimetype": "string", "file_extension": "string",
	"pygments_lexer?": "string", "codemirror_mode?": "string", "nbconvert_exporter?": "string"}

// payloads are the fields of an execute_reply's payload by its source.
var payloads = map[string]map[string]string{
	"page":           {"source": "page", "data": "bundle", "start": "int"},
	"set_next_input": {"source": "set_next_input", "text": "string", "replace?": "bool"},
}

var (
	isoDate = regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}(Z|[+-]\d\d:\d\d)$`)
	version = regexp.MustCompile(`^\d+\.\d+$`)
)

// conforms checks a message's header, parent and content.
func conforms(m *wire.Message) error {
	h := m.Header
	if h.ID == "" || h.Session == "" || h.Username == "" || h.Version != "5.4" || !isoDate.MatchString(h.Date) {
		return fmt.Errorf("header %+v", h)
	}
	var parent map[string]any
	if err := json.Unmarshal(m.Parent, &parent); err != nil {
		return fmt.Errorf("%s: parent header %s: %w", h.Type, m.Parent, err)
	}
	if id, _ := parent["msg_id"].(string); id == "" && h.Type != "iopub_welcome" && h.Type != "status" {
		return fmt.Errorf("%s has no parent", h.Type)
	}
	fields, ok := schema[h.Type]
	if !ok {
		return fmt.Errorf("the protocol has no message %q", h.Type)
	}
	var content map[string]any
	if err := json.Unmarshal(m.Content, &content); err != nil {
		return fmt.Errorf("%s: %w", h.Type, err)
	}
	if content["status"] == "error" {
		fields = map[string]string{"status": "error", "ename": "string", "evalue": "string", "traceback": "strings",
			"execution_count?": "int", "payload?": "payloads", "user_expressions?": "object"}
	}
	if err := fieldsConform(content, fields); err != nil {
		return fmt.Errorf("%s: %w: %s", h.Type, err, m.Content)
	}
	return nil
}

func fieldsConform(content map[string]any, fields map[string]string) error {
	for name, kind := range fields {
		name, optional := strings.CutSuffix(name, "?")
		v, ok := content[name]
		if !ok {
			if optional {
				continue
			}
			return fmt.Errorf("%s is missing", name)
		}
		if !kindConforms(v, kind) {
			return fmt.Errorf("%s is no %s: %v", name, kind, v)
		}
	}
	for name := range content {
		if _, required := fields[name]; !required {
			if _, optional := fields[name+"?"]; !optional {
				return fmt.Errorf("%s is not in the protocol", name)
			}
		}
	}
	return nil
}

func kindConforms(v any, kind string) bool {
	switch kind {
	case "string":
		_, ok := v.(string)
		return ok
	case "bool":
		_, ok := v.(bool)
		return ok
	case "int":
		n, ok := v.(float64)
		return ok && n == math.Trunc(n)
	case "list":
		_, ok := v.([]any)
		return ok
	case "strings":
		list, ok := v.([]any)
		return ok && !slices.ContainsFunc(list, func(e any) bool { _, ok := e.(string); return !ok })
	case "object":
		_, ok := v.(map[string]any)
		return ok
	case "bundle": // text formats are strings, JSON formats any value
		bundle, ok := v.(map[string]any)
		for mime, value := range bundle {
			_, text := value.(string)
			ok = ok && strings.Contains(mime, "/") && (text || strings.HasSuffix(mime, "json"))
		}
		return ok
	case "payloads":
		list, ok := v.([]any)
		for _, e := range list {
			payload, _ := e.(map[string]any)
			source, _ := payload["source"].(string)
			fields := payloads[source]
			ok = ok && fields != nil && fieldsConform(payload, fields) == nil
		}
		return ok
	case "display_id":
		o, ok := v.(map[string]any)
		id, _ := o["display_id"].(string)
		return ok && id != ""
	case "language_info":
		o, ok := v.(map[string]any)
		return ok && fieldsConform(o, languageInfo) == nil
	case "version":
		s, ok := v.(string)
		return ok && version.MatchString(s)
	}
	s, ok := v.(string)
	return ok && slices.Contains(strings.Split(kind, "|"), s)
}
