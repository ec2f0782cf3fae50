package ranks

// A job at work on other machines: the launcher's side.

import (
	"context"
	"fmt"
	"io"
	"os"
	"sync"
	"syscall"
	"time"
)

// Job is ranks that run elsewhere, told and heard over the connections of their tasks.
type Job struct {
	tasks   []*Task
	work    []Work
	outputs []io.Writer
	dir     string
	ends    chan End
	readers sync.WaitGroup
	force   sync.Once
}

// TaskError is a task that cannot do what it was told to.
type TaskError struct {
	Rank int // its first
	Host string
	Text string
}

func (e *TaskError) Error() string {
	return fmt.Sprintf("rank %d on host %s: %s", e.Rank, e.Host, e.Text)
}

// Begin gives each task its work, the ranks being numbered through. When all are ready, all begin. What rank i prints goes to outputs[i], its
// result to [ResultFile] of dir, where dir is not "". A task that is not ready is a [*TaskError]; then no rank has begun.
// The Job's Ends are complete: each rank has one, also when its machine is lost.
func Begin(ctx context.Context, tasks []*Task, work []Work, outputs []io.Writer, dir string) (*Job, error) {
	j := &Job{tasks: tasks, work: work, outputs: outputs, dir: dir, ends: make(chan End, len(outputs))}
	stop := context.AfterFunc(ctx, func() {
		for _, t := range tasks {
			t.line.conn.SetReadDeadline(time.Now())
		}
	})
	defer stop()
	faults := make(chan error, len(tasks))
	for i, t := range tasks {
		go func() { faults <- t.prepare(work[i]) }()
	}
	var fault error
	for range tasks {
		if err := <-faults; err != nil && fault == nil {
			fault = err
		}
	}
	if ctx.Err() != nil {
		fault = context.Cause(ctx)
	}
	if fault != nil {
		return nil, fault
	}
	for i, t := range tasks {
		j.readers.Go(func() { j.hear(t, work[i]) })
	}
	for _, t := range tasks {
		t.line.send(order{Go: true}) // a connection that is lost is its reader's to tell
	}
	return j, nil
}

// prepare tells a task its work and waits until it is ready.
func (t *Task) prepare(w Work) error {
	var r report
	err := t.line.send(order{Work: &w})
	if err == nil {
		err = t.line.dec.Decode(&r)
	}
	switch {
	case err != nil:
		return &TaskError{w.First, t.Host, "the connection is lost: " + err.Error()}
	case r.Fault != "":
		return &TaskError{w.First, t.Host, r.Fault}
	}
	return nil
}

// hear takes what a task reports until all its ranks have ended or it is lost.
func (j *Job) hear(t *Task, w Work) {
	results := map[int]*os.File{}
	running := map[int]bool{}
	for i := range w.Ranks {
		running[w.First+i] = true
	}
	defer func() {
		for _, f := range results {
			f.Close()
			os.Remove(f.Name())
		}
	}()
	for len(running) > 0 {
		var r report
		if err := t.line.dec.Decode(&r); err != nil {
			for rank := range running {
				j.ends <- End{Rank: rank, Host: t.Host, Exit: "its executor or its machine is lost: " + err.Error()}
			}
			return
		}
		if !running[r.Rank] {
			continue
		}
		if len(r.Output) > 0 {
			j.outputs[r.Rank].Write(r.Output)
		}
		if len(r.Result) > 0 && j.dir != "" {
			f := results[r.Rank]
			if f == nil {
				var err error
				if f, err = os.Create(ResultFile(j.dir, r.Rank) + ".partial"); err != nil {
					fmt.Fprintln(j.outputs[r.Rank], "the result is lost:", err)
					continue
				}
				results[r.Rank] = f
			}
			if _, err := f.Write(r.Result); err != nil {
				fmt.Fprintln(j.outputs[r.Rank], "the result is lost:", err)
			}
		}
		if r.Ended {
			delete(running, r.Rank)
			if f := results[r.Rank]; f != nil {
				delete(results, r.Rank)
				if f.Close() == nil {
					os.Rename(f.Name(), ResultFile(j.dir, r.Rank))
				}
			}
			j.ends <- End{Rank: r.Rank, Host: t.Host, Exit: r.Exit, Skew: t.skew}
		}
	}
}

// Ends gives one End for each rank, as they end.
func (j *Job) Ends() <-chan End { return j.ends }

// lastResort is how long after SIGKILL a machine may be silent before its ranks count as lost.
const lastResort = time.Second

// Signal signals every rank's process group. A machine that is silent after SIGKILL is given up: its ranks end when they see the connection closed.
func (j *Job) Signal(sig syscall.Signal) {
	for _, t := range j.tasks {
		go t.line.send(order{Signal: sig})
	}
	if sig == syscall.SIGKILL {
		j.force.Do(func() {
			time.AfterFunc(lastResort, func() {
				for _, t := range j.tasks {
					t.line.conn.SetReadDeadline(time.Now())
				}
			})
		})
	}
}

// Close closes the connections; what is left of the ranks' process groups ends with that.
func (j *Job) Close() error {
	for _, t := range j.tasks {
		t.line.conn.Close()
	}
	j.readers.Wait()
	return nil
}
