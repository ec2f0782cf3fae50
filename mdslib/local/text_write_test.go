package local

import (
	"os"
	"path/filepath"
	"testing"

	"gomosaic/mdslib/plan"
)

// FuzzCSV: no text makes the reader panic, and what the sink writes is read back.
func FuzzCSV(f *testing.F) {
	for _, seed := range [][2]string{{"a", "b"}, {`"x","y"`, "\r\n"}, {`\`, `\"`}, {"", " "}, {"a\nb,c", "\ufeff"}, {`"`, "\x00"}, {"x\r", "\ry"}} {
		f.Add(seed[0], seed[1])
	}
	dir := f.TempDir()
	schema := plan.Schema{Fields: []plan.Field{{Name: "a", Type: plan.Of(plan.String)}, {Name: "b", Type: plan.Of(plan.String)}}}
	f.Fuzz(func(t *testing.T, a, b string) {
		path := filepath.Join(dir, "x.csv")
		read := func(columns int) (rows [][]any) {
			t.Helper()
			schema := "a STRING, b STRING"
			if columns == 1 {
				schema = "a STRING"
			}
			s, err := openCSV(t.Context(), &plan.Read{Schema: schema, Options: map[string]string{"header": "true", "multiLine": "true"}, Paths: []string{path}}, SourceOptions{})
			if err != nil {
				t.Fatal(err)
			}
			for i := range s.Splits() {
				if err := s.Scan(t.Context(), i, []bool{true, true}, func(r Row) error { rows = append(rows, r.Values); return nil }); err != nil {
					t.Fatal(err)
				}
			}
			return rows
		}
		if err := os.WriteFile(path, []byte(a+"\n"+b), 0o666); err != nil {
			t.Fatal(err)
		}
		read(2)
		for columns := 1; columns <= 2; columns++ {
			schema := plan.Schema{Fields: schema.Fields[:columns]}
			sink, err := openCSVSink(schema, NewOptions(&plan.Read{Options: map[string]string{"header": "true"}}))
			if err != nil {
				t.Fatal(err)
			}
			file, err := os.Create(path)
			if err != nil {
				t.Fatal(err)
			}
			w, err := sink.Create(file)
			if err == nil {
				for _, v := range []any{a, nil, b} {
					if err == nil {
						err = w.Write([]any{v, a}[:columns])
					}
				}
				err = w.Close()
			}
			file.Close()
			if err != nil {
				t.Fatal(err)
			}
			rows := read(columns)
			if len(rows) != 3 {
				t.Fatalf("%d rows of 3: %q", len(rows), rows)
			}
			for i, want := range []string{a, "", b} {
				for c, want := range []string{want, a}[:columns] {
					got := rows[i][c]
					if got == nil {
						got = ""
					}
					if got != want {
						t.Errorf("%q is read as %q", want, got)
					}
				}
			}
		}
	})
}
