package worker

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"gomosaic/mdslib"
	"gomosaic/mdslib/plan"
)

// mapJob writes a job's file: rows of an id and a name, to the columns of a DDL string.
func mapJob(t *testing.T, out string) string {
	t.Helper()
	schema, err := plan.ParseSchema(out)
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(MapJob{
		In:    plan.Schema{Fields: []plan.Field{{Name: "id", Type: plan.Of(plan.Long)}, {Name: "name", Type: plan.Of(plan.String)}}},
		Texts: []Text{TextPlain, TextBase64}, Out: schema,
	})
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "job")
	if err := os.WriteFile(file, text, 0o666); err != nil {
		t.Fatal(err)
	}
	return file
}

// mapInput is rows of partition 3 as Spark sends them.
func mapInput(names ...string) *strings.Reader {
	var b strings.Builder
	for i, name := range names {
		fmt.Fprintf(&b, "3\t%d\t%s\tE\n", i, base64.StdEncoding.EncodeToString([]byte(name)))
	}
	return strings.NewReader(b.String())
}

// TestMapRows: rows are made, left out, and refused with their place.
func TestMapRows(t *testing.T) {
	longer := func(row mdslib.Sample) (mdslib.Sample, error) {
		switch name := row["name"].(string); name {
		case "weed":
			return nil, nil
		case "thorn":
			return nil, errors.New("it stings")
		case "mole":
			panic("a mole")
		case "number":
			return mdslib.Sample{"n": 3.5, "l": nil}, nil
		default:
			return mdslib.Sample{"n": len(name), "l": []string{name, "\t\n"}}, nil
		}
	}
	for name, test := range map[string]struct {
		rows       []string
		text, says string
	}{
		"made":  {[]string{"rose", "weed", ""}, "4\t[\"rose\",\"\\t\\n\"]\n0\t[\"\",\"\\t\\n\"]\n", ""},
		"none":  {nil, "", ""},
		"error": {[]string{"rose", "thorn"}, "", "row 1 of partition 3 (id: 1, name: thorn): Map: it stings"},
		"panic": {[]string{"mole"}, "", "row 0 of partition 3 (id: 0, name: mole): the func panicked: a mole\n"},
		"type":  {[]string{"number"}, "", `row 0 of partition 3 (id: 0, name: number): Map: column "n": 3.5 of Go type float64 is no int`},
		"UTF-8": {[]string{"\xff"}, "", `row 0 of partition 3 (id: 0, name: ` + "\xff" + `): column "l": element 0: a string in it is not valid UTF-8`},
	} {
		t.Run(name, func(t *testing.T) {
			var out bytes.Buffer
			err := runMap(t.Context(), longer, mapJob(t, "n INT, l ARRAY<STRING>"), mapInput(test.rows...), &out)
			if test.says == "" && (err != nil || out.String() != test.text) {
				t.Errorf("%q, %v, want %q", out.String(), err, test.text)
			}
			if test.says != "" && (err == nil || !strings.HasPrefix(err.Error(), test.says)) {
				t.Errorf("%v, want %s", err, test.says)
			}
		})
	}
	if err := runMap(t.Context(), longer, mapJob(t, "n INT, l ARRAY<STRING>"), strings.NewReader("3\t0\tcm9z"), &bytes.Buffer{}); err == nil || !strings.Contains(err.Error(), "unexpected EOF") {
		t.Errorf("half a row: %v", err)
	}
}

// TestFail: what a task says is found again in what Spark makes of it, cut where it is long.
func TestFail(t *testing.T) {
	for _, says := range []string{"row 3: \"Königin\"\n\tat cell[2]:7 \\", strings.Repeat("ü\n", 4000)} {
		var stderr bytes.Buffer
		in := strings.NewReader("rows that nobody reads")
		Fail(in, &stderr, errors.New(says))
		if in.Len() > 0 || stderr.Len() > 1600 {
			t.Errorf("%d bytes are not read, %d are said", in.Len(), stderr.Len())
		}
		got, ok := Said("Task 0 failed\nSubprocess exited with status 1. Error: warning\n" + stderr.String() + "\n\tat java.lang.Thread")
		if !ok || got != says && !(len(says) > mostSaid && strings.HasSuffix(got, " …") && strings.HasPrefix(says, strings.TrimSuffix(got, " …"))) {
			t.Errorf("%q, %t", got, ok)
		}
	}
	if said, ok := Said("Task 0 failed"); ok {
		t.Errorf("%q", said)
	}
}
