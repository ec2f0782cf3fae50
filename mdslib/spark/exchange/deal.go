// Package exchange is Spark's exchange of rows between stages, done by the tasks of a conversion themselves, for Parquet files that
// they can read: tasks of a first job read the files and deal the rows out, one to each partition in turn, and those of a second one
// write the partitions. It is apart from package worker because it needs Apache Arrow.
package exchange

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"path/filepath"
	"strings"

	"gomosaic/mdslib"
	"gomosaic/mdslib/spark/worker"
	"gomosaic/mdslib/store"
)

// Deal reads the splits that in names, and writes the rows of each to a file of dealt rows below the job's Out. Which partition
// the first row of a split goes to is a matter of its name, so that the data set is the same each time. What can't be read as
// Spark reads it is no error: the report says so, and Spark is to do it.
func Deal(ctx context.Context, job *worker.Job, in io.Reader) (*worker.Dealt, error) {
	if job.Exchange == nil || job.Exchange.Partitions < 1 || job.Exchange.SplitBytes < 1 || len(job.Exchange.Sources) != len(job.Schema.Fields) {
		return nil, errors.New("the job has no exchange, or half of one")
	}
	columns, _, err := columnsOf(job)
	if err != nil {
		return nil, err
	}
	if err := job.Shared(ctx); err != nil {
		return nil, err
	}
	r, err := worker.NewTextReader(in, worker.Splits())
	if err != nil {
		return nil, err
	}
	report := &worker.Dealt{Files: []worker.DealtFile{}}
	for {
		values, err := r.Next()
		if errors.Is(err, io.EOF) {
			return report, nil
		}
		if err != nil {
			return nil, err
		}
		file := worker.DealtFile{}
		file.Source, _ = values[0].(string)
		file.Split, _ = values[1].(int64)
		err = deal(ctx, job, columns, &file)
		if u := (*unreadable)(nil); errors.As(err, &u) && ctx.Err() == nil {
			return &worker.Dealt{Unable: fmt.Sprintf("%s: %v", file.Source, u.reason)}, nil
		}
		if err != nil {
			return nil, fmt.Errorf("rows of %s: %w", file.Source, err)
		}
		report.Files = append(report.Files, file)
	}
}

// unreadable is the error of a file that is not read as Spark reads it.
type unreadable struct{ reason error }

func (e *unreadable) Error() string { return e.reason.Error() }

// deal deals out the rows of one split.
func deal(ctx context.Context, job *worker.Job, columns []column, to *worker.DealtFile) error {
	if strings.Contains(to.Source, "=") {
		return &unreadable{errors.New("its folders may have names that are columns")}
	}
	s, err := openSplit(to.Source, to.Split, job.Exchange.SplitBytes, columns)
	if err != nil {
		return &unreadable{err}
	}
	defer s.close()
	to.SourceRows = s.fileRows()
	if len(s.groups) == 0 {
		return nil
	}
	out, _ := store.LocalPath(job.Options.Out)
	to.Name = fmt.Sprintf("%s%s-%s", worker.DealtPrefix, job.Token, strings.ToLower(rand.Text()[:12]))
	w, err := newDealtWriter(filepath.Join(out, to.Name), job.Exchange.Partitions)
	if err != nil {
		return err
	}
	first := fnv.New32a()
	fmt.Fprintf(first, "%s %d", to.Source, to.Split)
	partition := int(first.Sum32() % uint32(job.Exchange.Partitions))
	var written error
	to.Rows, err = s.rows(ctx, func(put func([]byte) []byte) error {
		written = w.row(partition, put)
		partition = (partition + 1) % job.Exchange.Partitions
		return written
	})
	if written == nil && err != nil && ctx.Err() == nil {
		err = &unreadable{err}
	}
	return w.end(err)
}

// columnsOf are the columns that the shards are made of, and their places among the job's.
func columnsOf(job *worker.Job) (columns []column, places []int, err error) {
	sampler, err := mdslib.NewSampler(job.Schema, job.Options.Columns, job.Options.NullAs)
	if err != nil {
		return nil, nil, err
	}
	for _, place := range sampler.Positions() {
		columns = append(columns, column{job.Exchange.Sources[place], job.Schema.Fields[place].Type})
		places = append(places, place)
	}
	return columns, places, nil
}
