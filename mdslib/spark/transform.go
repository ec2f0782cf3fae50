package spark

// SELECT TRANSFORM: a command that Spark's executors run for each partition, with the rows as text on its standard input and
// the lines that it prints as rows.

import (
	"context"
	"fmt"
	"iter"
	"strings"

	"gomosaic/mdslib/plan"
	"gomosaic/mdslib/spark/pb"
)

// The text of a row: fields are separated by tabs and ended by a newline, and nothing is escaped on the way. NULL is one
// character that no field of ours consists of, and needs no backslash, whose meaning in SQL is a setting.
const transformNull = "!"

// transformed is the relation of the lines that a shell's script prints, in its only column, line. The script runs once for
// each partition of input that has rows, as `bash -c`, in the folder that has the session's files. Its standard input is the
// values of exprs as text, for each row in the partition's order. Values must hold no tabs and no newlines: encode them.
//
// Both row formats are given, since the default of what is left out is another one. The filter takes all rows and costs nothing: when
// Spark drops the name, which it does before the query runs, it forgets the rows that Persist keeps of the very plan that it stands for.
func transformed(input *pb.Relation, exprs []string, script string) *pb.Relation {
	const name = "gomosaic_rows"
	query := "SELECT TRANSFORM(" + strings.Join(exprs, ", ") + ")" +
		" ROW FORMAT DELIMITED FIELDS TERMINATED BY '\t' LINES TERMINATED BY '\n' NULL DEFINED AS '" + transformNull + "'" +
		" USING " + plan.QuoteString(script) + " AS (line STRING)" +
		" ROW FORMAT DELIMITED FIELDS TERMINATED BY '\x01' LINES TERMINATED BY '\n' FROM " + name
	all := &pb.Relation{RelType: &pb.Relation_Filter{Filter: &pb.Filter{Input: input, Condition: expression("true")}}}
	return &pb.Relation{RelType: &pb.Relation_WithRelations{WithRelations: &pb.WithRelations{
		Root:       &pb.Relation{RelType: &pb.Relation_Sql{Sql: &pb.SQL{Query: query}}},
		References: []*pb.Relation{{RelType: &pb.Relation_SubqueryAlias{SubqueryAlias: &pb.SubqueryAlias{Input: all, Alias: name}}}},
	}}}
}

// transform runs a task in each partition of input that has rows and returns the lines that the tasks print, in the order of
// the partitions. exprs are its standard input; see [transformed].
func (e *engine) transform(ctx context.Context, input *pb.Relation, exprs []string, t *task) (lines []string, err error) {
	err = e.arrange(ctx, t, func(script string) error {
		lines, err = e.collectLines(ctx, transformed(input, exprs, script))
		return err
	})
	return lines, err
}

// collectLines runs a relation of one column of text.
func (e *engine) collectLines(ctx context.Context, r *pb.Relation) ([]string, error) {
	var lines []string
	for line, err := range e.lines(ctx, r) {
		if err != nil {
			return nil, err
		}
		lines = append(lines, line)
	}
	return lines, nil
}

// lines runs a relation of one column of text and yields its rows as they come.
func (e *engine) lines(ctx context.Context, r *pb.Relation) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		root := &pb.Plan{OpType: &pb.Plan_Root{Root: r}}
		for stream, err := range arrowStreams(e.execute(ctx, root)) {
			if err != nil {
				yield("", err)
				return
			}
			for b, err := range batches(stream) {
				if err != nil {
					yield("", err)
					return
				}
				column, ok := b.Columns[0].Data.([]string)
				if !ok {
					yield("", fmt.Errorf("spark: the lines of tasks came as %s", b.Schema))
					return
				}
				for _, line := range column {
					if !yield(line, nil) {
						return
					}
				}
			}
		}
	}
}
