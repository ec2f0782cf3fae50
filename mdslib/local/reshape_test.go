package local

import (
	"strings"
	"testing"

	"gomosaic/mdslib"
)

// TestReshape: tables turned and renamed; that they are Spark's, make test-spark compares.
func TestReshape(t *testing.T) {
	type row struct {
		Name  string
		Side  *string
		Count int32
		Size  float64
	}
	left, right := new("left"), new("right")
	rows, err := connect(t, "local").CreateDataFrame(t.Context(), []row{{"rose", right, 3, 0.5}, {"lily", left, 4, 1}, {"rose", left, 5, 2}, {"rose", nil, 6, 4}, {"lily", left, 7, 8}}, "")
	if err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		frame *mdslib.DataFrame
		want  string
	}{
		"pivot":           {rows.GroupBy("name").Pivot("side").Sum("count"), "name null left right: rose 6 5 3|lily <nil> 11 <nil>"},
		"pivot values":    {rows.GroupBy("name").Pivot("side", "right", "up").Count(), "name right up: rose 1 <nil>|lily <nil> <nil>"},
		"aggregates":      {rows.GroupBy("count > 4 AS many").Pivot("size", 2).Agg("max(count) AS m", "min(name)"), "many 2_m 2_min(name): false <nil> <nil>|true 5 rose"},
		"of no rows":      {rows.GroupBy("name").Pivot("side", "right").Agg("count(1) AS n", "max(side) AS s"), "name right_n right_s: rose 1 right|lily 0 <nil>"},
		"no group":        {rows.GroupBy().Pivot("name").Count(), "lily rose: 2 3"},
		"no row":          {rows.Filter("count > 9").GroupBy().Pivot("name", "rose").Count(), "rose: <nil>"},
		"no row by name":  {rows.Filter("count > 9").GroupBy("name").Pivot("side").Count(), "name: "},
		"needs":           {rows.GroupBy("name").Pivot("side", "left").Sum("count").Select("left"), "left: 5|11"},
		"unpivot":         {rows.Limit(2).Unpivot([]string{"name"}, []string{"size", "count"}, "what", "much"), "Name what much: rose Size 0.5|rose Count 3|lily Size 1|lily Count 4"},
		"unpivot rest":    {rows.Limit(1).Drop("count").Unpivot([]string{"size"}, nil, "what", "value"), "Size what value: 0.5 Name rose|0.5 Side right"},
		"renamed":         {rows.Limit(1).ToDF("a", "b", "c", "d").Select("d", "a"), "d a: 0.5 rose"},
		"columns":         {rows.Limit(1).WithColumns("count + 1 AS count", "count * 2 `AS`"), "Name Side count Size AS: rose right 4 0.5 6"},
		"twice":           {rows.GroupBy().Pivot("name").Pivot("side").Count(), "there is one already, by name"},
		"no constant":     {rows.GroupBy().Pivot("name", []int{1}).Count(), "Pivot: the value is of type []int"},
		"no such value":   {rows.GroupBy().Pivot("count", "rose").Count(), "Pivot: "},
		"value twice":     {rows.GroupBy().Pivot("count", 3, 3.5).Count(), "the value 3.5 is given twice"},
		"no aggregate":    {rows.GroupBy().Pivot("count").Agg("count"), `"count" takes no aggregate`},
		"no pivot column": {rows.GroupBy("name").Pivot("sides").Count(), `no column "sides"`},
		"nothing left":    {rows.Select("name").Unpivot([]string{"name"}, nil, "a", "b"), "none is left"},
		"no common type":  {rows.Unpivot(nil, nil, "a", "b"), `column "Count" is int and those before it string`},
		"no column":       {rows.Unpivot([]string{"nam"}, nil, "a", "b"), `no column "nam" (did you mean Name?)`},
		"too few names":   {rows.ToDF("a"), "1 names for 4 columns (Name, Side, Count, Size)"},
		"no name":         {rows.WithColumns("count + 1"), "want AS and a name behind the expression"},
	} {
		t.Run(name, func(t *testing.T) {
			lines, err := tryTable(test.frame)
			schema, _ := test.frame.Schema(t.Context())
			got := strings.Join(schema.Names(), " ") + ": " + strings.ReplaceAll(strings.ReplaceAll(strings.Join(lines, ";"), "|", " "), ";", "|")
			if err != nil {
				got = err.Error()
			}
			if got != test.want && (err == nil || !strings.Contains(got, test.want)) {
				t.Errorf("got %s\nwant %s", got, test.want)
			}
		})
	}
}
