package local

import (
	"fmt"
	"math/big"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"gomosaic/mdslib"
)

type place struct{ X, Y float64 }

type flower struct {
	Name    string `mds:"name"`
	Petals  int    `mds:"petals"`
	Height  *float32
	Picture []byte
	Seen    time.Time
	Price   mdslib.Decimal
	Tags    []string
	At      place
	By      map[string]int32
	Exact   *big.Int
	Notes   string `mds:"-"`
}

// TestCreateAndCollect: structs become a DataFrame and come back as they were; what columns their fields are.
func TestCreateAndCollect(t *testing.T) {
	ctx, s := t.Context(), connect(t, "local[2]")
	height := float32(0.5)
	in := []flower{
		{"rose", 5, &height, []byte{1, 2}, time.Date(2026, 11, 27, 10, 0, 0, 123000, time.UTC), "1.500000000000000000", []string{"red", ""}, place{1, -2}, map[string]int32{"Ada": 3}, nil, ""},
		{"lily", -6, nil, nil, time.Unix(0, 0).UTC(), "-0.250000000000000000", nil, place{}, nil, nil, ""},
	}
	d, err := s.CreateDataFrame(ctx, in, "")
	if err != nil {
		t.Fatal(err)
	}
	schema, err := d.Schema(ctx)
	if err != nil {
		t.Fatal(err)
	}
	var columns []string
	for _, f := range schema.Fields {
		columns = append(columns, f.Name+" "+f.Type.String())
	}
	if want := []string{"name string", "petals bigint", "Height float", "Picture binary", "Seen timestamp", "Price decimal(38,18)", "Tags array<string>", "At struct<X:double,Y:double>", "By map<string,int>", "Exact decimal(38,0)"}; !slices.Equal(columns, want) {
		t.Errorf("columns %q\nwant    %q", columns, want)
	}
	type back struct {
		Name    string `mds:"NAME"`
		Petals  int8   `mds:"petals"`
		Height  *float64
		Picture []byte
		Seen    time.Time
		Price   mdslib.Decimal
		Tags    []string
		At      place
		By      map[string]int
		Exact   any
	}
	out, err := mdslib.CollectAs[back](ctx, d)
	if err != nil {
		t.Fatal(err)
	}
	wide := 0.5
	want := []back{
		{"rose", 5, &wide, []byte{1, 2}, in[0].Seen, "1.500000000000000000", []string{"red", ""}, place{1, -2}, map[string]int{"Ada": 3}, nil},
		{"lily", -6, nil, nil, in[1].Seen, "-0.250000000000000000", nil, place{}, nil, nil},
	}
	if !reflect.DeepEqual(out, want) {
		t.Errorf("got  %+v\nwant %+v", out, want)
	}

	maps, err := s.CreateDataFrame(ctx, []mdslib.Sample{{"b": 1, "a": "x"}, {"a": nil, "c": 2.5}}, "")
	if err != nil {
		t.Fatal(err)
	}
	if got := table(t, maps.Select("*", "a IS NULL")); !slices.Equal(got, []string{"x|1|<nil>|false", "<nil>|<nil>|2.5|true"}) {
		t.Errorf("maps %q", got)
	}
	given, err := s.CreateDataFrame(ctx, []mdslib.Sample{{"day": time.Date(2026, 11, 27, 23, 0, 0, 0, time.UTC), "n": 300}}, "n SMALLINT, day DATE, more ARRAY<INT>")
	if err != nil {
		t.Fatal(err)
	}
	if got := table(t, given); !slices.Equal(got, []string{"300|2026-11-27|<nil>"}) {
		t.Errorf("given %q", got)
	}
}

// TestDescriptions: what isn't a DataFrame yet shows what it is, without the values of options.
func TestDescriptions(t *testing.T) {
	s := connect(t, "local")
	read := s.Read().Format("csv").Schema("a INT").Option("sep", ";").Option("header", "secret")
	for want, got := range map[string]any{
		"mdslib.Session(local)": s,
		"mdslib.DataFrameReader(local; format csv; schema a INT; options header, sep): Load(path) makes the DataFrame":                                   read,
		"mdslib.DataFrameWriter(local; format json; mode append; partitioned by a, b): Save(ctx, path) writes the files, SaveAsTable(ctx, name) a table": s.Range(0, 1).Write().Format("json").Mode("append").PartitionBy("a", "b"),
		"mdslib.Grouped(by id, id % 2): Count(), Agg(…), Sum, Avg, Min and Max make the DataFrame":                                                       s.Range(0, 1).GroupBy("id", "id % 2"),
	} {
		if fmt.Sprint(got) != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
}

func TestCreateAndCollectErrors(t *testing.T) {
	ctx, s := t.Context(), connect(t, "local")
	for says, test := range map[string]struct {
		rows   any
		schema string
	}{
		"a int: want a slice of structs":                        {7, ""},
		"rows of type int":                                      {[]int{1}, ""},
		"row 1: column \"n\": 300 of Go type int is no tinyint": {[]mdslib.Sample{{"n": 3}, {"n": 300}}, "n TINYINT"},
		"row 0 has a value for \"m\", which is no column":       {[]mdslib.Sample{{"n": 3, "m": 4}}, "n TINYINT"},
		"[CANNOT_MERGE_TYPE] column \"n\" is string in row 1":   {[]mdslib.Sample{{"n": 3}, {"n": "x"}}, ""},
		"[CANNOT_DETERMINE_TYPE] column \"n\"":                  {[]mdslib.Sample{{"n": nil}}, ""},
		"[CANNOT_INFER_EMPTY_SCHEMA]":                           {[]mdslib.Sample{}, ""},
		"a interface {} is no column type":                      {[]struct{ V any }{{1}}, ""},
		"column \"m\" of the schema has no field":               {[]struct{ N int }{{1}}, "m INT"},
		"row 1 is a nil pointer":                                {[]*struct{ N int }{{1}, nil}, ""},
		"want a data type, got":                                 {[]struct{ N int }{{1}}, "n WHOLE"},
	} {
		if _, err := s.CreateDataFrame(ctx, test.rows, test.schema); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("error %v, want %q", err, says)
		}
	}
	d, err := s.CreateDataFrame(ctx, []mdslib.Sample{{"n": 1, "s": "x"}, {"n": 1 << 40, "s": nil}}, "n BIGINT, s STRING")
	if err != nil {
		t.Fatal(err)
	}
	collect := func(_ any, err error) error { return err }
	for says, err := range map[string]error{
		`no column "M" for a field of`:                                       collect(mdslib.CollectAs[struct{ M int }](ctx, d)),
		`column "s" is string, which a field of type int cannot hold`:        collect(mdslib.CollectAs[struct{ S int }](ctx, d)),
		`row 1 of the DataFrame: column "s": it is NULL`:                     collect(mdslib.CollectAs[struct{ S string }](ctx, d)),
		`row 1 of the DataFrame: column "n": a bigint of 1099511627776 does`: collect(mdslib.CollectAs[struct{ N int32 }](ctx, d)),
		"want a struct, whose fields are columns":                            collect(mdslib.CollectAs[int](ctx, d)),
		`two columns are called "n"`:                                         collect(d.CrossJoin(d).Collect(ctx)),
		`two columns of the DataFrame are called "N"`:                        collect(mdslib.CollectAs[struct{ N int }](ctx, d.CrossJoin(d))),
	} {
		if err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("error %v, want %q", err, says)
		}
	}
}
