package local

import (
	"strings"
	"testing"

	"gomosaic/mdslib"
)

// TestMissing: what is filled, left out and described; the rows are Spark's, which make test-spark compares.
func TestMissing(t *testing.T) {
	type row struct {
		Name   *string
		Petals *int32
		Height *float64
		Wild   *bool
	}
	nan := 0.0
	nan /= nan
	flowers, err := connect(t, "local[2]").CreateDataFrame(t.Context(), []row{ // the last digit of a variance depends on how rows are dealt
		{new("rose"), new(int32(5)), new(0.5), new(true)}, {new("lily"), new(int32(6)), &nan, nil}, {nil, nil, nil, nil}, {new("7"), new(int32(6)), new(-1e-3), new(false)},
	}, "")
	if err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		frame *mdslib.DataFrame
		want  string
	}{
		"number":       {flowers.FillNA(2.5), "rose 5 0.5 true|lily 6 2.5 <nil>|<nil> 2 2.5 <nil>|7 6 -0.001 false"},
		"text":         {flowers.FillNA("it's"), "rose 5 0.5 true|lily 6 NaN <nil>|it's <nil> <nil> <nil>|7 6 -0.001 false"},
		"bool":         {flowers.FillNA(true, "Wild").Select("Wild"), "true|true|true|false"},
		"other type":   {flowers.FillNA(1, "Name", "Petals").Select("Name", "Petals"), "rose 5|lily 6|<nil> 1|7 6"},
		"any":          {flowers.DropNA("").Select("Name"), "rose|7"},
		"any of some":  {flowers.DropNA("any", "name", "petals").Select("name"), "rose|lily|7"},
		"all":          {flowers.DropNA("all").Select("Name"), "rose|lily|7"},
		"all of some":  {flowers.DropNA("all", "height", "wild").Select("Name"), "rose|7"},
		"describe":     {flowers.Describe("petals"), "count 3|mean 5.666666666666667|stddev 0.5773502691896257|min 5|max 6"},
		"described":    {flowers.Select("Name", "Wild").Describe(), "count 3|mean 7.0|stddev <nil>|min 7|max rose"},
		"no row":       {flowers.Filter("petals > 9").Describe("Petals"), "count 0|mean <nil>|stddev <nil>|min <nil>|max <nil>"},
		"var_pop":      {flowers.Select("var_pop(petals)", "variance(petals)"), "0.2222222222222222 0.3333333333333333"},
		"no column":    {flowers.FillNA(1, "petal"), `no column "petal" (did you mean Petals?)`},
		"no such how":  {flowers.DropNA("some"), `how is "some": want any or all`},
		"no value":     {flowers.FillNA(nil), "of type <nil>"},
		"other column": {flowers.Describe("petal"), `no column "petal"`},
	} {
		t.Run(name, func(t *testing.T) {
			rows, err := tryTable(test.frame)
			got := strings.ReplaceAll(strings.ReplaceAll(strings.Join(rows, ";"), "|", " "), ";", "|")
			if err != nil {
				got = err.Error()
			}
			if got != test.want && (err == nil || !strings.Contains(got, test.want)) {
				t.Errorf("got %s\nwant %s", got, test.want)
			}
		})
	}
	for condition, want := range map[string]bool{"petals > 5": false, "petals > 6": true} {
		if empty, err := flowers.Filter(condition).IsEmpty(t.Context()); err != nil || empty != want {
			t.Errorf("%s: empty %t, %v", condition, empty, err)
		}
	}
}
