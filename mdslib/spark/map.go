package spark

// Map on executors: the func is shipped as a program, and the rows go through it as text.

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/google/uuid"

	"gomosaic/mdslib/plan"
	"gomosaic/mdslib/spark/pb"
	"gomosaic/mdslib/spark/worker"
)

// wanted is how the tasks of a plan's Map steps know that they are: by the place of a conversion, whose driver watches it, so that
// tasks say there what comes again; else on a lifeline, by the query that they are for. The zero value is a plan that is no single
// query's.
type wanted struct {
	place worker.Place
	query string
}

// onRelation calls run with the relation of a plan, for one query. The programs of its Map steps are built and sent before; where executors
// turn out to lack them, run is called once more.
func (e *engine) onRelation(ctx context.Context, n plan.Node, run func(*pb.Relation) error) error {
	if !plan.Any(n, isMap) {
		return e.onRelationFor(ctx, n, wanted{}, run)
	}
	query := uuid.NewString()
	defer e.lifelines.begin(query)()
	return e.onRelationFor(ctx, n, wanted{query: query}, run)
}

// onRelationFor is [engine.onRelation] for what wants the rows.
func (e *engine) onRelationFor(ctx context.Context, n plan.Node, by wanted, run func(*pb.Relation) error) error {
	if !plan.Any(n, isMap) {
		r, err := relationOf(n)
		if err != nil {
			return err
		}
		return run(r)
	}
	who, err := e.mappers(ctx)
	if err != nil {
		return fmt.Errorf("spark: Map: %w", err)
	}
	if e.keepsMaps.Load() {
		by = wanted{} // Spark knows rows that it keeps by their plan, which the place or the query would be a part of
	}
	return e.onArchs(ctx, func(archs []string) error {
		r, err := translation{func(n *plan.MapRows, input *pb.Relation) (*pb.Relation, error) {
			return e.mapped(ctx, n, input, by, who, archs)
		}}.relation(n)
		if err != nil {
			return err
		}
		return run(r)
	})
}

// mappers are those who can run a func on executors: TRANSFORM where the platform permits it, else mapInArrow.
func (e *engine) mappers(ctx context.Context) (writers, error) {
	var reasons []error
	for _, who := range choices["executors"] {
		err := e.permitted(ctx, who)
		if u := (*errUnable)(nil); err == nil || !errors.As(err, &u) {
			return who, err
		}
		reasons = append(reasons, err)
	}
	return "", fmt.Errorf("this platform does not run programs on its executors: %w", errors.Join(reasons...))
}

// analyzed is the relation of a plan for questions about it: the programs of Map steps are not there.
func (e *engine) analyzed(ctx context.Context, n plan.Node) (*pb.Plan, error) {
	r, err := translation{func(n *plan.MapRows, input *pb.Relation) (*pb.Relation, error) {
		in, err := e.schema(ctx, input)
		if err != nil {
			return nil, err
		}
		out, _, err := n.Bind(in)
		if err != nil {
			return nil, fmt.Errorf("spark: %w", err)
		}
		exprs, _, err := textExprs(in)
		if err != nil {
			return nil, fmt.Errorf("spark: Map: %w", err)
		}
		return rowsOf(transformed(input, exprs, "gomosaic: Map"), out), nil
	}}.relation(n)
	return &pb.Plan{OpType: &pb.Plan_Root{Root: r}}, err
}

func isMap(n plan.Node) bool {
	_, is := n.(*plan.MapRows)
	return is
}

// mapped is the relation of the rows that a func makes of input's.
func (e *engine) mapped(ctx context.Context, n *plan.MapRows, input *pb.Relation, by wanted, who writers, archs []string) (*pb.Relation, error) {
	in, err := e.schema(ctx, input)
	if err != nil {
		return nil, err
	}
	job := worker.MapJob{In: in, Place: by.place}
	if by.place.Marker == "" {
		if job.Lifeline, err = e.lifeline(ctx, who); err != nil {
			return nil, err
		}
	}
	if job.Out, _, err = n.Bind(in); err != nil {
		return nil, fmt.Errorf("spark: %w", err)
	}
	exprs, texts, err := textExprs(in)
	if err != nil {
		return nil, fmt.Errorf("spark: Map: %w", err)
	}
	job.Texts = texts
	text, err := json.Marshal(job)
	if err != nil {
		return nil, fmt.Errorf("spark: Map: %w", err)
	}
	t, err := shippedTask(ctx, n.Func, mapEntry)
	if err != nil {
		return nil, fmt.Errorf("spark: Map: %w", err)
	}
	if by.query != "" { // the job, a file that is sent, is the same for each
		t.env = append(slices.Clone(t.env), worker.EnvQuery+"="+by.query)
	}
	t.files = []artifact{dataArtifact("map", text)}
	script, err := e.script(ctx, t, archs)
	if err != nil {
		return nil, err
	}
	if who == byMapInArrow {
		return rowsOf(mappedInArrow(textRows(input, exprs), script, arrowTasks{text: true}, e.pythonVersion()), job.Out), nil
	}
	return rowsOf(transformed(input, exprs, script), job.Out), nil
}
