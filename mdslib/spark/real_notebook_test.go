//go:build spark

package spark

// Go funcs of a notebook's cells on executors, by the real kernel.

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestNotebookFuncs: funcs that cells declare run on the executors with what they call and the values of their variables; where
// they fail, the place in the cell is named.
func TestNotebookFuncs(t *testing.T) {
	out := t.TempDir()
	cells := []string{
		`import ("fmt"; "os")
spark := check1(mdslib.Connect(ctx, ""))
names := check1(spark.SQL(ctx, "SELECT explode(array('rose', 'lily', 'weed', 'tulip')) AS name"))`,
		`import "strings"

var petals = map[string]int64{"rose": 5, "lily": 6}

type flower struct{ Name string }

func (f flower) loud() string { return strings.ToUpper(f.Name) }

func describe(row mdslib.Sample) (mdslib.Sample, error) {
	f := flower{row["name"].(string)}
	n, ok := petals[f.Name]
	if !ok {
		return nil, nil
	}
	return mdslib.Sample{"name": f.loud(), "petals": n}, nil
}`,
		`petals["tulip"] = 3
described := names.Map("name STRING, petals BIGINT", describe).OrderBy("name")
for _, row := range check1(described.Collect(ctx)) {
	fmt.Println(row["name"], row["petals"])
}`,
		`import "iter"

func petal(rows iter.Seq2[mdslib.Sample, error]) iter.Seq2[mdslib.Sample, error] {
	return func(yield func(mdslib.Sample, error) bool) {
		for row, err := range rows {
			for range petals[row["name"].(string)] {
				if !yield(mdslib.Sample{"name": row["name"]}, err) {
					return
				}
			}
		}
	}
}
report := check1(mdslib.DataFrameToMDS(ctx, names, mdslib.MDSOptions{Out: os.Getenv("OUT_DIR"), Columns: mdslib.Columns{"name": "str"}, UDFIterable: petal, SparkWriters: "executors"}))
fmt.Println("samples:", report.Samples)`,
		`func thorny(row mdslib.Sample) (mdslib.Sample, error) {
	var names []string
	return mdslib.Sample{"name": names[len(row)]}, nil
}
check1(names.Map("", thorny).Collect(ctx))`,
		`check1(names.Map("", func(row mdslib.Sample) (mdslib.Sample, error) { return row, nil }).Collect(ctx))`,
	}
	path := writeNotebook(t, filepath.Join(out, "funcs.ipynb"), cells)
	executed := filepath.Join(out, "executed.ipynb")
	cmd := exec.CommandContext(t.Context(), "../../.venv/bin/gomosaic", "run", "-allow-errors", "-o", executed, path)
	cmd.Env = append(os.Environ(), "SPARK_REMOTE="+remote(), "OUT_DIR="+filepath.Join(out, "data"))
	if said, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, said)
	}
	var done struct {
		Cells []struct {
			Outputs []struct {
				Text   json.RawMessage
				Evalue string
			}
		}
	}
	text, err := os.ReadFile(executed)
	if err == nil {
		err = json.Unmarshal(text, &done)
	}
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range map[int][]string{
		2: {"LILY 6", "ROSE 5", "TULIP 3"},
		3: {"samples: 14"},
		4: {"spark: row 0 of partition 0 (name: rose): the func panicked: runtime error: index out of range [1] with length 0 at cell[5]:3"},
		5: {"spark: Map: ship: only a function that a cell declares at top level (func name…) can run elsewhere; it is a function literal, a method or a generic function: declare it with a name in a cell"},
	} {
		var said strings.Builder
		for _, o := range done.Cells[i].Outputs {
			said.WriteString(o.Evalue)
			said.Write(o.Text)
		}
		for _, w := range want {
			if !strings.Contains(said.String(), w) {
				t.Errorf("cell %d says %s, want %q", i+1, said.String(), w)
			}
		}
	}

	// The same cells, but for those that fail, as a program of their own.
	program := filepath.Join(out, "program")
	if said, err := exec.CommandContext(t.Context(), "../../.venv/bin/gomosaic", "export", "-o", program, writeNotebook(t, filepath.Join(out, "program.ipynb"), cells[:4])).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, said)
	}
	cmd = exec.CommandContext(t.Context(), "go", "run", ".")
	cmd.Dir = program
	cmd.Env = append(os.Environ(), "SPARK_REMOTE="+remote(), "OUT_DIR="+filepath.Join(out, "programs"), "GOFLAGS=", "GOWORK=off")
	said, err := cmd.CombinedOutput()
	if want := "LILY 6\nROSE 5\nTULIP 3\nsamples: 14\n"; err != nil || !strings.HasSuffix(string(said), want) {
		t.Errorf("the exported program: %v\n%s", err, said)
	}
}

// writeNotebook writes a notebook of code and returns its path.
func writeNotebook(t *testing.T, path string, cells []string) string {
	t.Helper()
	nb := map[string]any{"metadata": map[string]any{}, "nbformat": 4, "nbformat_minor": 5}
	var all []any
	for i, source := range cells {
		all = append(all, map[string]any{"cell_type": "code", "id": string(rune('a' + i)), "metadata": map[string]any{}, "source": source, "outputs": []any{}, "execution_count": nil})
	}
	nb["cells"] = all
	text, err := json.Marshal(nb)
	if err == nil {
		err = os.WriteFile(path, text, 0o666)
	}
	if err != nil {
		t.Fatal(err)
	}
	return path
}
