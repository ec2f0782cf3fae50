package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"gomosaic/mdslib"
	_ "gomosaic/mdslib/codec/brotli"
	_ "gomosaic/mdslib/codec/bzip2"
	"gomosaic/mdslib/local"
	"gomosaic/mdslib/plan"
)

// job is what partitions and convert read: one JSON object.
type job struct {
	Plan      json.RawMessage   `json:"plan"`      // a DataFrame's plan, as plan.Marshal writes it
	Partition *int              `json:"partition"` // convert: which of the plan's partitions, from 0
	Options   mdslib.MDSOptions `json:"options"`   // convert: Out, Columns and Compression must be set
}

// readJob reads the job and its plan. A field that the job does not have is an error: a driver of another version must
// not be half understood.
func readJob(r io.Reader) (job, plan.Node, error) {
	var j job
	d := json.NewDecoder(r)
	d.DisallowUnknownFields()
	if err := d.Decode(&j); err != nil {
		return j, nil, fmt.Errorf("reading the job from standard input: %w", err)
	}
	if len(j.Plan) == 0 {
		return j, nil, errors.New(`the job has no "plan"`)
	}
	p, err := plan.Unmarshal(j.Plan)
	return j, p, err
}

// partitions prints how many partitions the job's plan has.
func partitions(ctx context.Context, stdin io.Reader, stdout io.Writer) error {
	_, p, err := readJob(stdin)
	if err != nil {
		return err
	}
	n, err := local.Partitions(ctx, p)
	if err != nil {
		return err
	}
	return json.NewEncoder(stdout).Encode(map[string]int{"partitions": n})
}

// convert writes one partition of the job's plan as a data set of its own at options.out and prints its report. The
// driver merges the indexes when all partitions are there.
func convert(ctx context.Context, stdin io.Reader, stdout io.Writer) error {
	j, p, err := readJob(stdin)
	if err != nil {
		return err
	}
	switch {
	case j.Partition == nil:
		return errors.New(`the job has no "partition"`)
	case j.Options.Out == "":
		return errors.New(`the job's options have no "out"`)
	case len(j.Options.Columns) == 0:
		return errors.New(`the job's options have no "columns"`)
	case j.Options.Compression == "":
		return errors.New(`the job's options have no "compression" ("none" for none)`)
	}
	started := time.Now()
	index, err := local.ConvertPartition(ctx, p, *j.Partition, j.Options)
	if err != nil {
		return err
	}
	return json.NewEncoder(stdout).Encode(mdslib.PartitionReport{
		Partition: *j.Partition, Dir: j.Options.Out, Samples: int64(index.NumSamples()), Shards: len(index.Shards),
		RawBytes: index.RawBytes(), ZipBytes: index.StoredBytes(), Seconds: time.Since(started).Seconds(),
	})
}
