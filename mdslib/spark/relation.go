package spark

// From a plan to Spark's relations. Expressions travel as the text that they are.

import (
	"fmt"
	"math"

	"gomosaic/mdslib/plan"
	"gomosaic/mdslib/spark/pb"
)

// relationOf turns a node and all below it, without Map steps, into a relation.
func relationOf(n plan.Node) (*pb.Relation, error) { return translation{}.relation(n) }

// translation turns plans into relations.
type translation struct {
	// mapped makes the relation of a Map step from its input's; nil refuses them.
	mapped func(n *plan.MapRows, input *pb.Relation) (*pb.Relation, error)
}

// relation turns a node and all below it into a relation.
func (t translation) relation(n plan.Node) (*pb.Relation, error) {
	var inputs []*pb.Relation
	if n == nil {
		return nil, fmt.Errorf("spark: the plan is empty")
	}
	for _, in := range n.Inputs() {
		r, err := t.relation(in)
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
		r := read(&pb.Read{ReadType: &pb.Read_DataSource_{DataSource: source}})
		if n.Action != 0 { // Spark keeps the listing and the schema of a read that has an id
			r.Common = &pb.RelationCommon{PlanId: &n.Action}
		}
		return r, nil
	case *plan.Refused:
		return nil, n.Err
	case *plan.Table:
		return read(&pb.Read{ReadType: &pb.Read_NamedTable_{NamedTable: &pb.Read_NamedTable{UnparsedIdentifier: n.Name}}}), nil
	case *plan.SQL:
		return &pb.Relation{RelType: &pb.Relation_Sql{Sql: &pb.SQL{Query: n.Query}}}, nil
	case *plan.Values:
		return nil, fmt.Errorf("spark: the rows are another session's: create the DataFrame in the session of the others")
	case *plan.Rows:
		if n.Cached != nil {
			cached := &pb.ChunkedCachedLocalRelation{DataHashes: n.Cached}
			return &pb.Relation{RelType: &pb.Relation_ChunkedCachedLocalRelation{ChunkedCachedLocalRelation: cached}}, nil
		}
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
	case *plan.Offset:
		rows, err := int32Of("Offset", n.N)
		return &pb.Relation{RelType: &pb.Relation_Offset{Offset: &pb.Offset{Input: inputs[0], Offset: rows}}}, err
	case *plan.Tail:
		rows, err := int32Of("Tail", n.N)
		return &pb.Relation{RelType: &pb.Relation_Tail{Tail: &pb.Tail{Input: inputs[0], Limit: rows}}}, err
	case *plan.Sample:
		return &pb.Relation{RelType: &pb.Relation_Sample{Sample: &pb.Sample{
			Input: inputs[0], LowerBound: n.Lower, UpperBound: n.Upper, WithReplacement: new(bool), Seed: &n.Seed, DeterministicOrder: n.Ordered,
		}}}, nil
	case *plan.MapRows:
		if t.mapped == nil {
			return nil, fmt.Errorf("spark: a Map step stands where none can")
		}
		return t.mapped(n, inputs[0])
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
	case *plan.RepartitionBy:
		r := &pb.RepartitionByExpression{Input: inputs[0], PartitionExprs: expressions(n.Exprs)}
		if n.Num != 0 {
			parts, err := int32Of("RepartitionBy", n.Num)
			if err != nil {
				return nil, err
			}
			r.NumPartitions = &parts
		}
		return &pb.Relation{RelType: &pb.Relation_RepartitionByExpression{RepartitionByExpression: r}}, nil
	case *plan.Coalesce:
		parts, err := int32Of("Coalesce", n.Num)
		return &pb.Relation{RelType: &pb.Relation_Repartition{Repartition: &pb.Repartition{Input: inputs[0], NumPartitions: parts, Shuffle: new(bool)}}}, err
	case *plan.Join:
		return join(n, inputs[0], inputs[1])
	case *plan.SubqueryAlias:
		return &pb.Relation{RelType: &pb.Relation_SubqueryAlias{SubqueryAlias: &pb.SubqueryAlias{Input: inputs[0], Alias: n.Name}}}, nil
	case *plan.SetOp:
		op, ok := setOps[n.Op]
		if !ok {
			return nil, fmt.Errorf("spark: the set operation %q: want intersect or except", n.Op)
		}
		return &pb.Relation{RelType: &pb.Relation_SetOp{SetOp: &pb.SetOperation{LeftInput: inputs[0], RightInput: inputs[1], SetOpType: op, IsAll: &n.All}}}, nil
	case *plan.Aggregate:
		return &pb.Relation{RelType: &pb.Relation_Aggregate{Aggregate: &pb.Aggregate{
			Input: inputs[0], GroupType: pb.Aggregate_GROUP_TYPE_GROUPBY, GroupingExpressions: expressions(n.GroupBy), AggregateExpressions: expressions(n.Aggs),
		}}}, nil
	case *plan.Pivot:
		values := make([]*pb.Expression_Literal, len(n.Values))
		for i, v := range n.Values {
			values[i] = literal(v)
		}
		return &pb.Relation{RelType: &pb.Relation_Aggregate{Aggregate: &pb.Aggregate{
			Input: inputs[0], GroupType: pb.Aggregate_GROUP_TYPE_PIVOT, GroupingExpressions: expressions(n.GroupBy), AggregateExpressions: expressions(n.Aggs),
			Pivot: &pb.Aggregate_Pivot{Col: expression(n.By), Values: values},
		}}}, nil
	case *plan.Unpivot:
		unpivot := &pb.Unpivot{Input: inputs[0], Ids: columns(n.IDs), VariableColumnName: n.Variable, ValueColumnName: n.Value}
		if len(n.Columns) > 0 {
			unpivot.Values = &pb.Unpivot_Values{Values: columns(n.Columns)}
		}
		return &pb.Relation{RelType: &pb.Relation_Unpivot{Unpivot: unpivot}}, nil
	case *plan.ToDF:
		return &pb.Relation{RelType: &pb.Relation_ToDf{ToDf: &pb.ToDF{Input: inputs[0], ColumnNames: n.Names}}}, nil
	case *plan.FillNA:
		fill := &pb.NAFill{Input: inputs[0], Cols: n.Columns, Values: []*pb.Expression_Literal{literal(n.Constant)}}
		return &pb.Relation{RelType: &pb.Relation_FillNa{FillNa: fill}}, nil
	case *plan.DropNA:
		drop := &pb.NADrop{Input: inputs[0], Cols: n.Columns}
		if n.Least > 0 {
			least, err := int32Of("DropNA", n.Least)
			if err != nil {
				return nil, err
			}
			drop.MinNonNulls = &least
		}
		return &pb.Relation{RelType: &pb.Relation_DropNa{DropNa: drop}}, nil
	case *plan.Describe:
		return &pb.Relation{RelType: &pb.Relation_Describe{Describe: &pb.StatDescribe{Input: inputs[0], Cols: n.Columns}}}, nil
	}
	return nil, fmt.Errorf("spark: the plan has a step %T, which this engine doesn't know", n)
}

var setOps = map[string]pb.SetOperation_SetOpType{"intersect": pb.SetOperation_SET_OP_TYPE_INTERSECT, "except": pb.SetOperation_SET_OP_TYPE_EXCEPT}

var joinTypes = map[plan.JoinType]pb.Join_JoinType{
	plan.InnerJoin: pb.Join_JOIN_TYPE_INNER, plan.CrossJoin: pb.Join_JOIN_TYPE_CROSS,
	plan.LeftOuterJoin: pb.Join_JOIN_TYPE_LEFT_OUTER, plan.RightOuterJoin: pb.Join_JOIN_TYPE_RIGHT_OUTER, plan.FullOuterJoin: pb.Join_JOIN_TYPE_FULL_OUTER,
	plan.LeftSemiJoin: pb.Join_JOIN_TYPE_LEFT_SEMI, plan.LeftAntiJoin: pb.Join_JOIN_TYPE_LEFT_ANTI,
}

func join(n *plan.Join, left, right *pb.Relation) (*pb.Relation, error) {
	kind, err := plan.ParseJoinType(n.How)
	if err != nil {
		return nil, fmt.Errorf("spark: Join: %w", err)
	}
	if kind == plan.CrossJoin && (len(n.Using) > 0 || n.Condition != "") {
		return nil, fmt.Errorf("spark: Join: a cross join has neither columns nor a condition: want inner")
	}
	j := &pb.Join{Left: left, Right: right, JoinType: joinTypes[kind], UsingColumns: n.Using}
	if n.Condition != "" {
		j.JoinCondition = expression(n.Condition)
	}
	return &pb.Relation{RelType: &pb.Relation_Join{Join: j}}, nil
}

func literal(c plan.Constant) *pb.Expression_Literal {
	switch {
	case c.Long != nil:
		return &pb.Expression_Literal{LiteralType: &pb.Expression_Literal_Long{Long: *c.Long}}
	case c.Double != nil:
		return &pb.Expression_Literal{LiteralType: &pb.Expression_Literal_Double{Double: *c.Double}}
	case c.Text != nil:
		return &pb.Expression_Literal{LiteralType: &pb.Expression_Literal_String_{String_: *c.Text}}
	case c.Flag != nil:
		return &pb.Expression_Literal{LiteralType: &pb.Expression_Literal_Boolean{Boolean: *c.Flag}}
	}
	return &pb.Expression_Literal{}
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

// columns are expressions that are columns of these names.
func columns(names []string) []*pb.Expression {
	all := make([]*pb.Expression, len(names))
	for i, name := range names {
		all[i] = expression(plan.QuoteName(name))
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
