package spark

import (
	"fmt"
	"testing"

	"gomosaic/mdslib/plan"
)

// TestUntouched: which columns of a Parquet source a plan's columns are, and to how many partitions its rows are dealt.
func TestUntouched(t *testing.T) {
	read := &plan.Read{Format: "Parquet", Paths: []string{"/rows"}}
	with := func(options map[string]string) plan.Node {
		return &plan.Repartition{Num: 3, Input: &plan.Read{Format: "parquet", Options: options}}
	}
	dealt := func(n plan.Node) plan.Node { return &plan.Repartition{Num: 3, Input: n} }
	for name, c := range map[string]struct {
		plan plan.Node
		want string // "" for a plan that is none
	}{
		"the source":                            {dealt(read), "[a b] 3"},
		"not dealt":                             {read, "[a b] 0"},
		"selected":                              {&plan.Project{Exprs: []string{"b", "x AS a", "y"}, Input: dealt(read)}, "[x b] 3"},
		"all and one more":                      {dealt(&plan.Project{Exprs: []string{"*", "x AS a"}, Input: read}), ""},
		"all":                                   {dealt(&plan.Project{Exprs: []string{"*"}, Input: &plan.Drop{Columns: []string{"c"}, Input: read}}), "[a b] 3"},
		"renamed":                               {&plan.WithColumnRenamed{From: "x", To: "A", Input: dealt(&plan.WithColumnRenamed{From: "y", To: "x", Input: read})}, "[y b] 3"},
		"a dropped name, of what is made later": {dealt(&plan.Project{Exprs: []string{"b AS a", "a AS b"}, Input: &plan.Drop{Columns: []string{"A"}, Input: read}}), ""},
		"a dropped one is not renamed":          {dealt(&plan.WithColumnRenamed{From: "x", To: "a", Input: &plan.Drop{Columns: []string{"x"}, Input: read}}), ""},
		"an older name":                         {dealt(&plan.WithColumnRenamed{From: "a", To: "c", Input: read}), ""},
		"an expression":                         {dealt(&plan.Project{Exprs: []string{"a", "b + 0 AS b"}, Input: read}), ""},
		"one that is not used":                  {dealt(&plan.Project{Exprs: []string{"a", "b", "explode(c) AS c"}, Input: read}), ""},
		"added columns":                         {dealt(&plan.WithColumns{Columns: []plan.NamedExpr{{Name: "a", Expr: "b"}}, Input: read}), ""},
		"a filter":                              {dealt(&plan.Filter{Condition: "a > 0", Input: read}), ""},
		"dealt twice":                           {dealt(dealt(read)), ""},
		"some files":                            {with(map[string]string{"pathglobfilter": "*.parquet", "recursiveFileLookup": "true"}), "[a b] 3"},
		"merged schemas":                        {with(map[string]string{"mergeSchema": "true"}), ""},
		"a schema of its own":                   {dealt(&plan.Read{Format: "parquet", Schema: "a INT, b INT"}), ""},
		"another format":                        {dealt(&plan.Read{Format: "orc"}), ""},
		"a table":                               {dealt(&plan.Table{Name: "rows"}), ""},
	} {
		names, got := []string{"a", "b"}, ""
		if source, num := untouched(c.plan, names); source != nil {
			got = fmt.Sprint(names, " ", num)
		}
		if got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}
