package spark

// Files of tables, written by Spark.

import (
	"context"
	"fmt"

	"gomosaic/mdslib"
	"gomosaic/mdslib/plan"
	"gomosaic/mdslib/spark/pb"
)

var saveModes = map[string]pb.WriteOperation_SaveMode{
	"": pb.WriteOperation_SAVE_MODE_ERROR_IF_EXISTS, "error": pb.WriteOperation_SAVE_MODE_ERROR_IF_EXISTS,
	"errorifexists": pb.WriteOperation_SAVE_MODE_ERROR_IF_EXISTS, "append": pb.WriteOperation_SAVE_MODE_APPEND,
	"overwrite": pb.WriteOperation_SAVE_MODE_OVERWRITE, "ignore": pb.WriteOperation_SAVE_MODE_IGNORE,
}

// WriteFiles implements mdslib.Engine: Spark writes, to a path that is its executors', in any format that it knows.
func (e *engine) WriteFiles(ctx context.Context, p plan.Node, spec mdslib.WriteSpec) error {
	input, err := relationOf(p)
	if err != nil {
		return err
	}
	mode, ok := saveModes[spec.Mode]
	if !ok {
		return fmt.Errorf("spark: Write: mode %q: want error, overwrite, append or ignore", spec.Mode)
	}
	write := &pb.WriteOperation{Input: input, SaveType: &pb.WriteOperation_Path{Path: spec.Path}, Mode: mode, Options: spec.Options}
	if spec.Format != "" {
		write.Source = &spec.Format
	}
	command := &pb.Command{CommandType: &pb.Command_WriteOperation{WriteOperation: write}}
	for _, err := range e.execute(ctx, &pb.Plan{OpType: &pb.Plan_Command{Command: command}}) {
		if err != nil {
			return err
		}
	}
	return nil
}
