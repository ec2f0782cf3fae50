package spark

// What Spark keeps of a plan under a name, and what it makes of one.

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"gomosaic/mdslib/plan"
	"gomosaic/mdslib/spark/pb"
)

// CreateTempView implements mdslib.CatalogEngine.
func (e *engine) CreateTempView(ctx context.Context, p plan.Node, name string, replace bool) error {
	return e.onRelationFor(ctx, p, wanted{}, func(input *pb.Relation) error {
		view := &pb.CreateDataFrameViewCommand{Input: input, Name: name, Replace: replace}
		return e.command(ctx, &pb.Command{CommandType: &pb.Command_CreateDataframeView{CreateDataframeView: view}})
	})
}

// storageLevels are those of Spark's StorageLevel.
var storageLevels = map[string]*pb.StorageLevel{
	"DISK_ONLY": {UseDisk: true, Replication: 1}, "DISK_ONLY_2": {UseDisk: true, Replication: 2}, "DISK_ONLY_3": {UseDisk: true, Replication: 3},
	"MEMORY_ONLY": {UseMemory: true, Replication: 1}, "MEMORY_ONLY_2": {UseMemory: true, Replication: 2},
	"MEMORY_AND_DISK": {UseDisk: true, UseMemory: true, Replication: 1}, "MEMORY_AND_DISK_2": {UseDisk: true, UseMemory: true, Replication: 2},
	"MEMORY_AND_DISK_DESER": {UseDisk: true, UseMemory: true, Deserialized: true, Replication: 1},
	"OFF_HEAP":              {UseDisk: true, UseMemory: true, UseOffHeap: true, Replication: 1},
}

// Persist implements mdslib.CacheEngine.
func (e *engine) Persist(ctx context.Context, p plan.Node, level string) error {
	r := &pb.AnalyzePlanRequest_Persist{}
	if level != "" {
		if r.StorageLevel = storageLevels[strings.ToUpper(level)]; r.StorageLevel == nil {
			return fmt.Errorf("spark: Persist: level %q: want one of %s", level, strings.Join(slices.Sorted(maps.Keys(storageLevels)), ", "))
		}
	}
	if plan.Any(p, isMap) {
		e.keepsMaps.Store(true)
	}
	return e.onRelation(ctx, p, func(input *pb.Relation) error {
		r.Relation = input
		_, err := e.analyze(ctx, &pb.AnalyzePlanRequest{Analyze: &pb.AnalyzePlanRequest_Persist_{Persist: r}})
		return err
	})
}

// Unpersist implements mdslib.CacheEngine.
func (e *engine) Unpersist(ctx context.Context, p plan.Node) error {
	return e.onRelation(ctx, p, func(input *pb.Relation) error {
		_, err := e.analyze(ctx, &pb.AnalyzePlanRequest{Analyze: &pb.AnalyzePlanRequest_Unpersist_{Unpersist: &pb.AnalyzePlanRequest_Unpersist{Relation: input}}})
		return err
	})
}

// keepsRows tells whether Spark keeps rows of a plan, or of one that it is made of, perhaps for another session or a CACHE TABLE: they
// may be other ones than its files have by now.
func (e *engine) keepsRows(ctx context.Context, p plan.Node) (bool, error) {
	text, err := e.Explain(ctx, p, "simple")
	return strings.Contains(text, keptRows), err
}

// keptRows is what Spark calls rows that it keeps where it explains a plan.
const keptRows = "InMemoryRelation"

var explainModes = map[string]pb.AnalyzePlanRequest_Explain_ExplainMode{
	"": pb.AnalyzePlanRequest_Explain_EXPLAIN_MODE_SIMPLE, "simple": pb.AnalyzePlanRequest_Explain_EXPLAIN_MODE_SIMPLE,
	"extended": pb.AnalyzePlanRequest_Explain_EXPLAIN_MODE_EXTENDED, "codegen": pb.AnalyzePlanRequest_Explain_EXPLAIN_MODE_CODEGEN,
	"cost": pb.AnalyzePlanRequest_Explain_EXPLAIN_MODE_COST, "formatted": pb.AnalyzePlanRequest_Explain_EXPLAIN_MODE_FORMATTED,
}

// Explain implements mdslib.CatalogEngine.
func (e *engine) Explain(ctx context.Context, p plan.Node, mode string) (string, error) {
	explain, ok := explainModes[mode]
	if !ok {
		known := slices.DeleteFunc(slices.Sorted(maps.Keys(explainModes)), func(m string) bool { return m == "" })
		return "", fmt.Errorf("spark: Explain: mode %q: want one of %s", mode, strings.Join(known, ", "))
	}
	root, err := e.analyzed(ctx, p)
	if err != nil {
		return "", err
	}
	r, err := e.analyze(ctx, &pb.AnalyzePlanRequest{Analyze: &pb.AnalyzePlanRequest_Explain_{Explain: &pb.AnalyzePlanRequest_Explain{Plan: root, ExplainMode: explain}}})
	if err != nil {
		return "", err
	}
	return r.GetExplain().GetExplainString(), nil
}
