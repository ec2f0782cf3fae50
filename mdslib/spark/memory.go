package spark

// Rows that did not fit into an executor's memory: which, how large, and the setting to raise.

import (
	"context"
	"fmt"
	"regexp"
	"strings"

	"gomosaic/mdslib"
	"gomosaic/mdslib/plan"
)

// memorySigns are how Spark says that memory was short: by Java's errors, by its own exit code for them, or by that of a process
// that the system ended.
var memorySigns = regexp.MustCompile(`OutOfMemoryError|Java heap space|exceeding memory limits|Requested array size exceeds|NegativeArraySizeException|Cannot grow BufferHolder|exited with code (52|137)`)

// outOfMemory makes the error of tasks that ran out of memory say what did not fit, as far as that can be known; other errors stay.
func (e *engine) outOfMemory(ctx context.Context, p plan.Node, cause error) error {
	if ctx.Err() != nil || !memorySigns.MatchString(sparkText(cause)) {
		return cause
	}
	what := "a row"
	if read := fileSource(p); read != nil {
		largest := &plan.Limit{N: 1, Input: &plan.Sort{Orders: []plan.SortOrder{{Expr: "length", Descending: true}}, Input: &plan.Project{Input: read, Exprs: []string{"path", "length"}}}}
		for b, err := range e.Batches(ctx, largest) {
			if err == nil && b.Rows > 0 {
				row := b.Row(0)
				what = fmt.Sprintf("a row (the largest file is %v, of %s)", row[0], mdslib.FormatBytes(row[1].(int64)))
			}
			break
		}
	}
	const setting = "spark.executor.memory"
	memory, err := e.Conf(ctx, setting)
	if err != nil {
		memory = "1g unless the server says otherwise"
	}
	return &programError{fmt.Sprintf("%s did not fit into an executor's memory: raise %s (%s), to some eight times the largest row; the contents of a binaryFile source need no memory of Spark where no expression changes them and the files lie where executors read them as files", what, setting, memory), cause}
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
