package local

import (
	"context"
	"slices"
	"strings"
	"testing"

	"gomosaic/mdslib"
)

// TestJoinsAndSets: the rows of joins and set operations are compared with Spark's in package spark; here is what has an order
// of its own, what is refused, and that file contents are read only where they are wanted.
func TestJoinsAndSets(t *testing.T) {
	dir := t.TempDir()
	s := connect(t, "local[2]")
	load := func(name, text string) *mdslib.DataFrame {
		return s.Read().Format("csv").Option("header", "true").Option("inferSchema", "true").Load(write(t, dir+"/"+name+".csv", text))
	}
	orders := load("orders", "id,client,amount\n1,7,10\n2,8,20\n3,,30\n4,7,40\n")
	clients := load("clients", "client,name\n7,Ada\n9,Bo\n,Nobody\n")
	nested := s.Read().Format("json").Schema("st STRUCT<a: INT, b: INT>, m MAP<STRING, INT>").Load(write(t, dir+"/nested.json", `{"st": {"a": 1, "b": 10}, "m": {"k": 1}}`))
	o, c := orders.Alias("o"), clients.Alias("c")
	for name, test := range map[string]struct {
		frame *mdslib.DataFrame
		want  []string
	}{
		"the left side's order":  {orders.Join(clients, "left", "client"), []string{"7|1|10|Ada", "8|2|20|<nil>", "<nil>|3|30|<nil>", "7|4|40|Ada"}},
		"the right side's order": {orders.Join(clients, "right", "client"), []string{"7|1|10|Ada", "7|4|40|Ada", "9|<nil>|<nil>|Bo", "<nil>|<nil>|<nil>|Nobody"}},
		"the lonely ones last":   {o.JoinOn(c, "full", "o.client = c.client").Select("id", "name"), []string{"1|Ada", "2|<nil>", "3|<nil>", "4|Ada", "<nil>|Bo", "<nil>|Nobody"}},
		"a part of a condition":  {o.JoinOn(c, "inner", "o.client = c.client AND amount > 10 OR o.id = 2 AND name = 'Bo'").Select("id", "name"), []string{"2|Bo", "4|Ada"}},
		"limited":                {o.JoinOn(c, "cross", "").Select("id", "c.client").Limit(4), []string{"1|7", "1|9", "1|<nil>", "2|7"}},
		"a struct's members":     {nested.Select("st.*"), []string{"1|10"}},
		"intersect":              {orders.Select("client").Intersect(clients.Select("client")), []string{"7", "<nil>"}},
		"intersect all":          {orders.Select("client").IntersectAll(clients.Select("client").Union(clients.Select("client"))), []string{"7", "<nil>", "7"}},
		"except all":             {orders.Select("client").ExceptAll(clients.Select("client")), []string{"8", "7"}},
		"offset":                 {orders.OrderBy("amount DESC").Offset(2).Select("id"), []string{"2", "1"}},
	} {
		t.Run(name, func(t *testing.T) {
			if got := table(t, test.frame); !slices.Equal(got, test.want) {
				t.Errorf("got  %q\nwant %q", got, test.want)
			}
		})
	}
	for name, test := range map[string]struct {
		frame *mdslib.DataFrame
		says  string
	}{
		"join type":         {orders.Join(clients, "sideways", "client"), `join type "sideways": want inner, cross, left`},
		"no such column":    {orders.Join(clients, "", "id"), `[UNRESOLVED_USING_COLUMN_FOR_JOIN] the right table has no column "id", only client, name`},
		"ambiguous":         {o.JoinOn(c, "", "client = 7"), "[AMBIGUOUS_REFERENCE]"},
		"ambiguous after":   {o.JoinOn(c, "", "o.client = c.client").Select("client"), "o.client"},
		"no boolean":        {o.JoinOn(c, "", "o.client + c.client"), "[JOIN_CONDITION_IS_NOT_BOOLEAN_TYPE]"},
		"half of a table":   {o.Join(c, "", "client").Select("c.*"), "would lack the columns that the join was by"},
		"columns of cross":  {orders.Join(clients, "cross", "client"), "want inner"},
		"maps":              {nested.Select("m").Except(nested.Select("m")), "maps can't be compared"},
		"distinct maps":     {nested.Distinct(), "maps can't be compared"},
		"other columns":     {orders.Intersect(clients), "table 2 has 2 columns, the first has 3"},
		"no partitions":     {orders.Coalesce(0), "Coalesce: 0 partitions"},
		"not by anything":   {orders.RepartitionBy(2), "no expressions given"},
		"an unknown column": {orders.RepartitionBy(2, "ids"), `no column "ids"`},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := tryTable(test.frame); err == nil || !strings.Contains(err.Error(), test.says) {
				t.Errorf("error %v, want %q", err, test.says)
			}
		})
	}
	last, err := orders.Tail(context.Background(), 3)
	if err != nil || len(last) != 3 || last[0]["id"] != int32(2) || last[2]["id"] != int32(4) {
		t.Errorf("Tail %v, %v", last, err)
	}
}

// TestRepartitionBy: rows that are equal in the key lie together, in every partition in the order of the input.
func TestRepartitionBy(t *testing.T) {
	s := connect(t, "local[3]")
	e, err := open(context.Background(), "local[3]")
	if err != nil {
		t.Fatal(err)
	}
	p := s.Range(0, 1000).RepartitionBy(5, "id % 10").Plan()
	r, err := e.(*engine).build(context.Background(), p, nil)
	if err != nil {
		t.Fatal(err)
	}
	of := map[int64]int{}
	rows := 0
	for i, part := range r.partitions {
		before := int64(-1)
		err := part(context.Background(), func(row Row) error {
			id := row.Values[0].(int64)
			if at, seen := of[id%10]; seen && at != i || id <= before {
				t.Errorf("id %d is in partition %d after %d", id, i, before)
			}
			of[id%10], before = i, id
			rows++
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if rows != 1000 || len(r.partitions) != 5 {
		t.Errorf("%d rows in %d partitions", rows, len(r.partitions))
	}
}
