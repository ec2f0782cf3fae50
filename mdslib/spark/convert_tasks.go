package spark

// DataFrameToMDS by tasks on Spark's executors: each writes the rows of its partition as a data set of its own, and this process
// makes one of those that Spark reports.

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"gomosaic/mdslib"
	"gomosaic/mdslib/plan"
	"gomosaic/mdslib/spark/pb"
	"gomosaic/mdslib/spark/worker"
	"gomosaic/mdslib/store"
)

// convertThere writes the shards in tasks.
func (e *engine) convertThere(ctx context.Context, p plan.Node, schema plan.Schema, opts mdslib.MDSOptions, who writers) (*mdslib.Report, error) {
	for _, url := range []string{opts.Out, opts.Remote} {
		// A volume that is not mounted here may be on the executors: Databricks' have them all.
		if scheme := store.Scheme(url); !slices.Contains(workerSchemes, scheme) && !strings.HasPrefix(url, "/Volumes/") {
			return nil, unable("tasks do not write to %s://", scheme)
		}
	}
	if err := e.permitted(ctx, who); err != nil {
		return nil, err
	}
	job, err := e.newJob(ctx, p, schema, opts, who)
	if err != nil {
		return nil, err
	}
	if opts.UDFIterable != nil {
		if job.udf, err = shippedTask(ctx, opts.UDFIterable, iterateEntry); ctx.Err() != nil {
			return nil, fmt.Errorf("spark: %w", context.Cause(ctx))
		} else if err != nil {
			return nil, unable("UDFIterable stays in this process: %w", err)
		}
	}
	c, err := mdslib.StartConversion(ctx, opts, "")
	if err != nil {
		return nil, err
	}
	report, err := e.convertByTasks(ctx, c, job, opts, who)
	if err != nil {
		if ctx.Err() != nil {
			err = fmt.Errorf("spark: the conversion was interrupted: %w", context.Cause(ctx))
		}
		err = e.outOfMemory(ctx, p, err, ofTasks)
		if u := (*errUnable)(nil); errors.As(err, &u) {
			_ = c.Abort(err) // others will write there, and say what is wrong with it
			return nil, err
		}
		return nil, c.Abort(err)
	}
	tasks := "tasks"
	if len(report) == 1 {
		tasks = "task"
	}
	how := fmt.Sprintf("%d %s on the executors of Spark %s at %s, by %s%s", len(report), tasks, e.version, e.target.address(), who.name(), job.how)
	return c.Commit(ctx, how, report)
}

// workerSchemes are those of the stores that tasks write to; "" is that of folders.
var workerSchemes = []string{"", "file", "s3", "oci"}

// rowsJob is a job with the rows that it is for.
type rowsJob struct {
	worker.Job
	rows  plan.Node
	exprs []string // of rows as text
	udf   *task    // with UDFIterable set, what writes; it takes rows as text alone

	exchange *exchange // how the tasks can come to the rows without Spark; nil where they can't
	how      string    // the rows came to the tasks, for the report
}

// newJob says how the rows of a plan travel to the tasks. Columns that can't are an errUnable.
func (e *engine) newJob(ctx context.Context, p plan.Node, schema plan.Schema, opts mdslib.MDSOptions, who writers) (*rowsJob, error) {
	job := &rowsJob{Job: worker.Job{Schema: schema, SkipInvalid: opts.OnInvalid != nil}}
	var file string
	var err error
	if job.rows, file, err = e.byFile(ctx, p, schema); err != nil {
		return nil, err
	}
	job.exprs = []string{"spark_partition_id()"}
	for _, f := range schema.Fields {
		if (who == byTransform || opts.UDFIterable != nil) && !worker.JSONAble(f.Type) {
			return nil, unable("rows go to the tasks as text, in which a %s (column %q) is not all there", f.Type, f.Name)
		}
		expr, text := textOf(f)
		if f.Name == file {
			expr, text = "base64(CAST("+plan.QuoteName(f.Name)+" AS BINARY))", worker.TextFile
		}
		job.Texts, job.exprs = append(job.Texts, text), append(job.exprs, expr)
	}
	job.exprs = append(job.exprs, "'"+worker.TextEnd+"'")
	if opts.UDFIterable == nil && opts.Out != "" && !strings.HasPrefix(opts.Out, "/Volumes/") {
		job.exchange, err = e.exchangeOf(ctx, p, schema, opts.Columns)
	}
	return job, err
}

// convertByTasks runs the tasks and returns what they wrote, in the order of the partitions.
func (e *engine) convertByTasks(ctx context.Context, c *mdslib.Conversion, job *rowsJob, opts mdslib.MDSOptions, who writers) ([]mdslib.PartitionReport, error) {
	var err error
	if job.Options, job.Marker, err = c.TaskOptions(ctx); err != nil {
		return nil, err
	}
	job.Token = c.TaskToken()
	if job.exchange != nil && job.Options.Out != "" {
		c.NoteTasks("dealing rows out")
		err := taskError(ctx, e.deal(ctx, job.exchange, &job.Job, who))
		u := (*errUnable)(nil)
		switch {
		case ctx.Err() != nil || errors.As(err, &u):
			return nil, err
		case err != nil:
			job.Exchange, job.how = nil, "; Spark read the files, as tasks could not: "+oneLine(err.Error())
			removeDealt(job.Options.Out)
		default:
			job.how = "; the tasks read the files themselves"
		}
	}
	ctx, give := context.WithCancelCause(ctx)
	defer give(nil)
	stop := watchTasks(ctx, c, job.Options.Out, give)
	lines, err := e.runTasks(ctx, job, who)
	stop()
	if err != nil {
		return nil, taskError(ctx, err)
	}
	var reports []mdslib.PartitionReport
	var rows int64
	for _, line := range lines {
		var r worker.Result
		if err := json.Unmarshal([]byte(line), &r); err != nil {
			return nil, fmt.Errorf("spark: a task reports %s: %w", oneLine(line), err)
		}
		for _, left := range r.Invalid {
			err := fmt.Errorf("spark: row %d of partition %d: %w", left.Row, r.Partition, &mdslib.SampleError{Sample: left.Row, Column: left.Column, Err: errors.New(left.Error)})
			if err := opts.OnInvalid(err); err != nil {
				return nil, err
			}
		}
		c.TaskDone(r.PartitionReport)
		reports = append(reports, r.PartitionReport)
		rows += r.Samples + int64(len(r.Invalid))
	}
	if job.Exchange != nil && rows != job.Exchange.Rows() {
		return nil, fmt.Errorf("spark: %d rows were dealt out to the partitions, which have %d", job.Exchange.Rows(), rows)
	}
	slices.SortFunc(reports, func(a, b mdslib.PartitionReport) int { return a.Partition - b.Partition })
	return reports, c.CheckTasks(reports)
}

// runTasks runs the tasks that write the partitions and returns what they print.
func (e *engine) runTasks(ctx context.Context, job *rowsJob, who writers) (lines []string, err error) {
	text, err := json.Marshal(job.Job)
	if err != nil {
		return nil, fmt.Errorf("spark: %w", err)
	}
	t := job.udf
	if t == nil {
		t = &task{program: e.worker, args: []string{map[writers]string{byTransform: "rows", byMapInArrow: "arrow"}[who]}}
	}
	t.files = []artifact{dataArtifact("gomosaic-job", text)}
	switch {
	case job.Exchange != nil:
		t.args = []string{"dealt"}
		num := job.Exchange.Partitions
		return e.textTasks(ctx, &plan.Range{End: int64(num), Step: 1, Partitions: num}, worker.Place{}, []string{"id"}, t, who)
	case who == byTransform || job.udf != nil:
		return e.textTasks(ctx, job.rows, job.Place(), job.exprs, t, who)
	}
	err = e.onRelationFor(ctx, job.rows, wanted{place: job.Place()}, func(input *pb.Relation) error {
		lines, err = e.mapInArrow(ctx, input, t, false)
		return err
	})
	return lines, err
}

// taskError finds what the error of a conversion's tasks is about.
func taskError(ctx context.Context, err error) error {
	var p *programError
	if errors.As(context.Cause(ctx), &p) {
		return p // what else went wrong is that the tasks were ended for it
	}
	if errors.As(err, &p) && strings.HasPrefix(p.said, worker.ErrNotShared) {
		return unable("executors do not share the folder with this process: %s", p.said)
	}
	return err
}

// signsEvery is how often the signs of tasks are read.
const signsEvery = time.Second

// watchTasks looks after a conversion's tasks until the func that it returns is called: it shows how far those are that write below a
// folder that this process sees, out, and gives them up when one says what no other try can mend.
func watchTasks(ctx context.Context, c *mdslib.Conversion, out string, give context.CancelCauseFunc) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		tick := time.NewTicker(signsEvery)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
			// Where the signs can't be read, Spark says what there is to say, if later.
			if said, err := c.TaskFailure(ctx); err == nil && said != "" {
				give(&programError{said: said})
				return
			}
			if out != "" {
				showTasks(c, out)
			}
		}
	}()
	return func() { cancel(); <-done }
}

// tasksNoted is of how many tasks single progress is shown.
const tasksNoted = 6

// showTasks shows how far tasks are.
func showTasks(c *mdslib.Conversion, out string) {
	beats, err := worker.ReadBeats(out)
	if err != nil || len(beats) == 0 {
		return
	}
	var notes []string
	for _, partition := range slices.Sorted(maps.Keys(beats)) {
		b := beats[partition]
		c.ReportTask(partition, mdslib.WriteProgress{Shards: b.Shards, Samples: b.Samples, RawBytes: b.RawBytes, StoredBytes: b.StoredBytes})
		if len(notes) < tasksNoted {
			notes = append(notes, fmt.Sprintf("%d: %d rows, %s", partition, b.Rows, mdslib.FormatBytes(b.StoredBytes)))
		}
	}
	if more := len(beats) - len(notes); more > 0 {
		notes = append(notes, fmt.Sprintf("and %d more", more))
	}
	c.NoteTasks(strings.Join(notes, "; "))
}
