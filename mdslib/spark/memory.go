package spark

// Rows that did not fit into an executor's memory: which, how large, and the setting to raise.

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"gomosaic/mdslib"
	"gomosaic/mdslib/plan"
	"gomosaic/mdslib/spark/pb"
)

// memorySigns are how Spark says that memory was short: by Java's errors, by its own exit code for them, or by that of a process
// that the system ended.
var memorySigns = regexp.MustCompile(`OutOfMemoryError|Java heap space|exceeding memory limits|Requested array size exceeds|NegativeArraySizeException|Cannot grow BufferHolder|exited with code (52|137)`)

// need is what may not have fitted, and what else than more memory helps.
type need struct{ what, advice string }

var (
	// ofTasks is what tasks that write a data set hold: a row at a time.
	ofTasks = need{"a row", "; the contents of a binaryFile source need no memory of Spark where no expression changes them and the files lie where executors read them as files"}
	// ofResults is what tasks hold whose rows are sent.
	ofResults = need{"a row, or the results of a partition, which its executor holds until they are sent,", ", or give the rows more partitions (Repartition)"}
)

// outOfMemory makes the error of tasks that ran out of memory say what did not fit, as far as that can be known; other errors stay.
func (e *engine) outOfMemory(ctx context.Context, p plan.Node, cause error, of need) error {
	if ctx.Err() != nil || !memorySigns.MatchString(sparkText(cause)) {
		return cause
	}
	if p := (*programError)(nil); errors.As(cause, &p) {
		return cause // it was said already
	}
	what := of.what
	if read := fileSource(p); read != nil {
		if path, length, err := e.largestFile(ctx, read); err == nil {
			what += fmt.Sprintf(" (the largest file is %v, of %s)", path, mdslib.FormatBytes(length))
		}
	}
	const setting = "spark.executor.memory"
	memory, err := e.Conf(ctx, setting)
	if err != nil {
		memory = "1g unless the server says otherwise"
	}
	return &programError{fmt.Sprintf("%s did not fit into an executor's memory: raise %s (%s), to some eight times the largest row%s", what, setting, memory, of.advice), cause}
}

// largestFile is the path and the size of the largest file of a binaryFile source.
func (e *engine) largestFile(ctx context.Context, read *plan.Read) (path any, length int64, err error) {
	root, err := relationOf(&plan.Limit{N: 1, Input: &plan.Sort{Orders: []plan.SortOrder{{Expr: "length", Descending: true}}, Input: &plan.Project{Input: read, Exprs: []string{"path", "length"}}}})
	if err != nil {
		return nil, 0, err
	}
	for stream, err := range arrowStreams(e.execute(ctx, &pb.Plan{OpType: &pb.Plan_Root{Root: root}})) {
		if err != nil {
			return nil, 0, err
		}
		for b, err := range batches(stream) {
			if err != nil {
				return nil, 0, err
			}
			if b.Rows > 0 {
				row := b.Row(0)
				return row[0], row[1].(int64), nil
			}
		}
	}
	return nil, 0, errors.New("spark: no files")
}

// fileSource is the binaryFile source of a plan that has no other; nil without.
func fileSource(n plan.Node) *plan.Read {
	for {
		if read, ok := n.(*plan.Read); ok && strings.EqualFold(read.Format, "binaryFile") {
			return read
		}
		inputs := n.Inputs()
		if len(inputs) != 1 {
			return nil
		}
		n = inputs[0]
	}
}
