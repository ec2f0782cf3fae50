package kernel

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestVSCodeOrder sends what VS Code's Jupyter extension sends, in its order, and wants what it relies on. The extension
// talks to a kernel through a JupyterLab kernel connection over raw sockets; it asks for kernel_info on shell before
// anything else and on control as well, opens its widgets' comms, runs silent cells of its own before the user's, runs
// cells with stop_on_error and allow_stdin, interrupts by a message on control (interrupt_mode "message") and asks for
// completion while a cell runs.
func TestVSCodeOrder(t *testing.T) {
	c, _ := startLive(t)
	var order []string // of what is sent: msg_ids, for the statuses below
	send := func(channel, msgType string, content any) string {
		id := c.send(channel, msgType, content)
		order = append(order, id)
		return id
	}

	// Both kernel_infos are on their way before either is answered, and the comms' question with them.
	info := []string{send("shell", "kernel_info_request", struct{}{}), send("control", "kernel_info_request", struct{}{})}
	comms := send("shell", "comm_info_request", map[string]any{"target_name": "jupyter.widget"})
	widget := send("shell", "comm_open", map[string]any{"comm_id": "w1", "target_name": "jupyter.widget", "target_module": nil, "data": map[string]any{}})
	for i, channel := range []string{"shell", "control"} {
		reply := content(t, c.replyTo(channel, info[i]))
		language := reply["language_info"].(map[string]any)
		if reply["status"] != "ok" || language["name"] != "go" || language["mimetype"] != "text/x-go" || language["codemirror_mode"] != "go" {
			t.Errorf("%s: %v", channel, reply)
		}
	}
	if reply := content(t, c.replyTo("shell", comms)); len(reply["comms"].(map[string]any)) != 0 {
		t.Errorf("comms: %v", reply)
	}

	// Its own cells are silent and leave no number, no history and no output.
	silent := send("shell", "execute_request", map[string]any{"code": "hidden := 1", "silent": true, "store_history": false,
		"user_expressions": map[string]any{}, "allow_stdin": false, "stop_on_error": false})
	if reply := content(t, c.replyTo("shell", silent)); reply["status"] != "ok" || reply["execution_count"] != 0.0 {
		t.Errorf("a silent cell: %v", reply)
	}
	// Statuses come per request: busy, what it caused, idle, with the request as parent.
	states := map[string][]string{}
	for len(states) < len(order) || len(states[silent]) < 2 {
		m := c.next("iopub")
		switch m.Header.Type {
		case "status":
			states[parentOf(m)] = append(states[parentOf(m)], content(t, m)["execution_state"].(string))
		case "comm_close":
			if parentOf(m) != widget {
				t.Errorf("comm_close of %s", parentOf(m))
			}
		default:
			t.Errorf("%s of %s", m.Header.Type, parentOf(m))
		}
	}
	for _, id := range order {
		if got := states[id]; !slices.Equal(got[:min(2, len(got))], []string{"busy", "idle"}) {
			t.Errorf("request %s: %v", id, got)
		}
	}

	// The user's cells are all sent at once; each is answered in its turn.
	cell := func(code string) string {
		return send("shell", "execute_request", map[string]any{"code": code, "silent": false, "store_history": true,
			"user_expressions": map[string]any{}, "allow_stdin": true, "stop_on_error": true})
	}
	one, two, endless, never := cell("x := 20"), cell("x + 22"), cell("println(\"running\")\nfor {\n}"), cell("x = 0")
	if outputs := c.outputs(one); types(outputs) != "execute_input" {
		t.Errorf("the first cell: %s", types(outputs))
	}
	if outputs := c.outputs(two); types(outputs) != "execute_input execute_result" || content(t, outputs[1])["execution_count"] != 2.0 {
		t.Errorf("the second cell: %s", types(outputs))
	}
	for m := c.next("iopub"); m.Header.Type != "stream"; m = c.next("iopub") {
	}
	// While one runs: completion as the user types, and the notebook's variables as it draws its panel.
	started := time.Now()
	reply := c.ask("shell", "complete_request", map[string]any{"code": "strings.ToU", "cursor_pos": 11})
	if !slices.Contains(reply["matches"].([]any), any("ToUpper")) {
		t.Errorf("completion while a cell runs: %v", reply["matches"])
	}
	t.Logf("completion while a cell runs: %v", time.Since(started))
	c.ask("shell", "inspect_request", map[string]any{"code": "x", "cursor_pos": 1, "detail_level": 0})
	if reply := c.ask("control", "debug_request", map[string]any{"seq": 1, "type": "request", "command": "debugInfo"}); reply["success"] != false {
		t.Errorf("debugInfo: %v", reply)
	}
	c.ask("control", "interrupt_request", struct{}{})
	if reply := content(t, c.replyTo("shell", endless)); reply["status"] != "error" || reply["ename"] != "interrupted" {
		t.Errorf("%v", reply)
	}
	if reply := content(t, c.replyTo("shell", never)); reply["status"] != "aborted" {
		t.Errorf("the cell behind an interrupted one: %v", reply)
	}
	if got := text(t, c, "x"); got != "20" {
		t.Errorf("x = %q: the aborted cell has run", got)
	}

	history := c.ask("shell", "history_request", map[string]any{"hist_access_type": "tail", "n": 9, "output": false, "raw": true})["history"]
	if strings.Contains(fmt.Sprint(history), "hidden") {
		t.Errorf("history: %v", history)
	}
	id := c.send("control", "shutdown_request", map[string]any{"restart": false})
	if reply := content(t, c.replyTo("control", id)); reply["status"] != "ok" || reply["restart"] != false {
		t.Errorf("%v", reply)
	}
}
