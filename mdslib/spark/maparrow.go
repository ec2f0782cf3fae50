package spark

// mapInArrow: a command that Python on the executors runs for each partition, with the rows as an Arrow stream on its standard
// input and the lines that it prints as rows. It is there where Spark runs users' Python and not their shell commands, and it
// has Spark's barrier.

import (
	"context"
	_ "embed"
	"fmt"
	"regexp"
	"strconv"

	"gomosaic/mdslib/spark/pb"
)

// mapArrowSource defines tasks, the function that mapInArrow calls: it uses the names script, barrier and text. Standard input of the
// command is closed after the stream's end. Its environment has GOMOSAIC_TASK_PARTITION, GOMOSAIC_TASK_GPUS (addresses, where
// Spark gives the task some), and of a barrier GOMOSAIC_TASK_HOSTS (of all tasks, by partition), each separated by commas.
//
//go:embed maparrow.py
var mapArrowSource string

// evalMapArrow is PythonEvalType.SQL_MAP_ARROW_ITER_UDF.
const evalMapArrow = 207

// arrowTasks is how tasks run by mapInArrow.
type arrowTasks struct{ barrier, text bool }

// columns are the columns that the tasks read: Spark leaves others out.
func (t arrowTasks) columns() []*pb.Expression {
	if t.text {
		return expressions([]string{"row"})
	}
	return nil
}

// mappedInArrow is the relation of the lines that a shell's script prints, in its only column, line. The script runs once for
// each partition of input that has rows, in the folder that has the session's files. With barrier set all partitions run at the
// same time or none, and Spark waits for as many free slots. With text set input has one column of text, and standard input is
// its values, a newline after each, in place of an Arrow stream.
//
// python is the minor version of the executors' Python, "3.11"; another one is an error of Spark that [pythonOf] reads.
func mappedInArrow(input *pb.Relation, script string, how arrowTasks, python string) *pb.Relation {
	text := &pb.DataType{Kind: &pb.DataType_String_{String_: &pb.DataType_Simple{}}}
	return &pb.Relation{RelType: &pb.Relation_MapPartitions{MapPartitions: &pb.MapPartitions{
		Input: input, IsBarrier: &how.barrier,
		Func: &pb.CommonInlineUserDefinedFunction{
			FunctionName: "gomosaic", Deterministic: false, Arguments: how.columns(),
			Function: &pb.CommonInlineUserDefinedFunction_PythonUdf{PythonUdf: &pb.PythonUDF{
				OutputType: &pb.DataType{Kind: &pb.DataType_Struct_{Struct: &pb.DataType_Struct{Fields: []*pb.DataType_StructField{{Name: "line", DataType: text, Nullable: true}}}}},
				EvalType:   evalMapArrow, Command: pickledTasks(script, how), PythonVer: python,
			}},
		},
	}}}
}

// pickledTasks is the pickle of (tasks, its result's type), of protocol 0: a call of eval on a source text, so that it holds
// no bytecode, which would be one Python version's alone.
func pickledTasks(script string, how arrowTasks) []byte {
	flag := map[bool]string{false: "False", true: "True"}
	// Go's ASCII quotes mean the same in Python, also after the pickle's own reading of \u.
	source := strconv.QuoteToASCII(mapArrowSource)
	expr := fmt.Sprintf(`(lambda g: (exec(%s, g), (g["tasks"], __import__("pyspark.sql.types", fromlist=["x"]).StructType().add("line", "string")))[1])({"script": %s, "barrier": %s, "text": %s})`,
		source, strconv.QuoteToASCII(script), flag[how.barrier], flag[how.text])
	return []byte("cbuiltins\neval\n(V" + expr + "\ntR.")
}

// otherPython is how Spark says that executors have another Python than a function was made for.
var otherPython = regexp.MustCompile(`PYTHON_VERSION_MISMATCH\] Python in worker has different version: (\d+\.\d+)`)

// pythonOf finds the version of the executors' Python in an error; "" where it is not what the error is about.
func pythonOf(err error) string {
	if m := otherPython.FindStringSubmatch(sparkText(err)); m != nil {
		return m[1]
	}
	return ""
}

// firstPython is the version that is tried first: the one of Spark 4's images and of recent Databricks runtimes differ, and the
// error tells the right one.
const firstPython = "3.11"

// collectMapped runs a script by mapInArrow and returns the lines.
func (e *engine) collectMapped(ctx context.Context, input *pb.Relation, script string, barrier bool) ([]string, error) {
	return e.collectTasks(ctx, input, script, arrowTasks{barrier: barrier})
}

func (e *engine) collectTasks(ctx context.Context, input *pb.Relation, script string, how arrowTasks) ([]string, error) {
	python := e.pythonVersion()
	lines, err := e.collectLines(ctx, mappedInArrow(input, script, how, python))
	if err != nil {
		if other := pythonOf(err); other != "" && other != python {
			e.notePython(other)
			return e.collectLines(ctx, mappedInArrow(input, script, how, other))
		}
	}
	return lines, err
}

// mapText is [engine.mapInArrow] for tasks that take the values of exprs as text on standard input, as [engine.transform] gives
// them.
func (e *engine) mapText(ctx context.Context, input *pb.Relation, exprs []string, t *task) (lines []string, err error) {
	err = e.arrange(ctx, t, func(script string) error {
		lines, err = e.collectTasks(ctx, textRows(input, exprs), script, arrowTasks{text: true})
		return err
	})
	return lines, err
}

// mapInArrow runs a task in each partition of input that has rows and returns the lines that the tasks print, in the order of
// the partitions. See [mappedInArrow] for barrier.
func (e *engine) mapInArrow(ctx context.Context, input *pb.Relation, t *task, barrier bool) (lines []string, err error) {
	err = e.arrange(ctx, t, func(script string) error {
		lines, err = e.collectMapped(ctx, input, script, barrier)
		return err
	})
	return lines, err
}

func (e *engine) pythonVersion() string {
	e.executors.mu.Lock()
	defer e.executors.mu.Unlock()
	if e.executors.python == "" {
		return firstPython
	}
	return e.executors.python
}

func (e *engine) notePython(version string) {
	e.executors.mu.Lock()
	defer e.executors.mu.Unlock()
	e.executors.python = version
}
