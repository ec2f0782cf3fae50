package spark

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/ipc"
	"github.com/apache/arrow/go/v17/arrow/memory"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"gomosaic/display"
	"gomosaic/mdslib"
	"gomosaic/mdslib/plan"
	"gomosaic/mdslib/spark/pb"
	"gomosaic/mdslib/spark/worker"
	"gomosaic/mdslib/store"
)

// textStream is an Arrow stream of one column of text.
func textStream(t *testing.T, lines ...string) []byte {
	t.Helper()
	schema := arrow.NewSchema([]arrow.Field{{Name: "line", Type: arrow.BinaryTypes.String}}, nil)
	b := array.NewRecordBuilder(memory.DefaultAllocator, schema)
	b.Field(0).(*array.StringBuilder).AppendValues(lines, nil)
	var out bytes.Buffer
	w := ipc.NewWriter(&out, ipc.WithSchema(schema))
	if err := errors.Join(w.Write(b.NewRecord()), w.Close()); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// sparkSays is an error of Spark.
func sparkSays(t *testing.T, class, text string) error {
	t.Helper()
	s, err := status.New(codes.Internal, text).WithDetails(&errdetails.ErrorInfo{Metadata: map[string]string{"errorClass": class}})
	if err != nil {
		t.Fatal(err)
	}
	return s.Err()
}

// platform is a server that permits what it is told, and whose rows are the numbers 1 and 2.
type platform struct {
	transform  func(script bool) ([]byte, error) // probe: whether it is the probe
	mapInArrow func(script bool) ([]byte, error)
	asked      []string
}

func (p *platform) engine(t *testing.T) *engine {
	t.Helper()
	f := &fake{}
	f.schema = &pb.DataType{Kind: &pb.DataType_Struct_{Struct: &pb.DataType_Struct{Fields: []*pb.DataType_StructField{{Name: "n", DataType: &pb.DataType{Kind: &pb.DataType_Long{Long: &pb.DataType_Simple{}}}}}}}}
	f.execute = func(r *pb.ExecutePlanRequest, s grpc.ServerStreamingServer[pb.ExecutePlanResponse]) error {
		text := r.String()
		probe, kind := strings.Contains(text, "uname -sm"), "rows"
		answer := func(bool) ([]byte, error) { return numbers(t, 1, 2), nil }
		switch r.GetPlan().GetRoot().GetRelType().(type) {
		case *pb.Relation_WithRelations:
			kind, answer = "transform", p.transform
		case *pb.Relation_MapPartitions:
			kind, answer = "mapInArrow", p.mapInArrow
		}
		if probe {
			kind += " probe"
		}
		f.note(func() { p.asked = append(p.asked, kind) })
		data, err := answer(probe)
		if err != nil {
			return err
		}
		return sending(s, nil, batch("1", data), complete("2"))
	}
	program := filepath.Join(t.TempDir(), "program")
	if err := os.WriteFile(program, []byte("program"), 0o777); err != nil {
		t.Fatal(err)
	}
	return &engine{client: f.dial(t), worker: shellWorker(program)}
}

func shellWorker(path string) *program {
	return &program{name: "gomosaic-worker", build: func(context.Context, string) (string, error) { return path, nil }}
}

// TestWhoWrites: the first writers that the platform permits and that can, asked once a session; who was passed over, and why, is in
// the report; where none can, that is the error; and an error of the connection is no refusal.
func TestWhoWrites(t *testing.T) {
	refuses := func(bool) ([]byte, error) {
		return nil, sparkSays(t, "UNSUPPORTED_FEATURE.TRANSFORM", "[UNSUPPORTED_FEATURE.TRANSFORM] not on this compute")
	}
	unseen := func(probe bool) ([]byte, error) {
		if probe {
			return textStream(t, "Linux x86_64"), nil
		}
		return nil, sparkSays(t, "", "Job aborted: Subprocess exited with status 1. Error: gomosaic failed: \""+worker.ErrNotShared+" /out, which the driver made (host)\"\n\tat x")
	}
	fails := func(probe bool) ([]byte, error) {
		if probe {
			return textStream(t, "Linux x86_64"), nil
		}
		return nil, sparkSays(t, "", "Job aborted: Subprocess exited with status 1. Error: gomosaic failed: "+strconv.Quote(`row 3 of partition 0: column "n": it is NULL`))
	}
	lacks := func(probe bool) ([]byte, error) {
		if probe {
			return textStream(t, "Linux aarch64"), nil
		}
		return nil, sparkSays(t, "", "Job aborted: ExecutorLostFailure (executor 1 exited caused by one of the running tasks) Reason: Command exited with code 52")
	}
	sparc := func(bool) ([]byte, error) { return textStream(t, "SunOS sun4u"), nil }
	for name, test := range map[string]struct {
		platform platform
		writers  string
		says     string // in the report, or in the error
		fails    bool
		asked    string
	}{
		"refused":             {platform: platform{transform: refuses, mapInArrow: refuses}, says: "the rows of Spark 4.2.0 at 127.0.0.1", asked: "transform probe, mapInArrow probe, rows"},
		"refused, shown":      {platform: platform{transform: refuses, mapInArrow: refuses}, says: "TRANSFORM does not run here ([UNSUPPORTED_FEATURE.TRANSFORM] not on this compute); mapInArrow does not", asked: "transform probe, mapInArrow probe, rows"},
		"not shared":          {platform: platform{transform: unseen, mapInArrow: unseen}, says: "executors do not share the folder", asked: "transform probe, transform, mapInArrow probe, mapInArrow, rows"},
		"executors only":      {platform: platform{transform: refuses, mapInArrow: unseen}, writers: "executors", says: "not on this compute); executors do not share the folder", fails: true, asked: "transform probe, mapInArrow probe, mapInArrow"},
		"a task fails":        {platform: platform{transform: fails}, says: `spark: row 3 of partition 0: column "n": it is NULL`, fails: true, asked: "transform probe, transform"},
		"out of memory":       {platform: platform{transform: lacks}, says: "a row did not fit into an executor's memory: raise spark.executor.memory", fails: true, asked: "transform probe, transform"},
		"forced":              {platform: platform{}, writers: "driver", says: "the rows of Spark", asked: "rows"},
		"forced, and refused": {platform: platform{mapInArrow: refuses}, writers: "mapInArrow", says: "mapInArrow does not run here", fails: true, asked: "mapInArrow probe"},
		"other machines":      {platform: platform{transform: sparc, mapInArrow: refuses}, says: "executors run SunOS sun4u", asked: "transform probe, mapInArrow probe, rows"},
	} {
		t.Run(name, func(t *testing.T) {
			e := test.platform.engine(t)
			for round := range 2 {
				out := filepath.Join(t.TempDir(), "out")
				test.platform.asked = nil
				report, err := e.ConvertMDS(t.Context(), &plan.Range{End: 2, Step: 1}, mdslib.MDSOptions{Out: out, Columns: mdslib.Columns{"n": "int64"}, Compression: "none", SparkWriters: test.writers})
				said := fmt.Sprint(err)
				if err == nil {
					said = report.Engine
				}
				if (err != nil) != test.fails || strings.Count(said, test.says) != 1 { // not twice, where both ways fail alike
					t.Fatalf("%v, want %q", said, test.says)
				}
				if _, err := os.Stat(out); (err != nil) != test.fails {
					t.Errorf("the folder: %v", err)
				}
				if asked := strings.Join(test.platform.asked, ", "); round == 0 && asked != test.asked || round == 1 && strings.Contains(asked, "probe") {
					t.Errorf("round %d: asked %s, want %s", round, asked, test.asked)
				}
			}
		})
	}

	broken := platform{transform: func(bool) ([]byte, error) { return nil, status.Error(codes.PermissionDenied, "expired") }}
	if _, err := broken.engine(t).ConvertMDS(t.Context(), &plan.Range{End: 2, Step: 1}, mdslib.MDSOptions{Out: t.TempDir(), Columns: mdslib.Columns{"n": "int64"}, Compression: "none"}); err == nil || !strings.Contains(err.Error(), "refuses us") {
		t.Errorf("an error of the connection: %v", err)
	}
}

// shown keeps what a bar shows.
type shown struct{ html strings.Builder }

func (s *shown) Publish(d display.Data, _ bool) error {
	fmt.Fprintln(&s.html, d.Data[display.MIMETypeHTML])
	return nil
}

// TestWatchTasks: what tasks say on their way is in the bar, each by itself and in sum.
func TestWatchTasks(t *testing.T) {
	s := &shown{}
	defer display.SetPublisher(s)()
	sums := make(chan mdslib.WriteProgress, 10)
	c, err := mdslib.StartConversion(t.Context(), mdslib.MDSOptions{Out: filepath.Join(t.TempDir(), "out"), ProgressBar: true, Progress: func(p mdslib.WriteProgress) { sums <- p }}, "")
	if err != nil {
		t.Fatal(err)
	}
	opts, _, err := c.TaskOptions(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{"00003-a-b.progress": `{"rows":7,"samples":5,"stored_bytes":1000}`, "00012-a-c.progress": `{"rows":70,"samples":50,"stored_bytes":3000}`, "00013-a-c.progress": `{"rows":`} {
		if err := os.WriteFile(store.TempName(filepath.Join(opts.Out, name)), []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	stop := watchTasks(t.Context(), c, opts.Out, func(error) {})
	<-sums
	if sum := <-sums; sum.Samples != 55 || sum.StoredBytes != 4000 {
		t.Errorf("sum %+v", sum)
	}
	stop()
	_ = c.Abort(errors.New("enough"))
	display.Flush()
	if got := s.html.String(); !strings.Contains(got, "3: 7 rows, 1.0 kB; 12: 70 rows, 3.0 kB") || !strings.Contains(got, "samples=55") {
		t.Errorf("the bar: %s", got)
	}
}

// TestTasksGivenUp: what a task says that comes again is the error of the conversion, whatever Spark makes of its end.
func TestTasksGivenUp(t *testing.T) {
	c, err := mdslib.StartConversion(t.Context(), mdslib.MDSOptions{Out: filepath.Join(t.TempDir(), "out")}, "")
	if err != nil {
		t.Fatal(err)
	}
	opts, marker, err := c.TaskOptions(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	_, failed := mdslib.TaskSigns(marker, "a7qw")
	if err := os.WriteFile(filepath.Join(opts.Out, failed), []byte("row 17 of partition 3: it is NULL"), 0o666); err != nil {
		t.Fatal(err)
	}
	ctx, give := context.WithCancelCause(t.Context())
	stop := watchTasks(ctx, c, opts.Out, give)
	select {
	case <-ctx.Done():
	case <-time.After(time.Minute): // it takes some ten milliseconds, and longer on a busy machine
		t.Error("it is not heard")
	}
	stop()
	if err := taskError(ctx, fmt.Errorf("spark: %w", context.Canceled)); err.Error() != "spark: row 17 of partition 3: it is NULL" {
		t.Errorf("error %v", err)
	}
	_ = c.Abort(errors.New("enough"))
	if err := taskError(t.Context(), &programError{said: worker.ErrNotShared + " /flowers"}); !errors.As(err, new(*errUnable)) {
		t.Errorf("a folder that is not shared: %v", err)
	}
}

// TestByFile: which plans carry a file's path in place of its content.
func TestByFile(t *testing.T) {
	read := &plan.Read{Format: "binaryFile", Paths: []string{"file:/flowers"}}
	project := func(in plan.Node, exprs ...string) plan.Node { return &plan.Project{Input: in, Exprs: exprs} }
	for name, test := range map[string]struct {
		plan   plan.Node
		column string
		want   bool
	}{
		"as read":             {read, "content", true},
		"another column":      {read, "path", false},
		"renamed":             {project(&plan.WithColumnRenamed{Input: read, From: "content", To: "image"}, "image"), "image", true},
		"selected":            {project(read, "content AS image", "path"), "image", true},
		"selected by star":    {project(&plan.WithColumns{Input: read, Columns: []plan.NamedExpr{{Name: "label", Expr: "1"}}}, "*"), "content", true},
		"star and another":    {project(read, "*", "path AS content"), "content", false},
		"changed":             {project(read, "substring(content, 1, 9) AS content"), "content", false},
		"changed in place":    {&plan.WithColumns{Input: read, Columns: []plan.NamedExpr{{Name: "content", Expr: "reverse(content)"}}}, "content", false},
		"copied":              {&plan.WithColumns{Input: read, Columns: []plan.NamedExpr{{Name: "image", Expr: "content"}}}, "image", true},
		"filtered and sorted": {&plan.Limit{N: 3, Input: &plan.Sort{Input: &plan.Filter{Input: &plan.Repartition{Input: read, Num: 2}, Condition: "length(content) > 1"}}}, "content", true},
		"dropped":             {&plan.Drop{Input: read, Columns: []string{"length"}}, "content", true},
		"dropped before":      {project(&plan.Drop{Input: read, Columns: []string{"Content"}}, "path AS content", "content AS image"), "image", false},
		"distinct":            {&plan.Distinct{Input: read}, "content", false},
		"sampled in order":    {&plan.Sample{Input: read, Upper: 1, Ordered: true}, "content", false},
		"another source":      {&plan.Read{Format: "parquet", Paths: read.Paths}, "content", false},
		"other SQL":           {project(read, "content", "no such << syntax"), "content", false},
	} {
		carried, source := carryFile(test.plan, test.column, 0)
		if (source != nil) != test.want {
			t.Errorf("%s: by path %t, want %t", name, source != nil, test.want)
		}
		if r, err := relationOf(carried); err != nil || strings.Contains(r.String(), fileColumn) != test.want {
			t.Errorf("%s: %v, %v", name, r, err)
		}
	}
}

// TestListsFiles: plans whose files' paths may be dealt out by few tasks.
func TestListsFiles(t *testing.T) {
	read := &plan.Read{Format: "binaryFile", Paths: []string{"file:/flowers"}}
	renamed := &plan.WithColumnRenamed{Input: &plan.Project{Input: read, Exprs: []string{"content AS image", "path", "regexp_extract(path, 'x', 0) AS label"}}, From: "image", To: "picture"}
	filtered := func(in plan.Node, condition string) plan.Node { return &plan.Filter{Input: in, Condition: condition} }
	for name, test := range map[string]struct {
		plan plan.Node
		want bool
	}{
		"as read":               {read, true},
		"filtered by name":      {filtered(renamed, "label <> 'x' AND length(path) > 3"), true},
		"filtered by content":   {filtered(read, "length(Content) > 3"), false},
		"filtered by a copy":    {filtered(renamed, "length(picture) > 3"), false},
		"a column of it":        {&plan.WithColumns{Input: read, Columns: []plan.NamedExpr{{Name: "sum", Expr: "crc32(content)"}}}, false},
		"a column by selection": {&plan.Project{Input: read, Exprs: []string{"*", "crc32(content) AS sum"}}, false},
		"sorted":                {&plan.Sort{Input: read}, false},
	} {
		if got := listsFiles(test.plan); got != test.want {
			t.Errorf("%s: %t, want %t", name, got, test.want)
		}
	}
}

// TestRowsOutOfMemory: rows that did not fit where they are only fetched say so, too.
func TestRowsOutOfMemory(t *testing.T) {
	f := &fake{execute: func(*pb.ExecutePlanRequest, grpc.ServerStreamingServer[pb.ExecutePlanResponse]) error {
		return sparkSays(t, "", "Job aborted due to stage failure: ExecutorLostFailure (executor 1 exited caused by one of the running tasks) Reason: Command exited with code 52")
	}}
	e := &engine{client: f.dial(t)}
	for _, err := range e.Batches(t.Context(), &plan.Read{Format: "binaryFile", Paths: []string{"/pictures"}}) {
		if err == nil || !strings.Contains(err.Error(), "until they are sent, did not fit into an executor's memory: raise spark.executor.memory") || !strings.Contains(err.Error(), "more partitions") {
			t.Errorf("error %v", err)
		}
	}
	if len(f.executed) != 2 {
		t.Errorf("%d queries, want one for the rows and one for the largest file", len(f.executed))
	}
}

// TestUnreadType: a column of a type that is not read is an error with the type's name.
func TestUnreadType(t *testing.T) {
	f := &fake{schema: &pb.DataType{Kind: &pb.DataType_Struct_{Struct: &pb.DataType_Struct{Fields: []*pb.DataType_StructField{
		{Name: "age", DataType: &pb.DataType{Kind: &pb.DataType_DayTimeInterval{}}},
	}}}}}
	e := &engine{client: f.dial(t)}
	if _, err := e.Schema(t.Context(), &plan.Range{End: 1, Step: 1}); err == nil || err.Error() != `spark: column "age": a type that is not read (DayTimeInterval): cast it in a Select, or drop the column` {
		t.Errorf("error %v", err)
	}
}
