package spark

// Rows as text: the expressions by which Spark writes what programs of package worker read, and reads what they write.

import (
	"fmt"
	"strconv"
	"strings"

	"gomosaic/mdslib/plan"
	"gomosaic/mdslib/spark/pb"
	"gomosaic/mdslib/spark/worker"
)

// textRows is the rows whose values are exprs as one column of text, in the form that TRANSFORM gives them.
func textRows(input *pb.Relation, exprs []string) *pb.Relation {
	var b strings.Builder
	b.WriteString("concat_ws('\t'")
	for _, expr := range exprs {
		fmt.Fprintf(&b, ", coalesce(CAST(%s AS STRING), '%s')", expr, transformNull)
	}
	b.WriteString(") AS row")
	return project(input, b.String())
}

// rowsOf is the rows of a schema that are the lines of a relation, as [worker.AppendRow] writes them.
func rowsOf(lines *pb.Relation, schema plan.Schema) *pb.Relation {
	fields := project(lines, "split(line, '\t') AS fields")
	exprs := make([]string, len(schema.Fields))
	for i, f := range schema.Fields {
		text := "nullif(fields[" + strconv.Itoa(i) + "], '" + worker.TextNull + "')"
		exprs[i] = valueExpr(text, f.Type) + " AS " + plan.QuoteName(f.Name)
	}
	return project(fields, exprs...)
}

func project(input *pb.Relation, exprs ...string) *pb.Relation {
	return &pb.Relation{RelType: &pb.Relation_Project{Project: &pb.Project{Input: input, Expressions: expressions(exprs)}}}
}

// textExprs is the expressions that give the rows of a schema as [worker.TextReader] reads them, and how it must read each
// column. Values that are not all there in text are an error.
func textExprs(schema plan.Schema) ([]string, []worker.Text, error) {
	exprs := []string{"spark_partition_id()"}
	var texts []worker.Text
	for _, f := range schema.Fields {
		if !worker.JSONAble(f.Type) {
			return nil, nil, fmt.Errorf("rows go there as text, in which a %s (column %q) is not all there: take it apart or cast it in a Select", f.Type, f.Name)
		}
		expr, text := textOf(f)
		exprs, texts = append(exprs, expr), append(texts, text)
	}
	return append(exprs, "'"+worker.TextEnd+"'"), texts, nil
}

// textOf is the expression of a column as text, and how it is to be read.
func textOf(f plan.Field) (string, worker.Text) {
	name := plan.QuoteName(f.Name)
	switch f.Type.Kind {
	case plan.String:
		return "base64(CAST(" + name + " AS BINARY))", worker.TextBase64
	case plan.Binary:
		return "base64(" + name + ")", worker.TextBase64
	case plan.Date:
		return "unix_date(" + name + ")", worker.TextDays
	case plan.Timestamp:
		return "unix_micros(" + name + ")", worker.TextMicros
	case plan.TimestampNTZ:
		return "CAST(" + name + " AS STRING)", worker.TextPlain
	case plan.Array, plan.Map, plan.Struct:
		return "to_json(" + name + ", " + worker.JSONOptions + ")", worker.TextJSON
	}
	return name, worker.TextPlain
}

// valueExpr is the expression of a value of a type, of its text as [worker.AppendRow] writes it.
func valueExpr(text string, t plan.Type) string {
	switch t.Kind {
	case plan.Null:
		return "CAST(NULL AS VOID)"
	case plan.String:
		return "CAST(unbase64(" + text + ") AS STRING)"
	case plan.Binary:
		return "unbase64(" + text + ")"
	case plan.Date:
		return "date_from_unix_date(CAST(" + text + " AS INT))"
	case plan.Timestamp:
		return "timestamp_micros(CAST(" + text + " AS BIGINT))"
	case plan.Array, plan.Map, plan.Struct:
		return typedExpr("from_json("+text+", "+plan.QuoteString(jsonType(t))+", map('mode', 'FAILFAST'))", t, 0)
	}
	return "CAST(" + text + " AS " + t.String() + ")"
}

// jsonType is the type as which from_json reads a value of a type.
func jsonType(t plan.Type) string {
	switch t.Kind {
	case plan.Decimal, plan.TimestampNTZ, plan.Null:
		return "string"
	case plan.Date:
		return "int"
	case plan.Timestamp:
		return "bigint"
	case plan.Array:
		return "array<" + jsonType(*t.Elem) + ">"
	case plan.Map:
		return "map<string," + jsonType(*t.Elem) + ">"
	case plan.Struct:
		parts := make([]string, len(t.Fields))
		for i, f := range t.Fields {
			parts[i] = fmt.Sprintf("`%d`:%s", i, jsonType(f.Type))
		}
		return "struct<" + strings.Join(parts, ",") + ">"
	}
	return t.String()
}

// typedExpr makes a value of a type of x, what from_json read. depth keeps the names of nested lambdas apart.
func typedExpr(x string, t plan.Type, depth int) string {
	name := "x" + strconv.Itoa(depth)
	switch t.Kind {
	case plan.Null, plan.Decimal, plan.TimestampNTZ:
		return "CAST(" + x + " AS " + t.String() + ")"
	case plan.Date:
		return "date_from_unix_date(" + x + ")"
	case plan.Timestamp:
		return "timestamp_micros(" + x + ")"
	case plan.Array:
		return "transform(" + x + ", " + name + " -> " + typedExpr(name, *t.Elem, depth+1) + ")"
	case plan.Map:
		return "transform_values(" + x + ", (k" + name + ", " + name + ") -> " + typedExpr(name, *t.Elem, depth+1) + ")"
	case plan.Struct:
		members := make([]string, len(t.Fields))
		for i, f := range t.Fields {
			members[i] = plan.QuoteString(f.Name) + ", " + typedExpr(x+".`"+strconv.Itoa(i)+"`", f.Type, depth+1)
		}
		return "CASE WHEN " + x + " IS NOT NULL THEN named_struct(" + strings.Join(members, ", ") + ") END"
	}
	return x
}
