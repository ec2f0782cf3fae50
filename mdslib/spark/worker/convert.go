package worker

// Convert: the rows of a partition become a data set of their own.

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"strings"
	"time"

	"gomosaic/mdslib"
	"gomosaic/mdslib/store"
)

// ConvertText writes the rows that in holds as text. Without rows it writes nothing and the result is nil.
func ConvertText(ctx context.Context, job *Job, in io.Reader) (*Result, error) {
	r, err := NewTextReader(in, job)
	if err != nil {
		return nil, err
	}
	first, err := r.Next()
	if err != nil {
		if errors.Is(err, io.EOF) {
			err = nil
		}
		return nil, err
	}
	return Convert(ctx, job, r.Partition(), func(yield func([]any, error) bool) {
		for values, err := first, error(nil); !errors.Is(err, io.EOF); values, err = r.Next() {
			if !yield(values, err) || err != nil {
				return
			}
		}
	})
}

// Convert writes the rows of a partition, whose values are good until the next row, to a folder of this task's own below the
// job's. The folder has an index.json when all is well; after an error nothing is left of it.
func Convert(ctx context.Context, job *Job, partition int, rows iter.Seq2[[]any, error]) (*Result, error) {
	sampler, err := mdslib.NewSampler(job.Schema, job.Options.Columns, job.Options.NullAs)
	if err != nil {
		return nil, err
	}
	w, err := newTaskWriter(ctx, job, partition)
	if err != nil {
		return nil, err
	}
	defer w.beats.end()
	files := newFileLoader(job)
	sample := mdslib.Sample{}
	for values, err := range rows {
		if err == nil {
			err = context.Cause(ctx)
		}
		if err == nil {
			if err = files.load(values, job); err != nil {
				err = fmt.Errorf("row %d of partition %d: %w", w.row, partition, err)
			}
		}
		if err == nil {
			if err = sampler.Fill(sample, values); err != nil {
				err = w.result.leave(job, w.row, err)
			} else {
				err = w.Write(sample)
			}
		}
		if err != nil {
			return nil, errors.Join(located(err, partition, w.row), w.Abort())
		}
		w.took()
	}
	r, err := w.end()
	if err != nil {
		return nil, errors.Join(err, w.Abort())
	}
	return r, nil
}

// taskWriter writes the data set of one task.
type taskWriter struct {
	*mdslib.MDSWriter
	partition int
	dir       string // below the job's
	started   time.Time
	row       int64 // at hand
	result    *Result
	beats     *beats // to be ended
}

// newTaskWriter makes a folder of this task's own.
func newTaskWriter(ctx context.Context, job *Job, partition int) (*taskWriter, error) {
	if err := job.Shared(ctx); err != nil {
		return nil, err
	}
	w := &taskWriter{partition: partition, started: time.Now(), result: &Result{}}
	w.dir = fmt.Sprintf("%05d-%s-%s", partition, job.Token, strings.ToLower(rand.Text()[:8]))
	opts := job.Options
	if opts.Out != "" {
		opts.Out = store.Join(opts.Out, w.dir)
	}
	if opts.Remote != "" {
		opts.Remote = store.Join(opts.Remote, w.dir)
	}
	opts.OnInvalid = func(err error) error { return w.result.leave(job, w.row, err) }
	w.beats = newBeats(job.Options.Out, w.dir)
	opts.Progress = w.beats.written
	var err error
	if w.MDSWriter, err = mdslib.NewMDSWriter(opts); err != nil {
		w.beats.end()
		return nil, err
	}
	return w, nil
}

// took notes that a row is dealt with.
func (w *taskWriter) took() {
	w.row++
	w.beats.row(w.row)
}

// end completes the data set; after an error it is to be aborted.
func (w *taskWriter) end() (*Result, error) {
	if err := w.Close(); err != nil {
		return nil, fmt.Errorf("partition %d: %w", w.partition, err)
	}
	w.result.PartitionReport = mdslib.NewPartitionReport(w.partition, w.dir, w.Index(), time.Since(w.started))
	w.result.Host, _ = os.Hostname()
	w.result.PeakBytes = peakBytes()
	return w.result, nil
}

// leave keeps the error of a row that is left out, or returns it where none is.
func (r *Result) leave(job *Job, row int64, err error) error {
	if !job.SkipInvalid {
		return err
	}
	left := Left{Row: row, Error: err.Error()}
	var bad *mdslib.SampleError
	if errors.As(err, &bad) {
		left.Column, left.Error = bad.Column, bad.Err.Error()
	}
	if len(r.Invalid) == mostLeft {
		return &mdslib.SampleError{Sample: row, Column: left.Column, Err: fmt.Errorf("%s; %d rows are invalid before this one, and no more are left out", left.Error, mostLeft)}
	}
	r.Invalid = append(r.Invalid, left)
	return nil
}

// located says which row an error about a sample is of, which comes again.
func located(err error, partition int, row int64) error {
	var bad *mdslib.SampleError
	if errors.As(err, &bad) {
		return &finalError{fmt.Errorf("row %d of partition %d: column %q: %w", row, partition, bad.Column, bad.Err)}
	}
	return err
}

// peakBytes is the most memory that this process has had, where the system tells.
func peakBytes() int64 {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	_, peak, ok := strings.Cut(string(status), "VmHWM:")
	if !ok {
		return 0
	}
	var kilobytes int64
	if _, err := fmt.Sscan(peak, &kilobytes); err != nil {
		return 0
	}
	return kilobytes << 10
}
