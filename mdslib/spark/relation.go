package spark

// From a plan to Spark's relations. Expressions travel as the text that they are.

import (
	"fmt"
	"math"

	"gomosaic/mdslib/plan"
	"gomosaic/mdslib/spark/pb"
)

// rootOf is the plan that returns the rows of a node.
func rootOf(n plan.Node) (*pb.Plan, error) {
	r, err := relationOf(n)
	if err != nil {
		return nil, err
	}
	return &pb.Plan{OpType: &pb.Plan_Root{Root: r}}, nil
}

// relationOf turns a node and all below it into a relation.
func relationOf(n plan.Node) (*pb.Relation, error) {
	var inputs []*pb.Relation
	if n == nil {
		return nil, fmt.Errorf("spark: the plan is empty")
	}
	for _, in := range n.Inputs() {
		r, err := relationOf(in)
		if err != nil {
			return nil, err
		}
		inputs = append(inputs, r)
	}
	switch n := n.(type) {
	case *plan.Read:
		source := &pb.Read_DataSource{Options: n.Options, Paths: n.Paths}
		if n.Format != "" {
			source.Format = &n.Format
		}
		if n.Schema != "" {
			source.Schema = &n.Schema
		}
		return read(&pb.Read{ReadType: &pb.Read_DataSource_{DataSource: source}}), nil
	case *plan.Table:
		return read(&pb.Read{ReadType: &pb.Read_NamedTable_{NamedTable: &pb.Read_NamedTable{UnparsedIdentifier: n.Name}}}), nil
	case *plan.SQL:
		return &pb.Relation{RelType: &pb.Relation_Sql{Sql: &pb.SQL{Query: n.Query}}}, nil
	case *plan.Rows:
		local := &pb.LocalRelation{Data: n.Arrow}
		if n.Schema != "" {
			local.Schema = &n.Schema
		}
		return &pb.Relation{RelType: &pb.Relation_LocalRelation{LocalRelation: local}}, nil
	case *plan.Range:
		r := &pb.Range{Start: &n.Start, End: n.End, Step: n.Step}
		if n.Partitions > 0 {
			parts, err := int32Of("Range", n.Partitions)
			if err != nil {
				return nil, err
			}
			r.NumPartitions = &parts
		}
		return &pb.Relation{RelType: &pb.Relation_Range{Range: r}}, nil
	case *plan.Project:
		return &pb.Relation{RelType: &pb.Relation_Project{Project: &pb.Project{Input: inputs[0], Expressions: expressions(n.Exprs)}}}, nil
	case *plan.WithColumns:
		var columns []*pb.Expression_Alias
		for _, c := range n.Columns {
			columns = append(columns, &pb.Expression_Alias{Expr: expression(c.Expr), Name: []string{c.Name}})
		}
		return &pb.Relation{RelType: &pb.Relation_WithColumns{WithColumns: &pb.WithColumns{Input: inputs[0], Aliases: columns}}}, nil
	case *plan.WithColumnRenamed:
		renames := []*pb.WithColumnsRenamed_Rename{{ColName: n.From, NewColName: n.To}}
		return &pb.Relation{RelType: &pb.Relation_WithColumnsRenamed{WithColumnsRenamed: &pb.WithColumnsRenamed{Input: inputs[0], Renames: renames}}}, nil
	case *plan.Drop:
		return &pb.Relation{RelType: &pb.Relation_Drop{Drop: &pb.Drop{Input: inputs[0], ColumnNames: n.Columns}}}, nil
	case *plan.Filter:
		return &pb.Relation{RelType: &pb.Relation_Filter{Filter: &pb.Filter{Input: inputs[0], Condition: expression(n.Condition)}}}, nil
	case *plan.Limit:
		rows, err := int32Of("Limit", n.N)
		return &pb.Relation{RelType: &pb.Relation_Limit{Limit: &pb.Limit{Input: inputs[0], Limit: rows}}}, err
	case *plan.Sample:
		return &pb.Relation{RelType: &pb.Relation_Sample{Sample: &pb.Sample{
			Input: inputs[0], LowerBound: n.Lower, UpperBound: n.Upper, WithReplacement: new(bool), Seed: &n.Seed, DeterministicOrder: n.Ordered,
		}}}, nil
	case *plan.MapRows:
		return nil, fmt.Errorf("spark: Map: a Go func does not run on Spark's executors: use expressions, or map the rows that Rows and Collect give")
	case *plan.Sort:
		var orders []*pb.Expression_SortOrder
		for _, o := range n.Orders {
			orders = append(orders, sortOrder(o))
		}
		return &pb.Relation{RelType: &pb.Relation_Sort{Sort: &pb.Sort{Input: inputs[0], Order: orders, IsGlobal: yes()}}}, nil
	case *plan.Distinct:
		d := &pb.Deduplicate{Input: inputs[0], ColumnNames: n.Columns}
		if len(n.Columns) == 0 {
			d.AllColumnsAsKeys = yes()
		}
		return &pb.Relation{RelType: &pb.Relation_Deduplicate{Deduplicate: d}}, nil
	case *plan.Union:
		if len(inputs) == 0 {
			return nil, fmt.Errorf("spark: Union: there are no tables")
		}
		all := inputs[0]
		for _, next := range inputs[1:] {
			all = &pb.Relation{RelType: &pb.Relation_SetOp{SetOp: &pb.SetOperation{
				LeftInput: all, RightInput: next, SetOpType: pb.SetOperation_SET_OP_TYPE_UNION, IsAll: yes(), ByName: &n.ByName,
			}}}
		}
		return all, nil
	case *plan.Repartition:
		parts, err := int32Of("Repartition", n.Num)
		return &pb.Relation{RelType: &pb.Relation_Repartition{Repartition: &pb.Repartition{Input: inputs[0], NumPartitions: parts, Shuffle: yes()}}}, err
	case *plan.Aggregate:
		return &pb.Relation{RelType: &pb.Relation_Aggregate{Aggregate: &pb.Aggregate{
			Input: inputs[0], GroupType: pb.Aggregate_GROUP_TYPE_GROUPBY, GroupingExpressions: expressions(n.GroupBy), AggregateExpressions: expressions(n.Aggs),
		}}}, nil
	}
	return nil, fmt.Errorf("spark: the plan has a step %T, which this engine doesn't know", n)
}

func read(r *pb.Read) *pb.Relation { return &pb.Relation{RelType: &pb.Relation_Read{Read: r}} }

func yes() *bool {
	b := true
	return &b
}

func expression(text string) *pb.Expression {
	return &pb.Expression{ExprType: &pb.Expression_ExpressionString_{ExpressionString: &pb.Expression_ExpressionString{Expression: text}}}
}

func expressions(texts []string) []*pb.Expression {
	all := make([]*pb.Expression, len(texts))
	for i, text := range texts {
		all[i] = expression(text)
	}
	return all
}

func sortOrder(o plan.SortOrder) *pb.Expression_SortOrder {
	s := &pb.Expression_SortOrder{
		Child: expression(o.Expr), Direction: pb.Expression_SortOrder_SORT_DIRECTION_ASCENDING, NullOrdering: pb.Expression_SortOrder_SORT_NULLS_FIRST,
	}
	if o.Descending {
		s.Direction = pb.Expression_SortOrder_SORT_DIRECTION_DESCENDING
	}
	if first := o.NullsFirst; first != nil && !*first || first == nil && o.Descending {
		s.NullOrdering = pb.Expression_SortOrder_SORT_NULLS_LAST
	}
	return s
}

// int32Of is a count as Spark's relations have it.
func int32Of[T int | int64](step string, n T) (int32, error) {
	if n < 0 || int64(n) > math.MaxInt32 {
		return 0, fmt.Errorf("spark: %s: %d is outside Spark's 0 to %d", step, n, math.MaxInt32)
	}
	return int32(n), nil
}
