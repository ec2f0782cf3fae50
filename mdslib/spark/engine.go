package spark

import (
	"context"
	"fmt"
	"iter"
	"strings"
	"sync/atomic"

	"gomosaic/mdslib"
	"gomosaic/mdslib/plan"
	"gomosaic/mdslib/spark/pb"
)

func init() {
	mdslib.RegisterEngine("sc", open)
	mdslib.RegisterEngine("spark-local", openLocal)
	mdslib.RegisterEngine("databricks", openDatabricks)
}

// engine runs plans on a Spark Connect server, in one session of it.
type engine struct {
	*client
	leave func() // gives back a server of our own; nil for another's

	executors  executors
	probes     probes
	worker     *program    // gomosaic-worker
	leastDealt int64       // see [leastDealt]
	keepsMaps  atomic.Bool // Persist was asked to keep rows that a Map made
}

// open reads a connection string and opens a session.
func open(ctx context.Context, url string) (mdslib.Engine, error) {
	t, err := parseTarget(url)
	if err != nil {
		return nil, err
	}
	return openEngine(ctx, t)
}

// openEngine opens a session.
func openEngine(ctx context.Context, t *target) (*engine, error) {
	c, err := dial(ctx, t)
	if err != nil {
		return nil, err
	}
	return &engine{client: c, worker: newWorker(), leastDealt: leastDealt}, nil
}

// openLocal opens a session with a server that this process runs: "spark-local" on all cores, "spark-local[n]" on n, and
// "spark-local:MASTER" with that master, such as local-cluster[2,1,1024]. The first session starts the server.
func openLocal(ctx context.Context, url string) (mdslib.Engine, error) {
	rest := url[len("spark-local"):]
	master, given := strings.CutPrefix(rest, ":")
	switch {
	case !given && rest == "":
		master = "local[*]"
	case !given:
		master = "local" + rest
	}
	if !strings.HasPrefix(master, "local") {
		return nil, fmt.Errorf("spark: %q: want spark-local, spark-local[n], or spark-local: and a master of this machine, such as local-cluster[2,1,1024]", url)
	}
	s, leave, err := ours.join(ctx, master)
	if err != nil {
		return nil, err
	}
	e, err := openEngine(ctx, s.target)
	if err != nil {
		leave()
		return nil, err
	}
	e.leave = leave
	return e, nil
}

// Schema implements mdslib.Engine: the server analyses the plan.
func (e *engine) Schema(ctx context.Context, p plan.Node) (mdslib.Schema, error) {
	root, err := e.analyzed(ctx, p)
	if err != nil {
		return mdslib.Schema{}, err
	}
	return e.schema(ctx, root.GetRoot())
}

// schema asks the server for the columns of a relation.
func (e *engine) schema(ctx context.Context, relation *pb.Relation) (mdslib.Schema, error) {
	root := &pb.Plan{OpType: &pb.Plan_Root{Root: relation}}
	r, err := e.analyze(ctx, &pb.AnalyzePlanRequest{Analyze: &pb.AnalyzePlanRequest_Schema_{Schema: &pb.AnalyzePlanRequest_Schema{Plan: root}}})
	if err != nil {
		return mdslib.Schema{}, err
	}
	return schemaOf(r.GetSchema().GetSchema())
}

// Batches implements mdslib.Engine. Batches are Spark's own, of spark.connect.grpc.arrow.maxBatchSize (4 MiB) or one row.
func (e *engine) Batches(ctx context.Context, p plan.Node) iter.Seq2[*mdslib.Batch, error] {
	return func(yield func(*mdslib.Batch, error) bool) {
		for stream, err := range e.streams(ctx, p) {
			if err != nil {
				yield(nil, err)
				return
			}
			for b, err := range batches(stream) {
				if !yield(b, err) || err != nil {
					return
				}
			}
		}
	}
}

// streams runs a plan and yields its rows as Arrow streams; after an error it ends.
func (e *engine) streams(ctx context.Context, p plan.Node) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		yielded := false
		err := e.onRelation(ctx, p, func(r *pb.Relation) error {
			for stream, err := range arrowStreams(e.execute(ctx, &pb.Plan{OpType: &pb.Plan_Root{Root: r}})) {
				if err != nil {
					err = e.outOfMemory(ctx, p, err, ofResults)
				}
				if err != nil && !yielded {
					return err
				}
				yielded = true // what was yielded can't be taken back
				if !yield(stream, err) || err != nil {
					return nil
				}
			}
			return nil
		})
		if err != nil {
			yield(nil, err)
		}
	}
}

// SQL implements mdslib.SQLEngine. Spark runs a command at once and answers with its rows; a query it hands back.
func (e *engine) SQL(ctx context.Context, query string) (plan.Node, error) {
	input := &pb.Relation{RelType: &pb.Relation_Sql{Sql: &pb.SQL{Query: query}}}
	command := &pb.Command{CommandType: &pb.Command_SqlCommand{SqlCommand: &pb.SqlCommand{Input: input}}}
	var result *pb.Relation
	for answer, err := range e.execute(ctx, &pb.Plan{OpType: &pb.Plan_Command{Command: command}}) {
		if err != nil {
			return nil, err
		}
		if r := answer.GetSqlCommandResult(); r != nil {
			result = r.GetRelation()
		}
	}
	switch r := result.GetRelType().(type) {
	case *pb.Relation_Sql:
		return &plan.SQL{Query: query}, nil
	case *pb.Relation_LocalRelation:
		return &plan.Rows{Arrow: r.LocalRelation.GetData(), Schema: r.LocalRelation.GetSchema()}, nil
	}
	return nil, fmt.Errorf("spark: SQL: the server answered with %T", result.GetRelType())
}

// Close implements io.Closer: it ends the session on the server, and a server of our own with its last session.
func (e *engine) Close() error {
	err := e.close()
	e.lifelines.close()
	if e.leave != nil {
		e.leave()
	}
	return err
}
