package local

// Partition columns: what folders named key=value say, typed as Spark types them.

import (
	"fmt"
	"math/big"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"gomosaic/mdslib/local/expr"
	"gomosaic/mdslib/plan"
)

// partitioned turns key=value folders into columns.
func (l *lister) partitioned() (*Files, error) {
	files := &Files{}
	var names []string
	var texts [][]string
	for i, f := range l.found {
		var keys, values []string
		for _, k := range f.keys {
			name, value, _ := strings.Cut(k, "=")
			if value == "" {
				return nil, fmt.Errorf("file %s: the partition folder %q has no value", f.Path, k)
			}
			keys, values = append(keys, unescapePath(name)), append(values, unescapePath(value))
		}
		if i == 0 {
			names = keys
			for j, name := range names {
				if slices.ContainsFunc(names[:j], func(s string) bool { return strings.EqualFold(s, name) }) {
					return nil, fmt.Errorf("file %s: the partition column %q occurs twice in its path", f.Path, name)
				}
			}
		}
		if !slices.EqualFunc(keys, names, strings.EqualFold) {
			return nil, fmt.Errorf("file %s lies in partition folders %v, others in %v: load them separately", f.Path, keys, names)
		}
		files.List = append(files.List, f.File)
		texts = append(texts, values)
	}
	for _, folder := range l.passed {
		if len(names) > 0 && folder.holdsFiles(0) {
			return nil, fmt.Errorf("folder %s holds files and has no name of the form key=value, though others beside it have: load them separately, or set recursiveFileLookup, which makes no columns of folders", folder.path)
		}
	}
	for c, name := range names {
		column := make([]string, len(texts))
		for i := range texts {
			column[i] = texts[i][c]
		}
		t, values := partitionValues(column)
		files.Partitions = append(files.Partitions, plan.Field{Name: name, Type: t, Nullable: true})
		files.texts = append(files.texts, column)
		for i := range files.List {
			files.List[i].Partitions = append(files.List[i].Partitions, values[i])
		}
	}
	return files, nil
}

// Given takes the types of partition columns from the columns that a Read gives, and returns the others: those that the
// files hold.
func (f *Files) Given(schema plan.Schema) (own plan.Schema, err error) {
	for _, field := range schema.Fields {
		i := slices.IndexFunc(f.Partitions, func(p plan.Field) bool { return strings.EqualFold(p.Name, field.Name) })
		if i < 0 {
			own.Fields = append(own.Fields, field)
			continue
		}
		parse, err := expr.FromText(field.Type, expr.Env{Location: time.Local})
		if err != nil {
			return own, fmt.Errorf("partition column %q: %w", field.Name, err)
		}
		f.Partitions[i] = field
		for k, text := range f.texts[i] {
			f.List[k].Partitions[i] = nil
			if text == hiveNull {
				continue
			}
			if f.List[k].Partitions[i], err = parse(text); err != nil {
				return own, fmt.Errorf("file %s: partition column %q: %q is no %s", f.List[k].Path, field.Name, text, field.Type)
			}
		}
	}
	return own, nil
}

// Joined are a source's own columns and then the partition columns; a partition column of an own column's name stands in
// its place, as in Spark. into puts a file's partition values into a row of the own columns.
func (f *Files) Joined(own plan.Schema) (schema plan.Schema, into func(row []any, file *File) []any) {
	schema.Fields = slices.Clone(own.Fields)
	at := make([]int, len(f.Partitions))
	for i, p := range f.Partitions {
		if at[i], _ = own.Index(p.Name); at[i] < 0 {
			at[i] = len(schema.Fields)
			schema.Fields = append(schema.Fields, p)
			continue
		}
		schema.Fields[at[i]] = plan.Field{Name: own.Fields[at[i]].Name, Type: p.Type, Nullable: true}
	}
	total := len(schema.Fields)
	return schema, func(row []any, file *File) []any {
		row = append(row, make([]any, total-len(row))...)
		for i, v := range file.Partitions {
			row[at[i]] = v
		}
		return row
	}
}

// unescapePath undoes Hive's %XX in folder names.
func unescapePath(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '%' && i+2 < len(s) {
			if c, err := strconv.ParseUint(s[i+1:i+3], 16, 8); err == nil {
				b.WriteByte(byte(c))
				i += 2
				continue
			}
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

// hiveNull is Hive's name of the folder of NULL.
const hiveNull = "__HIVE_DEFAULT_PARTITION__"

var (
	wholeText     = regexp.MustCompile(`^[+-]?[0-9]+$`)
	dateText      = regexp.MustCompile(`^\d{4}-\d\d-\d\d$`)
	timestampText = regexp.MustCompile(`^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d)?$`)
	decimalText   = regexp.MustCompile(`^[+-]?[0-9]+([eE]\+?[0-9]{1,2})?$`)
)

// partitionType is the type of one value, by the rules of Spark's PartitioningUtils.inferPartitionColumnValue.
func partitionType(text string) plan.Type {
	parses := func(k plan.Kind) bool {
		parse, err := expr.FromText(plan.Of(k), expr.Env{Location: time.Local})
		if err == nil {
			_, err = parse(text)
		}
		return err == nil
	}
	if text == hiveNull {
		return plan.Of(plan.Null)
	}
	if wholeText.MatchString(text) {
		if n, err := strconv.ParseInt(text, 10, 64); err == nil {
			if n == int64(int32(n)) {
				return plan.Of(plan.Int)
			}
			return plan.Of(plan.Long)
		}
	}
	if decimalText.MatchString(text) {
		if r, ok := new(big.Rat).SetString(text); ok {
			if digits := len(strings.TrimLeft(r.Num().String(), "-")); digits <= plan.MaxPrecision {
				return plan.DecimalOf(digits, 0)
			}
		}
	}
	switch {
	case parses(plan.Double):
		return plan.Of(plan.Double)
	case timestampText.MatchString(text) && parses(plan.Timestamp):
		return plan.Of(plan.Timestamp)
	case dateText.MatchString(text) && parses(plan.Date):
		return plan.Of(plan.Date)
	}
	return plan.Of(plan.String)
}

// widerPartition is the type of a column with values of both types.
func widerPartition(a, b plan.Type) plan.Type {
	exact := func(t plan.Type) int { // digits
		switch t.Kind {
		case plan.Int:
			return 10
		case plan.Long:
			return 20
		case plan.Decimal:
			return t.Precision
		}
		return 0
	}
	if a.Kind > b.Kind {
		a, b = b, a
	}
	switch {
	case a.Kind == plan.Null:
		return b
	case a.Kind == b.Kind && a.Kind != plan.Decimal, a.Kind == plan.Int && (b.Kind == plan.Long || b.Kind == plan.Double), a.Kind == plan.Date && b.Kind == plan.Timestamp:
		return b
	case exact(a) > 0 && exact(b) > 0:
		return plan.DecimalOf(max(exact(a), exact(b)), 0)
	}
	return plan.Of(plan.String)
}

// partitionValues gives a partition column its type, and the values of that type.
func partitionValues(texts []string) (plan.Type, []any) {
	t := plan.Of(plan.Null)
	seen := map[string]bool{}
	for _, s := range texts {
		if !seen[s] {
			seen[s] = true
			t = widerPartition(t, partitionType(s))
		}
	}
	values := make([]any, len(texts))
	parse, err := expr.FromText(t, expr.Env{Location: time.Local})
	for i, s := range texts {
		if s == hiveNull {
			continue
		}
		if values[i] = s; t.Kind != plan.String && err == nil {
			values[i], _ = parse(s) // every text has been parsed before
		}
	}
	return t, values
}
