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
	input, err := relationOf(p)
	if err != nil {
		return err
	}
	view := &pb.CreateDataFrameViewCommand{Input: input, Name: name, Replace: replace}
	command := &pb.Command{CommandType: &pb.Command_CreateDataframeView{CreateDataframeView: view}}
	for _, err := range e.execute(ctx, &pb.Plan{OpType: &pb.Plan_Command{Command: command}}) {
		if err != nil {
			return err
		}
	}
	return nil
}

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
	root, err := rootOf(p)
	if err != nil {
		return "", err
	}
	r, err := e.analyze(ctx, &pb.AnalyzePlanRequest{Analyze: &pb.AnalyzePlanRequest_Explain_{Explain: &pb.AnalyzePlanRequest_Explain{Plan: root, ExplainMode: explain}}})
	if err != nil {
		return "", err
	}
	return r.GetExplain().GetExplainString(), nil
}
