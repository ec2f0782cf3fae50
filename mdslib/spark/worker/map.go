package worker

// Map: the rows of a partition through a Go func, and back to Spark as text.

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"gomosaic/mdslib"
	"gomosaic/mdslib/plan"
)

// MapJob tells a task what its rows are and what the func makes of them. It travels as a file of JSON.
type MapJob struct {
	In    plan.Schema `json:"in"`
	Texts []Text      `json:"texts"` // how the values of each field of In are written
	Out   plan.Schema `json:"out"`
	// Place is that of the conversion whose rows these are, if they are.
	Place Place `json:"place,omitzero"`
	// Lifeline is the invitation to the driver of another query, where executors reach that; else "". It is secret.
	Lifeline string `json:"lifeline,omitempty"`
}

// Map is the main of a program that maps rows by a func. Its last argument is the file of a [MapJob], standard input has the
// rows as [TextReader] reads them, and standard output gets those that the func makes, as [AppendRow] writes them. It does not
// return: the status is 0, or 1 after an error, which [Fail] says.
//
// The func is called for one row after the other: Spark runs a process for each partition. What it prints goes to standard
// error.
func Map(fn func(row mdslib.Sample) (mdslib.Sample, error)) {
	out := os.Stdout
	os.Stdout = os.Stderr
	if err := runMap(context.Background(), fn, os.Args[len(os.Args)-1], os.Stdin, out); err != nil {
		Fail(os.Stdin, os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

// runMap maps the rows of in as the job in file says, as long as they are wanted. The driver of a conversion hears of errors as it does
// of those of the conversion's own tasks.
func runMap(ctx context.Context, fn func(row mdslib.Sample) (mdslib.Sample, error), file string, in io.Reader, out io.Writer) error {
	var job MapJob
	if err := readStrictly(file, &job); err != nil {
		return err
	}
	m, err := job.Place.open(ctx)
	if err != nil || m != nil && m.gone(ctx) {
		m = nil // others see more of it, and say what is wrong
	}
	nothing := make(chan struct{}) // is to be removed
	close(nothing)
	go m.endWhenUseless(ctx, func(error) {}, nothing)
	if job.Lifeline != "" {
		go func() {
			l := lifeline{job.Lifeline, os.Getenv(EnvQuery), lifelineWait, lifelinePatience}
			if err := l.hold(ctx); err != nil {
				fmt.Fprintf(os.Stderr, "gomosaic: the task ends: %v\n", err)
				os.Exit(1)
			}
		}()
	}
	err = mapRows(fn, &job, in, out)
	if err != nil && m.signs().fail(ctx, err) {
		awaitEnd(ctx, in)
	}
	return err
}

// mapRows maps the rows of in.
func mapRows(fn func(row mdslib.Sample) (mdslib.Sample, error), job *MapJob, in io.Reader, out io.Writer) error {
	rows, err := NewTextReader(in, &Job{Schema: job.In, Texts: job.Texts})
	if err != nil {
		return err
	}
	made := mdslib.RowFunc(job.In, job.Out, fn)
	w := bufio.NewWriterSize(out, textBuffer)
	var line []byte
	for n := int64(0); ; n++ {
		values, err := rows.Next()
		if errors.Is(err, io.EOF) {
			return w.Flush()
		}
		if err != nil {
			return err
		}
		values = owned(values) // the func may keep them
		row, err := guarded(made, slices.Clone(values))
		if err == nil && row != nil {
			line, err = AppendRow(line[:0], job.Out, row)
		}
		if err != nil {
			return finalOf(fmt.Errorf("row %d of partition %d%s: %w", n, rows.Partition(), brief(job.In, values), err))
		}
		if row == nil {
			continue
		}
		if _, err := w.Write(line); err != nil {
			return err
		}
	}
}

// guarded calls fn and makes an error of its panic.
func guarded(fn func([]any) ([]any, error), row []any) (out []any, err error) {
	defer recovered(&err)
	return fn(row)
}

// mostBrief bounds how much of a row is shown.
const mostBrief = 120

// brief is the short values of a row, by which it may be known: " (id: 7, name: rose)".
func brief(schema plan.Schema, row []any) string {
	var parts []string
	length := 0
	for i, f := range schema.Fields {
		if !f.Type.Atomic() || f.Type.Kind == plan.Binary {
			continue
		}
		text := "NULL"
		if row[i] != nil {
			text = fmt.Sprint(row[i])
		}
		part := f.Name + ": " + text
		if length += len(part); length > mostBrief {
			continue
		}
		parts = append(parts, part)
	}
	if len(parts) == 0 {
		return ""
	}
	return " (" + strings.Join(parts, ", ") + ")"
}
