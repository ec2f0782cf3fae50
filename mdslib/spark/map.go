package spark

// Map on executors: the func is shipped as a program, and the rows go through it as text.

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"gomosaic/mdslib/plan"
	"gomosaic/mdslib/spark/pb"
	"gomosaic/mdslib/spark/worker"
)

// onRelation calls run with the relation of a plan. The programs of its Map steps are built and sent before; where executors
// turn out to lack them, run is called once more.
func (e *engine) onRelation(ctx context.Context, n plan.Node, run func(*pb.Relation) error) error {
	place, done, err := e.mapPlace(n)
	if err != nil {
		return err
	}
	defer done()
	return e.onRelationFor(ctx, n, place, run)
}

// mapPlace is where the tasks of a query's Map steps see that they are still wanted, until done is called: Spark does not end a
// TRANSFORM's program when it gives up its task. It is a folder of this machine, for a server that is on it, too; tasks that do
// not see the folder are not ended by it.
func (e *engine) mapPlace(n plan.Node) (place worker.Place, done func(), err error) {
	if !plan.Any(n, isMap) || !e.target.loopback() {
		return worker.Place{}, func() {}, nil
	}
	place = worker.Place{Marker: "_running", Unheard: true}
	if place.Root, err = os.MkdirTemp("", "gomosaic-map-"); err != nil {
		return worker.Place{}, nil, fmt.Errorf("spark: Map: %w", err)
	}
	if err := os.WriteFile(filepath.Join(place.Root, place.Marker), nil, 0o666); err != nil {
		return worker.Place{}, nil, errors.Join(fmt.Errorf("spark: Map: %w", err), os.RemoveAll(place.Root))
	}
	return place, func() { _ = os.RemoveAll(place.Root) }, nil
}

// onRelationFor is [engine.onRelation] for a conversion, whose driver watches a place: there Map's tasks say what comes again.
func (e *engine) onRelationFor(ctx context.Context, n plan.Node, place worker.Place, run func(*pb.Relation) error) error {
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
		place = worker.Place{} // Spark knows rows that it keeps by their plan, which the place would be a part of
	}
	return e.onArchs(ctx, func(archs []string) error {
		r, err := translation{func(n *plan.MapRows, input *pb.Relation) (*pb.Relation, error) {
			return e.mapped(ctx, n, input, place, who, archs)
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
func (e *engine) mapped(ctx context.Context, n *plan.MapRows, input *pb.Relation, place worker.Place, who writers, archs []string) (*pb.Relation, error) {
	in, err := e.schema(ctx, input)
	if err != nil {
		return nil, err
	}
	job := worker.MapJob{In: in}
	if !place.Unheard {
		job.Place = place
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
	if place.Unheard { // the job, a file that is sent, is the same for each query
		t.env = append(slices.Clone(t.env), worker.EnvWanted+"="+filepath.Join(place.Root, place.Marker))
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
