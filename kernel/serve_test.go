package kernel

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"gomosaic/kernel/host"
	"gomosaic/kernel/wire"
)

// scripted is a session whose cells do what the first word of their code says: the order of messages can be tested
// without a compiler. What a cell really does is tested with the real host, in live_test.go.
type scripted struct {
	interrupts chan struct{}
	late       chan func()
}

func (s *scripted) Execute(ctx context.Context, code string, cell int, out host.Output) error {
	word, rest, _ := strings.Cut(code, " ")
	switch word {
	case "print":
		out.Stream("stdout", rest)
	case "value":
		out.Result(map[string]any{"text/plain": rest}, nil)
	case "display":
		out.Display(map[string]any{"text/plain": rest, "image/png": []byte{1, 2}}, nil, map[string]any{"display_id": "d"}, false)
		out.Display(map[string]any{"text/plain": rest}, nil, map[string]any{"display_id": "d"}, true)
		out.ClearOutput(true)
	case "load":
		out.Payload(map[string]any{"source": "set_next_input", "text": rest, "replace": true})
	case "nan":
		out.Display(map[string]any{"application/json": nan()}, nil, nil, false)
	case "fail":
		return &host.CellError{Name: "panic", Value: rest, Traceback: []string{"panic: " + rest, "cell[1]:1"}}
	case "wait":
		select {
		case <-s.interrupts:
		case <-ctx.Done():
		}
		return &host.CellError{Name: "interrupted", Value: "the cell was interrupted", Traceback: []string{"interrupted"}}
	case "ask":
		text, err := out.Input(rest, true)
		if err != nil {
			return &host.CellError{Name: "error", Value: err.Error()}
		}
		out.Stream("stdout", text)
	case "later":
		go func() {
			f := <-s.late
			out.Stream("stdout", rest)
			f()
		}()
	case "flood":
		for i := range 20_000 {
			out.Stream("stdout", fmt.Sprintln(i))
		}
	}
	return nil
}

func nan() float64 { z := 0.0; return z / z }

func (s *scripted) Interrupt() {
	select {
	case s.interrupts <- struct{}{}:
	default:
	}
}

func (s *scripted) Complete(code string, cursor int) host.Completion {
	start := strings.LastIndexAny(code[:cursor], ". ") + 1
	return host.Completion{Start: start, End: cursor, Matches: []host.Match{{Text: "Println", Type: "function"}}}
}

func (s *scripted) Inspect(code string, cursor, detail int) (map[string]any, bool) {
	return map[string]any{"text/plain": code[:cursor], "text/markdown": fmt.Sprint(detail)}, code != ""
}

func (s *scripted) Close() error { return nil }

// startScripted serves a kernel of scripted cells and connects a client.
func startScripted(t *testing.T) (*client, *scripted, wire.Connection) {
	t.Helper()
	s := &scripted{interrupts: make(chan struct{}), late: make(chan func())}
	conn := newConnection(t)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() {
		done <- serve(ctx, conn, ServeOptions{Version: "1.2.3", Log: t.Logf}, func(context.Context) (session, error) { return s, nil })
	}()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("serve: %v", err)
		}
	})
	return dial(t, conn, "alice"), s, conn
}

func types(messages []*wire.Message) string {
	var names []string
	for _, m := range messages {
		names = append(names, m.Header.Type)
	}
	return strings.Join(names, " ")
}

func TestKernelInfo(t *testing.T) {
	c, _, _ := startScripted(t)
	for _, channel := range []string{"shell", "control"} {
		info := c.ask(channel, "kernel_info_request", struct{}{})
		language := info["language_info"].(map[string]any)
		if info["protocol_version"] != "5.4" || info["implementation_version"] != "1.2.3" || language["name"] != "go" ||
			language["mimetype"] != "text/x-go" || language["file_extension"] != ".go" || language["pygments_lexer"] != "go" || language["codemirror_mode"] != "go" {
			t.Errorf("%v", info)
		}
	}
}

func TestExecute(t *testing.T) {
	c, _, _ := startScripted(t)
	reply, outputs := c.run("print hello")
	if reply["status"] != "ok" || reply["execution_count"] != 1.0 || types(outputs) != "stream" {
		t.Errorf("%v %s", reply, types(outputs))
	}
	reply, outputs = c.run("value 42")
	if reply["execution_count"] != 2.0 || types(outputs) != "execute_result" || content(t, outputs[0])["execution_count"] != 2.0 {
		t.Errorf("%v %s", reply, types(outputs))
	}
	_, outputs = c.run("display chart")
	if types(outputs) != "display_data update_display_data clear_output" {
		t.Errorf("%s", types(outputs))
	}
	if data := content(t, outputs[0])["data"].(map[string]any); data["image/png"] != "AQI=" {
		t.Errorf("bytes are not base64: %v", data)
	}
	_, outputs = c.run("nan")
	if types(outputs) != "stream" || !strings.Contains(content(t, outputs[0])["text"].(string), "NaN") {
		t.Errorf("a value that JSON cannot hold: %s", types(outputs))
	}
	reply, _ = c.run("load x := 1")
	if payload := fmt.Sprint(reply["payload"]); payload != "[map[replace:true source:set_next_input text:x := 1]]" {
		t.Errorf("payload %v", payload)
	}
	reply, outputs = c.run("fail badly")
	if reply["status"] != "error" || reply["ename"] != "panic" || reply["evalue"] != "badly" || types(outputs) != "error" {
		t.Errorf("%v %s", reply, types(outputs))
	}
}

// TestEveryMessage sends each request and makes each kind of output, so that each message of the schema is seen, and with
// it checked, at least once. A message that the schema does not know is an error wherever it is met.
func TestEveryMessage(t *testing.T) {
	c, _, _ := startScripted(t)
	for request, content := range map[string]any{
		"kernel_info_request": struct{}{}, "comm_info_request": struct{}{}, "interrupt_request": struct{}{}, "debug_request": map[string]any{"seq": 1, "command": "x"},
		"complete_request": map[string]any{"code": "fmt.P", "cursor_pos": 5}, "inspect_request": map[string]any{"code": "x", "cursor_pos": 1},
		"is_complete_request": map[string]any{"code": "f("}, "history_request": map[string]any{"hist_access_type": "tail", "n": 1},
	} {
		c.ask("shell", request, content)
	}
	c.outputs(c.send("shell", "comm_open", map[string]any{"comm_id": "c", "target_name": "t", "data": map[string]any{}}))
	for _, code := range []string{"print x", "value 1", "display d", "load x", "fail x"} {
		c.run(code)
	}
	ask := c.send("shell", "execute_request", map[string]any{"code": "ask me"})
	c.next("stdin")
	c.send("stdin", "input_reply", map[string]any{"value": "text"})
	c.replyTo("shell", ask)
	// What cannot be read or done is answered with an error of the request's own kind.
	for request, content := range map[string]any{
		"complete_request": []int{1}, "inspect_request": []int{1}, "is_complete_request": []int{1}, "execute_request": []int{1}, "shutdown_request": []int{1},
		"history_request": map[string]any{"hist_access_type": "search", "pattern": "["},
	} {
		if reply := c.ask("shell", request, content); reply["status"] != "error" {
			t.Errorf("%s of %v: %v", request, content, reply)
		}
	}
	shutdown := c.send("control", "shutdown_request", map[string]any{"restart": false})
	c.replyTo("control", shutdown)
	for name := range schema {
		if !c.seen[name] {
			t.Errorf("no %s was sent", name)
		}
	}
}

func TestSilentCellsLeaveNoTrace(t *testing.T) {
	c, _, _ := startScripted(t)
	id := c.send("shell", "execute_request", map[string]any{"code": "value 1", "silent": true})
	if outputs := c.outputs(id); len(outputs) != 0 {
		t.Errorf("silent: %s", types(outputs))
	}
	id = c.send("shell", "execute_request", map[string]any{"code": "value 2", "store_history": false})
	if outputs := c.outputs(id); types(outputs) != "execute_input execute_result" {
		t.Errorf("store_history false: %s", types(outputs))
	}
	if reply := content(t, c.replyTo("shell", id)); reply["execution_count"] != 0.0 {
		t.Errorf("%v", reply)
	}
	if reply, _ := c.run("print x"); reply["execution_count"] != 1.0 {
		t.Errorf("neither counts: %v", reply)
	}
	history := c.ask("shell", "history_request", map[string]any{"hist_access_type": "tail", "n": 10})["history"].([]any)
	if len(history) != 1 || fmt.Sprint(history[0]) != "[1 1 print x]" {
		t.Errorf("history %v", history)
	}
}

func TestUserExpressions(t *testing.T) {
	c, _, _ := startScripted(t)
	reply := c.ask("shell", "execute_request", map[string]any{"code": "print x", "user_expressions": map[string]string{"good": "value 7", "bad": "fail so"}})
	values := reply["user_expressions"].(map[string]any)
	good, bad := values["good"].(map[string]any), values["bad"].(map[string]any)
	if good["status"] != "ok" || good["data"].(map[string]any)["text/plain"] != "7" || bad["status"] != "error" || bad["evalue"] != "so" {
		t.Errorf("%v", values)
	}
}

// TestInterruptBeforeTheCell: an interrupt that comes before its cell has left the queue is that cell's, and no other's.
func TestInterruptBeforeTheCell(t *testing.T) {
	q := newCellQueue()
	q.press()() // nobody's
	q.add(&wire.Message{})
	q.add(&wire.Message{})
	q.press()()
	for i, want := range []error{context.Canceled, nil} {
		_, cell, leave := q.next(t.Context())
		if got := cell.Err(); got != want {
			t.Errorf("cell %d: %v, want %v", i, got, want)
		}
		q.press()()
		if cell.Err() == nil {
			t.Errorf("cell %d: an interrupt while it runs is lost", i)
		}
		leave()
	}
	q.add(&wire.Message{})
	q.press()()
	q.drain()
	q.add(&wire.Message{})
	if _, cell, _ := q.next(t.Context()); cell.Err() != nil {
		t.Error("the interrupt of a cell that was aborted is another's")
	}
}

func TestErrorAbortsTheQueue(t *testing.T) {
	c, _, _ := startScripted(t)
	wait := c.send("shell", "execute_request", map[string]any{"code": "wait"})
	var queued []string
	for range 3 {
		queued = append(queued, c.send("shell", "execute_request", map[string]any{"code": "print x"}))
	}
	c.ask("shell", "kernel_info_request", struct{}{}) // the requests have been read: this one came behind them
	c.ask("control", "interrupt_request", struct{}{})
	if reply := content(t, c.replyTo("shell", wait)); reply["ename"] != "interrupted" {
		t.Errorf("%v", reply)
	}
	for _, id := range queued {
		if reply := content(t, c.replyTo("shell", id)); reply["status"] != "aborted" {
			t.Errorf("%v", reply)
		}
		if outputs := c.outputs(id); len(outputs) != 0 {
			t.Errorf("an aborted cell put out %s", types(outputs))
		}
	}
	if reply, _ := c.run("print on"); reply["status"] != "ok" {
		t.Errorf("afterwards: %v", reply)
	}

	wait = c.send("shell", "execute_request", map[string]any{"code": "wait", "stop_on_error": false})
	next := c.send("shell", "execute_request", map[string]any{"code": "print x"})
	c.ask("shell", "kernel_info_request", struct{}{})
	c.ask("control", "interrupt_request", struct{}{})
	c.replyTo("shell", wait)
	if reply := content(t, c.replyTo("shell", next)); reply["status"] != "ok" {
		t.Errorf("stop_on_error false: %v", reply)
	}
}

func TestOtherRequestsAreAnsweredWhileACellRuns(t *testing.T) {
	c, _, _ := startScripted(t)
	cell := c.send("shell", "execute_request", map[string]any{"code": "wait"})
	reply := c.ask("shell", "complete_request", map[string]any{"code": "größe := fmt.Pri", "cursor_pos": 16})
	metadata := reply["metadata"].(map[string]any)["_jupyter_types_experimental"].([]any)[0].(map[string]any)
	if reply["cursor_start"] != 13.0 || reply["cursor_end"] != 16.0 || metadata["type"] != "function" || metadata["start"] != 13.0 {
		t.Errorf("positions are code points: %v", reply)
	}
	reply = c.ask("shell", "inspect_request", map[string]any{"code": "größe x", "cursor_pos": 5, "detail_level": 1})
	if data := reply["data"].(map[string]any); data["text/plain"] != "größe" || data["text/markdown"] != "1" {
		t.Errorf("%v", reply)
	}
	if reply := c.ask("shell", "is_complete_request", map[string]any{"code": "if x {"}); reply["status"] != "incomplete" || reply["indent"] != "    " {
		t.Errorf("%v", reply)
	}
	if reply := c.ask("shell", "comm_info_request", map[string]any{"target_name": "jupyter.widget"}); len(reply["comms"].(map[string]any)) != 0 {
		t.Errorf("%v", reply)
	}
	id := c.send("shell", "comm_open", map[string]any{"comm_id": "c1", "target_name": "jupyter.widget", "data": map[string]any{}})
	if outputs := c.outputs(id); types(outputs) != "comm_close" || content(t, outputs[0])["comm_id"] != "c1" {
		t.Errorf("comm_open: %s", types(outputs))
	}
	if m := c.next("iopub"); parentOf(m) != cell || content(t, m)["execution_state"] != "busy" {
		t.Errorf("after the aside the kernel must be busy with the cell, got %s %s", m.Header.Type, m.Content)
	}
	if reply := c.ask("control", "debug_request", map[string]any{"seq": 4, "type": "request", "command": "initialize"}); reply["success"] != false || reply["request_seq"] != 4.0 {
		t.Errorf("%v", reply)
	}
	id = c.send("control", "unheard_of_request", struct{}{})
	if outputs := c.outputs(id); len(outputs) != 0 {
		t.Errorf("unknown request: %s", types(outputs))
	}
	c.ask("control", "interrupt_request", struct{}{})
	c.replyTo("shell", cell)
}

func TestInput(t *testing.T) {
	c, _, conn := startScripted(t)
	id := c.send("shell", "execute_request", map[string]any{"code": "ask name:", "allow_stdin": true})
	request := c.next("stdin")
	if got := content(t, request); request.Header.Type != "input_request" || parentOf(request) != id || got["prompt"] != "name:" || got["password"] != true {
		t.Fatalf("%s %v", request.Header.Type, got)
	}
	c.send("stdin", "input_reply", map[string]any{"value": "Gopher"})
	outputs := c.outputs(id)
	if len(outputs) != 2 || content(t, outputs[1])["text"] != "Gopher" {
		t.Errorf("%s", types(outputs))
	}

	id = c.send("shell", "execute_request", map[string]any{"code": "ask name:", "allow_stdin": true})
	c.next("stdin")
	c.ask("control", "interrupt_request", struct{}{})
	if reply := content(t, c.replyTo("shell", id)); !strings.Contains(fmt.Sprint(reply["evalue"]), "interrupted") {
		t.Errorf("interrupted input: %v", reply)
	}
	c.send("stdin", "input_reply", map[string]any{"value": "late"}) // to nobody
	other := dial(t, conn, "bob")
	id = other.send("shell", "execute_request", map[string]any{"code": "ask name:", "allow_stdin": false})
	if reply := content(t, other.replyTo("shell", id)); !strings.Contains(fmt.Sprint(reply["evalue"]), "allow_stdin") {
		t.Errorf("no stdin: %v", reply)
	}
}

func TestLateOutputBelongsToItsCell(t *testing.T) {
	c, s, _ := startScripted(t)
	first := c.send("shell", "execute_request", map[string]any{"code": "later tick"})
	c.outputs(first)
	second := c.send("shell", "execute_request", map[string]any{"code": "print x"})
	c.outputs(second)
	sent := make(chan struct{})
	s.late <- func() { close(sent) }
	<-sent
	if m := c.next("iopub"); m.Header.Type != "stream" || parentOf(m) != first {
		t.Errorf("%s of %s, want the stream of %s", m.Header.Type, parentOf(m), first)
	}
}

func TestEveryClientSeesEverything(t *testing.T) {
	c, _, conn := startScripted(t)
	other := dial(t, conn, "bob")
	id := c.send("shell", "execute_request", map[string]any{"code": "flood"})
	for _, c := range []*client{c, other} {
		outputs := c.outputs(id)
		if len(outputs) != 20_001 || content(t, outputs[20_000])["text"] != "19999\n" {
			t.Errorf("%s: %d messages", c.name, len(outputs))
		}
	}
}

func TestWrongKeyIsIgnored(t *testing.T) {
	c, _, conn := startScripted(t)
	conn.Key = "another"
	wrong, err := wire.NewCodec(conn.Key, "")
	if err != nil {
		t.Fatal(err)
	}
	right := c.codec
	c.codec = wrong
	c.send("shell", "execute_request", map[string]any{"code": "print x"})
	c.codec = right
	if reply, _ := c.run("print y"); reply["execution_count"] != 1.0 {
		t.Errorf("an unsigned request was run: %v", reply)
	}
}

func TestShutdown(t *testing.T) {
	for _, channel := range []string{"control", "shell"} {
		s := &scripted{interrupts: make(chan struct{})}
		conn := newConnection(t)
		done := make(chan error, 1)
		go func() {
			done <- serve(t.Context(), conn, ServeOptions{Log: t.Logf}, func(context.Context) (session, error) { return s, nil })
		}()
		c := dial(t, conn, "alice")
		c.send("shell", "execute_request", map[string]any{"code": "wait"})
		id := c.send(channel, "shutdown_request", map[string]any{"restart": true})
		if reply := content(t, c.replyTo(channel, id)); reply["restart"] != true {
			t.Errorf("%v", reply)
		}
		if outputs := c.outputs(id); types(outputs) != "shutdown_reply" {
			t.Errorf("other clients are told: %s", types(outputs))
		}
		select {
		case err := <-done:
			if err != nil {
				t.Error(err)
			}
		case <-time.After(patience):
			t.Fatal("the kernel does not end")
		}
	}
}

func TestHostThatDoesNotStart(t *testing.T) {
	conn := newConnection(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	starts := 0
	done := make(chan error, 1)
	go func() {
		done <- serve(ctx, conn, ServeOptions{Log: t.Logf}, func(context.Context) (session, error) {
			if starts++; starts == 1 {
				return nil, errors.New("no go on PATH")
			}
			return &scripted{}, nil
		})
	}()
	c := dial(t, conn, "alice")
	c.ask("shell", "kernel_info_request", struct{}{})
	if reply, _ := c.run("print x"); reply["status"] != "error" || !strings.Contains(reply["evalue"].(string), "no go on PATH") {
		t.Errorf("%v", reply)
	}
	if reply, _ := c.run("print x"); reply["status"] != "ok" {
		t.Errorf("after the cause is gone: %v", reply)
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func TestInterruptWhileTheHostStarts(t *testing.T) {
	conn := newConnection(t)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() {
		done <- serve(ctx, conn, ServeOptions{Log: t.Logf}, func(ctx context.Context) (session, error) {
			<-ctx.Done()
			return nil, ctx.Err()
		})
	}()
	c := dial(t, conn, "alice")
	id := c.send("shell", "execute_request", map[string]any{"code": "print x"})
	for c.next("iopub").Header.Type != "execute_input" {
	}
	c.ask("control", "interrupt_request", struct{}{})
	if reply := content(t, c.replyTo("shell", id)); reply["ename"] != "interrupted" {
		t.Errorf("%v", reply)
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}
