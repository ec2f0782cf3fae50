package kernel

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"gomosaic/kernel/host"
	"gomosaic/kernel/wire"
)

// cellQueue holds the execute_requests that wait for the running one. It is safe for concurrent use.
type cellQueue struct {
	mu        sync.Mutex
	waiting   []*wire.Message
	wake      chan struct{}
	interrupt context.CancelFunc // of the cell that has left the queue; nil between cells
	pressed   bool               // the first of those that wait is interrupted: it came before and has not left the queue yet
}

func newCellQueue() *cellQueue { return &cellQueue{wake: make(chan struct{}, 1)} }

func (q *cellQueue) add(m *wire.Message) {
	q.mu.Lock()
	q.waiting = append(q.waiting, m)
	q.mu.Unlock()
	select {
	case q.wake <- struct{}{}:
	default:
	}
}

// next waits for a request, whose cell has a context that ends when it is interrupted; leave ends it when the cell is over. m is nil when
// ctx has ended.
func (q *cellQueue) next(ctx context.Context) (m *wire.Message, cell context.Context, leave func()) {
	for {
		q.mu.Lock()
		if len(q.waiting) > 0 {
			defer q.mu.Unlock()
			m, q.waiting = q.waiting[0], q.waiting[1:]
			cell, q.interrupt = context.WithCancel(ctx)
			if q.pressed {
				q.pressed = false
				q.interrupt()
			}
			return m, cell, q.leave
		}
		q.mu.Unlock()
		select {
		case <-q.wake:
		case <-ctx.Done():
			return nil, nil, nil
		}
	}
}

func (q *cellQueue) leave() {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.interrupt != nil {
		q.interrupt()
		q.interrupt = nil
	}
}

// press interrupts the cell that runs or is about to: stop ends its context.
func (q *cellQueue) press() (stop func()) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.interrupt != nil {
		return q.interrupt
	}
	q.pressed = len(q.waiting) > 0
	return func() {}
}

// drain empties the queue.
func (q *cellQueue) drain() []*wire.Message {
	q.mu.Lock()
	defer q.mu.Unlock()
	all := q.waiting
	q.waiting, q.pressed = nil, false
	return all
}

// interrupt stops the running cell: its waits in the front (for the host to start, for input) and its code.
func (f *front) interrupt() {
	stop := f.cells.press()
	if s := f.host.running(); s != nil {
		s.Interrupt() // between cells too: it tells of cells that were left behind
	}
	stop()
}

// executeRequest is the content of an execute_request.
type executeRequest struct {
	Code            string            `json:"code"`
	Silent          bool              `json:"silent"`
	StoreHistory    *bool             `json:"store_history"`
	UserExpressions map[string]string `json:"user_expressions"`
	AllowStdin      *bool             `json:"allow_stdin"`
	StopOnError     *bool             `json:"stop_on_error"`
}

func orTrue(b *bool) bool { return b == nil || *b }

func (f *front) runCells(ctx context.Context) {
	for {
		m, cell, leave := f.cells.next(ctx)
		if m == nil {
			return
		}
		f.runCell(ctx, m, cell, leave)
	}
}

// runCell executes one request from its busy to its idle, and answers those behind it when it failed. ctx ends with the kernel, cell with
// the interrupt as well.
func (f *front) runCell(ctx context.Context, m *wire.Message, cell context.Context, leave func()) {
	var aborted []*wire.Message
	f.beginCell(m)
	started := time.Now()
	var request executeRequest
	err := m.Decode(&request)
	store := orTrue(request.StoreHistory) && !request.Silent
	if store && err == nil {
		f.count++
		f.history.add(f.count, request.Code)
	}
	count := f.count
	content := map[string]any{"status": "ok"}
	values, payloads := map[string]any{}, []any{}
	if err == nil {
		if !request.Silent {
			f.publish(m, "execute_input", map[string]any{"code": request.Code, "execution_count": count})
		}
		out := &output{front: f, cell: cell, parent: m, count: count, silent: request.Silent, allowStdin: orTrue(request.AllowStdin)}
		if err = f.execute(cell, request.Code, count, out); err == nil && len(request.UserExpressions) > 0 {
			values = f.userExpressions(cell, request.UserExpressions, out)
		}
		payloads = append(payloads, out.payloads...)
	}
	leave()
	if ctx.Err() != nil {
		return // shutting down: nobody waits for this answer any more
	}
	if err != nil {
		content = errorContent(err)
		f.publish(m, "error", content)
		content["status"] = "error"
		if orTrue(request.StopOnError) {
			aborted = f.cells.drain()
		}
	}
	content["execution_count"], content["payload"], content["user_expressions"] = count, payloads, values
	metadata := map[string]any{"started": started.UTC().Format("2006-01-02T15:04:05.000000Z07:00"), "status": content["status"]}
	if err := f.channels.Reply(wire.Shell, m, "execute_reply", content, metadata); err != nil {
		f.options.Log("%v", err)
	}
	f.endCell(m)
	for _, m := range aborted {
		f.status(m, "busy")
		f.reply(wire.Shell, m, "execute_reply", map[string]any{"status": "aborted", "execution_count": f.count,
			"payload": []any{}, "user_expressions": map[string]any{}})
		f.status(m, "idle")
	}
}

// execute waits for the host and runs code there.
func (f *front) execute(cell context.Context, code string, count int, out host.Output) error {
	s, err := f.host.get(cell)
	if err != nil {
		if cell.Err() != nil {
			return &host.CellError{Name: "interrupted", Value: "interrupted while the cell host was starting"}
		}
		return err
	}
	return s.Execute(cell, code, count, out) // which an interrupt ends also if it comes before s knows of the cell
}

// errorContent is the content of an error message. An error that no cell raised has no traceback but its text.
func errorContent(err error) map[string]any {
	var c *host.CellError
	if !errors.As(err, &c) {
		c = &host.CellError{Name: "KernelError", Value: err.Error()}
	}
	traceback := c.Traceback
	if len(traceback) == 0 {
		traceback = []string{fmt.Sprintf("%s: %s", c.Name, c.Value)}
	}
	return map[string]any{"ename": c.Name, "evalue": c.Value, "traceback": traceback}
}

// userExpressions evaluates each expression as a cell of its own whose result is kept from the notebook.
func (f *front) userExpressions(cell context.Context, expressions map[string]string, out *output) map[string]any {
	values := map[string]any{}
	for name, code := range expressions {
		quiet := *out
		quiet.silent, quiet.allowStdin = true, false
		value := map[string]any{"status": "ok", "data": map[string]any{}, "metadata": map[string]any{}}
		quiet.result = func(data, metadata map[string]any) { value["data"], value["metadata"] = data, metadata }
		if err := f.execute(cell, code, out.count, &quiet); err != nil {
			value = errorContent(err)
			value["status"] = "error"
		}
		values[name] = value
	}
	return values
}
