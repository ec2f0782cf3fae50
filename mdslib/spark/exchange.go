package spark

// Rows of Parquet files that the tasks read and deal out themselves: where a DataFrame is columns of such files with a Repartition,
// and the tasks can read the files, its rows go neither through Spark's memory nor through its shuffle.

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"gomosaic/mdslib"
	"gomosaic/mdslib/plan"
	"gomosaic/mdslib/spark/pb"
	"gomosaic/mdslib/spark/worker"
)

// splitBytes is how much of a file one row of a dealing task stands for: spark.sql.files.maxPartitionBytes as it is by default.
const splitBytes = 128 << 20

// mostDealt is to how many partitions rows are dealt at most: a dealing task holds a few kilobytes for each.
const mostDealt = 1024

// exchange is what the tasks are to read, and how its rows are dealt out.
type exchange struct {
	worker.Exchange
	files *plan.Read // as a list: binaryFile's
}

// exchangeOf finds the exchange that columns of a plan are; nil where they are none, or the files are not ones of the executors'
// machines.
func (e *engine) exchangeOf(ctx context.Context, p plan.Node, schema plan.Schema, columns mdslib.Columns) (*exchange, error) {
	sources := make([]string, len(schema.Fields))
	var names []string
	for _, f := range schema.Fields {
		if _, ok := columns[f.Name]; ok {
			if !exchangeable(f.Type) {
				return nil, nil
			}
			names = append(names, f.Name)
		}
	}
	read, num := untouched(p, names)
	if read == nil || num < 1 || num > mostDealt {
		return nil, nil
	}
	for i, f := range schema.Fields {
		if _, ok := columns[f.Name]; ok {
			sources[i], names = names[0], names[1:]
		}
	}
	if bytes, err := e.sourceBytes(ctx, p); err != nil || bytes < e.leastDealt || !e.readsPlainly(ctx) {
		return nil, err
	}
	x := &exchange{worker.Exchange{Sources: sources, Partitions: num, SplitBytes: splitBytes}, &plan.Read{Format: "binaryFile", Options: read.Options, Paths: read.Paths}}
	local, err := e.readsLocalFiles(ctx, x.files)
	if err != nil || !local {
		return nil, err
	}
	return x, nil
}

// leastDealt is of how many bytes the files must be: with fewer, the job that deals takes longer than what it saves.
const leastDealt = 128 << 20

// unplain are settings with which Spark reads Parquet files otherwise than tasks do: it leaves out rows that it can't read, or goes by
// numbers of columns in place of their names.
var unplain = []string{"spark.sql.files.ignoreCorruptFiles", "spark.sql.parquet.fieldId.read.enabled"}

// readsPlainly tells whether the session has none of those settings. One that is not told may be set.
func (e *engine) readsPlainly(ctx context.Context) bool {
	return !slices.ContainsFunc(unplain, func(name string) bool {
		value, err := e.Conf(ctx, name)
		return err != nil || value != "false"
	})
}

// sizeText is how Spark says what a plan's step holds, such as 386.6 MiB.
var sizeText = regexp.MustCompile(`sizeInBytes=([0-9.]+ [KMGTPE])iB`)

// sourceBytes is the size of the files of a plan of one source as Spark reckons it, without a job; 0 where that is little, where it
// doesn't say, or where it keeps rows of the plan, perhaps for another session or a CACHE TABLE: the files may have others by now.
func (e *engine) sourceBytes(ctx context.Context, p plan.Node) (int64, error) {
	text, err := e.Explain(ctx, p, "cost")
	if err != nil {
		return 0, err
	}
	steps := sizeText.FindAllStringSubmatch(text, -1) // the source is the last
	if len(steps) == 0 || strings.Contains(text, keptRows) {
		return 0, nil
	}
	size, err := mdslib.ParseBytes(steps[len(steps)-1][1] + "B")
	if err != nil {
		size = 0 // more than any files
	}
	return size, nil
}

// exchangeable tells whether values of a type are dealt out: of others, such as dates of the Julian calendar, Spark knows more.
func exchangeable(t plan.Type) bool {
	switch t.Kind {
	case plan.Boolean, plan.Byte, plan.Short, plan.Int, plan.Long, plan.Float, plan.Double, plan.String, plan.Binary:
		return true
	}
	return false
}

// untouched follows columns of a plan down to the Parquet source whose columns they are as they were read, and makes names the
// names that they have there. Every step on the way must be one of columns alone, but for one Repartition, of num partitions. The
// source is nil where there is something else.
func untouched(n plan.Node, names []string) (read *plan.Read, num int) {
	each := func(source func(name string) string) bool {
		for i, name := range names {
			names[i] = source(name)
		}
		return !slices.Contains(names, "")
	}
	for {
		switch step := n.(type) {
		case *plan.Read:
			if !strings.EqualFold(step.Format, "parquet") || step.Schema != "" {
				return nil, 0
			}
			for option := range step.Options { // others than those of which files there are
				if !strings.EqualFold(option, "pathGlobFilter") && !strings.EqualFold(option, "recursiveFileLookup") {
					return nil, 0
				}
			}
			return step, num
		case *plan.Repartition:
			if num > 0 {
				return nil, 0
			}
			n, num = step.Input, step.Num
		case *plan.Project:
			if slices.ContainsFunc(step.Exprs, func(text string) bool { return text != "*" && columnOfExpr(text) == "" }) {
				return nil, 0 // perhaps one that makes rows
			}
			if !each(func(name string) string { source, _ := projected(step.Exprs, name); return source }) {
				return nil, 0
			}
			n = step.Input
		case *plan.WithColumnRenamed:
			if !each(func(name string) string { return renamed(step, name) }) {
				return nil, 0
			}
			n = step.Input
		case *plan.Drop:
			if slices.ContainsFunc(names, func(name string) bool { return dropped(step, name) }) {
				return nil, 0
			}
			n = step.Input
		default:
			return nil, 0
		}
	}
}

// deal runs the tasks that deal the rows out, which makes the job's Exchange that of the tasks that write the partitions. Where it
// fails nothing is left but what the conversion's end removes.
func (e *engine) deal(ctx context.Context, x *exchange, job *worker.Job, who writers) error {
	job.Exchange = &x.Exchange
	text, err := json.Marshal(job)
	if err != nil {
		return fmt.Errorf("spark: %w", err)
	}
	// One task lists the files: each of several would begin to deal the splits of its files somewhere.
	splits := &plan.Repartition{Num: x.Partitions, Input: &plan.Project{
		Exprs: []string{"path", fmt.Sprintf("explode(sequence(0L, (length - 1) div %d)) AS split", x.SplitBytes)},
		Input: &plan.Filter{Condition: "length > 0", Input: &plan.Coalesce{Num: 1, Input: x.files}},
	}}
	exprs := []string{"spark_partition_id()", "base64(CAST(path AS BINARY))", "split", "'" + worker.TextEnd + "'"}
	t := &task{program: e.worker, args: []string{"deal"}, files: []artifact{dataArtifact("gomosaic-job", text)}}
	lines, err := e.textTasks(ctx, splits, worker.Place{}, exprs, t, who)
	if err != nil {
		return err
	}
	missing := map[string]int64{} // rows of each source
	for _, line := range lines {
		var r worker.Dealt
		if err := json.Unmarshal([]byte(line), &r); err != nil {
			return fmt.Errorf("spark: a task reports %s: %w", oneLine(line), err)
		}
		if r.Unable != "" {
			return errors.New(r.Unable)
		}
		for _, f := range r.Files {
			if _, seen := missing[f.Source]; !seen {
				missing[f.Source] = f.SourceRows
			}
			missing[f.Source] -= f.Rows
			if f.Rows > 0 {
				x.Dealt = append(x.Dealt, f)
			}
		}
	}
	for source, rows := range missing {
		if rows != 0 {
			return fmt.Errorf("%s: of its rows the splits lack %d", source, rows)
		}
	}
	slices.SortFunc(x.Dealt, func(a, b worker.DealtFile) int {
		return cmp.Or(strings.Compare(a.Source, b.Source), cmp.Compare(a.Split, b.Split))
	})
	return nil
}

// textTasks runs a task in each partition of a plan that has rows, which get the values of exprs as text, and returns the lines that
// the tasks print. place is that of the conversion whose driver watches it, if one does.
func (e *engine) textTasks(ctx context.Context, p plan.Node, place worker.Place, exprs []string, t *task, who writers) (lines []string, err error) {
	err = e.onRelationFor(ctx, p, wanted{place: place}, func(input *pb.Relation) error {
		if who == byTransform {
			lines, err = e.transform(ctx, input, exprs, t)
		} else {
			lines, err = e.mapText(ctx, input, exprs, t)
		}
		return err
	})
	return lines, err
}

// removeDealt removes what dealing tasks left in a folder, as far as this process can: the rest goes with the folder.
func removeDealt(out string) {
	entries, _ := os.ReadDir(out)
	for _, entry := range entries {
		if strings.HasPrefix(entry.Name(), worker.DealtPrefix) {
			_ = os.Remove(filepath.Join(out, entry.Name()))
		}
	}
}
