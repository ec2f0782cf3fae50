package spark

// Contents of files that travel as the files' paths: a column that is the content of a binaryFile source as it was read need not
// go through Spark's memory, nor through its shuffles, where the tasks can read the files themselves.

import (
	"context"
	"slices"
	"strings"

	"gomosaic/mdslib/plan"
)

// fileColumn carries the path of a row's file through a plan.
const fileColumn = "gomosaic_file"

// byFile returns a plan of the same rows in which one column that is a file's content, untouched, is the file's path instead,
// and which column that is; the plan as it was and "" where there is none, or its files are not ones of the executors' machines.
func (e *engine) byFile(ctx context.Context, p plan.Node, schema plan.Schema) (plan.Node, string, error) {
	for _, f := range schema.Fields {
		if f.Type.Kind != plan.Binary {
			continue
		}
		carried, read := carryFile(p, f.Name, 0)
		if read == nil {
			continue
		}
		local, err := e.readsLocalFiles(ctx, read)
		if err != nil || !local {
			return p, "", err
		}
		if kept, err := e.keepsRows(ctx, p); err != nil || kept {
			return p, "", err
		}
		exprs := make([]string, len(schema.Fields))
		for i, g := range schema.Fields {
			exprs[i] = plan.QuoteName(g.Name)
			if g.Name == f.Name {
				exprs[i] = fileColumn + " AS " + exprs[i]
			}
		}
		return &plan.Project{Input: carried, Exprs: exprs}, f.Name, nil
	}
	return p, "", nil
}

// readsLocalFiles tells whether Spark reads a source's files by the file system of its machines. Where the paths don't say, its
// default does, which the path of the first file shows, once a session.
func (e *engine) readsLocalFiles(ctx context.Context, read *plan.Read) (bool, error) {
	unsaid := false
	for _, path := range read.Paths {
		scheme, _, said := strings.Cut(path, ":")
		if said && !strings.Contains(scheme, "/") && scheme != "file" {
			return false, nil
		}
		unsaid = unsaid || !said
	}
	if !unsaid {
		return true, nil
	}
	files := &e.probes.files
	files.mu.Lock()
	defer files.mu.Unlock()
	if files.known {
		return files.local, nil
	}
	for b, err := range e.Batches(ctx, &plan.Limit{N: 1, Input: &plan.Project{Input: read, Exprs: []string{"path"}}}) {
		if err != nil || b.Rows == 0 {
			return false, err
		}
		path, _ := b.Row(0)[0].(string)
		files.known, files.local = true, strings.HasPrefix(path, "file:")
		break
	}
	return files.local, nil
}

// carryFile returns a node with one more column, the path of the row's file, if column of n is the content of a binaryFile source
// as it was read; else the source is nil. Steps that it does not know, and those that look at all columns, end the search. tasks
// is how many are to list the files, 0 for as many as Spark would read them with, a task for some thirty.
func carryFile(n plan.Node, column string, tasks int) (plan.Node, *plan.Read) {
	pass := func(input plan.Node, column string, with func(plan.Node) plan.Node) (plan.Node, *plan.Read) {
		carried, read := carryFile(input, column, tasks)
		if read == nil {
			return n, nil
		}
		return with(carried), read
	}
	switch n := n.(type) {
	case *plan.Read:
		if !strings.EqualFold(n.Format, "binaryFile") || !strings.EqualFold(column, "content") {
			return n, nil
		}
		var source plan.Node = n
		if tasks > 0 {
			source = &plan.Coalesce{Input: n, Num: tasks}
		}
		return &plan.WithColumns{Input: source, Columns: []plan.NamedExpr{{Name: fileColumn, Expr: "path"}}}, n
	case *plan.Project:
		source, star := projected(n.Exprs, column)
		if source == "" {
			return n, nil
		}
		return pass(n.Input, source, func(in plan.Node) plan.Node {
			exprs := append([]string{}, n.Exprs...)
			if !star {
				exprs = append(exprs, fileColumn)
			}
			return &plan.Project{Input: in, Exprs: exprs}
		})
	case *plan.WithColumns:
		source := column
		for _, c := range n.Columns {
			if strings.EqualFold(c.Name, column) {
				source = columnOfExpr(c.Expr)
			}
		}
		if source == "" {
			return n, nil
		}
		return pass(n.Input, source, func(in plan.Node) plan.Node { return &plan.WithColumns{Input: in, Columns: n.Columns} })
	case *plan.WithColumnRenamed:
		source := renamed(n, column)
		if source == "" {
			return n, nil
		}
		return pass(n.Input, source, func(in plan.Node) plan.Node { return &plan.WithColumnRenamed{Input: in, From: n.From, To: n.To} })
	case *plan.Drop:
		if dropped(n, column) {
			return n, nil
		}
		return pass(n.Input, column, func(in plan.Node) plan.Node { return &plan.Drop{Input: in, Columns: n.Columns} })
	case *plan.Filter:
		return pass(n.Input, column, func(in plan.Node) plan.Node { return &plan.Filter{Input: in, Condition: n.Condition} })
	case *plan.Limit:
		return pass(n.Input, column, func(in plan.Node) plan.Node { return &plan.Limit{Input: in, N: n.N} })
	case *plan.Sample:
		if n.Ordered {
			return n, nil
		}
		return pass(n.Input, column, func(in plan.Node) plan.Node {
			return &plan.Sample{Input: in, Lower: n.Lower, Upper: n.Upper, Seed: n.Seed}
		})
	case *plan.Sort:
		return pass(n.Input, column, func(in plan.Node) plan.Node { return &plan.Sort{Input: in, Orders: n.Orders} })
	case *plan.Repartition:
		if listsFiles(n.Input) {
			tasks = n.Num
		}
		return pass(n.Input, column, func(in plan.Node) plan.Node { return &plan.Repartition{Input: in, Num: n.Num} })
	case *plan.RepartitionBy:
		return pass(n.Input, column, func(in plan.Node) plan.Node {
			return &plan.RepartitionBy{Input: in, Num: n.Num, Exprs: n.Exprs}
		})
	case *plan.Coalesce:
		return pass(n.Input, column, func(in plan.Node) plan.Node { return &plan.Coalesce{Input: in, Num: n.Num} })
	}
	return n, nil
}

// listsFiles tells whether a plan is a binaryFile source with steps that work row by row, none of which looks into the files: how
// many tasks it has is then all one.
func listsFiles(n plan.Node) bool {
	contents := map[string]bool{"content": true} // names that the contents may have, in lower case
	var lists func(n plan.Node) bool
	looks := func(name, text string) bool {
		if source := columnOfExpr(text); source != "" {
			contents[strings.ToLower(name)] = contents[strings.ToLower(source)]
			return false
		}
		x, err := plan.Parse(text)
		if err != nil {
			return true // perhaps
		}
		names, _ := plan.ColumnsOf(x)
		return slices.ContainsFunc(names, func(name string) bool { return contents[strings.ToLower(name)] })
	}
	lists = func(n plan.Node) bool {
		switch n := n.(type) {
		case *plan.Read:
			return true
		case *plan.Project:
			return lists(n.Input) && !slices.ContainsFunc(n.Exprs, func(text string) bool {
				x, err := plan.Parse(text)
				a, ok := x.(*plan.Alias)
				return err != nil || ok && looks(a.Name, text) || !ok && looks(text, text)
			})
		case *plan.WithColumns:
			return lists(n.Input) && !slices.ContainsFunc(n.Columns, func(c plan.NamedExpr) bool { return looks(c.Name, c.Expr) })
		case *plan.WithColumnRenamed:
			return lists(n.Input) && !looks(n.To, plan.QuoteName(n.From))
		case *plan.Drop:
			return lists(n.Input)
		case *plan.Filter:
			return lists(n.Input) && !looks("", n.Condition)
		}
		return false
	}
	return lists(n)
}

// projected finds which column of its input a projection's column is, "" where it is none or not the only one of its name, and
// whether the projection has all columns of its input.
func projected(exprs []string, column string) (source string, star bool) {
	found := 0
	for _, text := range exprs {
		x, err := plan.Parse(text)
		if err != nil {
			return "", false // Spark knows more
		}
		name := x.String()
		if a, ok := x.(*plan.Alias); ok {
			name = a.Name
		}
		if _, ok := x.(*plan.Star); ok {
			star = true
		} else if strings.EqualFold(name, column) {
			source = columnOfExpr(text)
			found++
		}
	}
	switch {
	case star && found == 0:
		return column, true
	case star || found != 1:
		return "", star
	}
	return source, false
}

// renamed is the column of the input of a WithColumnRenamed that a column of its is, "" for its older name, which is gone.
func renamed(n *plan.WithColumnRenamed, column string) string {
	switch {
	case strings.EqualFold(n.To, column):
		return n.From
	case strings.EqualFold(n.From, column):
		return ""
	}
	return column
}

// dropped tells whether a column of that name of a Drop's input is gone. What a plan calls so further on is something else, such as
// a column that its Select has made before.
func dropped(n *plan.Drop, column string) bool {
	return slices.ContainsFunc(n.Columns, func(name string) bool { return strings.EqualFold(name, column) })
}

// columnOfExpr is the column that an expression is, perhaps with another name; "" for any other.
func columnOfExpr(text string) string {
	x, err := plan.Parse(text)
	if err != nil {
		return ""
	}
	if a, ok := x.(*plan.Alias); ok {
		x = a.X
	}
	if c, ok := x.(*plan.Column); ok && len(c.Parts) == 1 {
		return c.Parts[0]
	}
	return ""
}
