package exchange

// Convert: the rows that were dealt to a partition become a data set of their own.

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"gomosaic/mdslib/plan"
	"gomosaic/mdslib/spark/worker"
	"gomosaic/mdslib/store"
)

// Convert writes the partition whose number in tells. Without rows it writes nothing and the result is nil.
func Convert(ctx context.Context, job *worker.Job, in io.Reader) (*worker.Result, error) {
	var partition int
	if _, err := fmt.Fscanln(in, &partition); err != nil {
		return nil, fmt.Errorf("which partition: %w", err)
	}
	if job.Exchange == nil || partition < 0 || partition >= job.Exchange.Partitions {
		return nil, fmt.Errorf("the job has no partition %d", partition)
	}
	r, err := newPartitionReader(job, partition)
	if err != nil {
		return nil, err
	}
	defer r.close()
	err = r.next()
	if errors.Is(err, io.EOF) {
		return nil, nil
	}
	return worker.Convert(ctx, job, partition, func(yield func([]any, error) bool) {
		for ; !errors.Is(err, io.EOF); err = r.next() {
			if !yield(r.values, err) || err != nil {
				return
			}
		}
	})
}

// partitionReader reads the rows of a partition, file by file. It is not safe for concurrent use.
type partitionReader struct {
	job       *worker.Job
	partition int
	types     []plan.Type
	places    []int
	values    []any // of the row at hand
	opened    int   // files of the job
	file      *os.File
	rows      *dealtReader // of file
}

func newPartitionReader(job *worker.Job, partition int) (*partitionReader, error) {
	r := &partitionReader{job: job, partition: partition, values: make([]any, len(job.Schema.Fields))}
	columns, places, err := columnsOf(job)
	for _, c := range columns {
		r.types = append(r.types, c.t)
	}
	r.places = places
	return r, err
}

// next makes the next row that at hand; io.EOF after the last.
func (r *partitionReader) next() error {
	for {
		if r.rows != nil {
			err := r.rows.next(r.values, r.places)
			if err == nil {
				return nil
			}
			if !errors.Is(err, io.EOF) {
				return r.located(err)
			}
		}
		if r.opened == len(r.job.Exchange.Dealt) {
			return io.EOF
		}
		if err := r.open(); err != nil {
			return r.located(err)
		}
	}
}

// open goes on with the next file.
func (r *partitionReader) open() error {
	r.close()
	out, _ := store.LocalPath(r.job.Options.Out)
	name := r.job.Exchange.Dealt[r.opened].Name
	r.opened++
	var err error
	if r.file, err = os.Open(filepath.Join(out, name)); err != nil {
		return err
	}
	stat, err := r.file.Stat()
	if err != nil {
		return err
	}
	var buffer []byte
	if r.rows != nil {
		buffer = r.rows.buffer
	}
	if r.rows, err = newDealtReader(r.file, stat.Size(), r.partition, r.types); err == nil {
		r.rows.buffer = buffer
	}
	return err
}

func (r *partitionReader) close() {
	if r.file != nil {
		_ = r.file.Close()
		r.file = nil
	}
}

// located says which file an error is about.
func (r *partitionReader) located(err error) error {
	return fmt.Errorf("rows that were dealt out of %s: %w", r.job.Exchange.Dealt[r.opened-1].Source, err)
}
