package spark

// Files of tables, and tables, written by Spark.

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"gomosaic/mdslib"
	"gomosaic/mdslib/plan"
	"gomosaic/mdslib/spark/pb"
)

var saveModes = map[string]pb.WriteOperation_SaveMode{
	"": pb.WriteOperation_SAVE_MODE_ERROR_IF_EXISTS, "error": pb.WriteOperation_SAVE_MODE_ERROR_IF_EXISTS,
	"errorifexists": pb.WriteOperation_SAVE_MODE_ERROR_IF_EXISTS, "append": pb.WriteOperation_SAVE_MODE_APPEND,
	"overwrite": pb.WriteOperation_SAVE_MODE_OVERWRITE, "ignore": pb.WriteOperation_SAVE_MODE_IGNORE,
}

// Write implements mdslib.Engine: Spark writes, to a path that is its executors' or to a table, in any format that it knows.
func (e *engine) Write(ctx context.Context, p plan.Node, spec mdslib.WriteSpec) error {
	w, err := writeOperation(spec)
	if err != nil {
		return err
	}
	return e.onRelation(ctx, p, func(input *pb.Relation) error {
		w.Input = input
		return e.command(ctx, &pb.Command{CommandType: &pb.Command_WriteOperation{WriteOperation: w}})
	})
}

// writeOperation is what to write, but for the rows.
func writeOperation(spec mdslib.WriteSpec) (*pb.WriteOperation, error) {
	mode, ok := saveModes[strings.ToLower(spec.Mode)]
	if !ok {
		return nil, fmt.Errorf("spark: Write: mode %q: want error, overwrite, append or ignore", spec.Mode)
	}
	w := &pb.WriteOperation{Mode: mode, Options: spec.Options, PartitioningColumns: spec.PartitionBy, SortColumnNames: spec.SortBy}
	if spec.Format != "" {
		w.Source = &spec.Format
	}
	if spec.Buckets != 0 || len(spec.BucketBy) > 0 {
		n, err := int32Of("BucketBy", spec.Buckets)
		if err != nil {
			return nil, err
		}
		w.BucketBy = &pb.WriteOperation_BucketBy{NumBuckets: n, BucketColumnNames: spec.BucketBy}
	}
	if spec.Table == "" {
		w.SaveType = &pb.WriteOperation_Path{Path: spec.Path}
		return w, nil
	}
	table := &pb.WriteOperation_SaveTable{TableName: spec.Table, SaveMethod: pb.WriteOperation_SaveTable_TABLE_SAVE_METHOD_SAVE_AS_TABLE}
	if spec.Insert {
		table.SaveMethod = pb.WriteOperation_SaveTable_TABLE_SAVE_METHOD_INSERT_INTO
		switch w.Mode {
		case pb.WriteOperation_SAVE_MODE_ERROR_IF_EXISTS:
			w.Mode = pb.WriteOperation_SAVE_MODE_APPEND
		case pb.WriteOperation_SAVE_MODE_IGNORE:
			return nil, errors.New("spark: InsertInto: mode ignore: want append or overwrite")
		}
	}
	w.SaveType = &pb.WriteOperation_Table{Table: table}
	return w, nil
}

// command runs a command that gives no rows.
func (e *engine) command(ctx context.Context, c *pb.Command) error {
	for _, err := range e.execute(ctx, &pb.Plan{OpType: &pb.Plan_Command{Command: c}}) {
		if err != nil {
			return err
		}
	}
	return nil
}
