// Package notebooks_test runs the notebooks as a reader would: with Jupyter's own client, and in a browser.
package notebooks_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"gomosaic/mdslib"
)

const tutorial = "01_simplify_data_loading"

// notebook is what the tests read of an .ipynb file.
type notebook struct {
	Cells []cell `json:"cells"`
}

type cell struct {
	Type    string   `json:"cell_type"`
	Source  text     `json:"source"`
	Outputs []output `json:"outputs"`
}

type output struct {
	Type  string          `json:"output_type"`
	Name  string          `json:"name"`  // of a stream
	Text  text            `json:"text"`  // of a stream
	Data  map[string]text `json:"data"`  // of a display or result, by MIME type
	Error string          `json:"ename"` // of an error
	Value string          `json:"evalue"`
}

// text is a notebook's multi-line string: one string or a list of lines. Other JSON (a chart's options) stays as it is.
type text string

func (t *text) UnmarshalJSON(b []byte) error {
	var lines []string
	if json.Unmarshal(b, &lines) == nil {
		*t = text(strings.Join(lines, ""))
		return nil
	}
	var one string
	if json.Unmarshal(b, &one) == nil {
		*t = text(one)
		return nil
	}
	*t = text(b)
	return nil
}

// readNotebook reads an .ipynb file.
func readNotebook(t *testing.T, path string) notebook {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var nb notebook
	if err := json.Unmarshal(b, &nb); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	return nb
}

// sections returns the code cells below each heading "## N. …", by N.
func (nb notebook) sections() map[int][]cell {
	heading := regexp.MustCompile(`(?m)^##? (\d+)\. `)
	all, now := map[int][]cell{}, -1
	for _, c := range nb.Cells {
		if m := heading.FindStringSubmatch(string(c.Source)); c.Type == "markdown" && m != nil {
			now, _ = strconv.Atoi(m[1])
		}
		if c.Type == "code" {
			all[now] = append(all[now], c)
		}
	}
	return all
}

// shown returns all that cells show of one MIME type; "text" means streams as well.
func shown(cells []cell, mime string) string {
	var b strings.Builder
	for _, c := range cells {
		for _, o := range c.Outputs {
			switch {
			case o.Type == "stream" && mime == "text": // a page, too, shows its pieces as one
				b.WriteString(string(o.Text))
			case mime == "text":
				b.WriteString(string(o.Data["text/plain"]) + "\n")
			default:
				b.WriteString(string(o.Data[mime]))
			}
		}
	}
	return b.String()
}

// python returns the Python of the clone's environment.
func python(t *testing.T) string {
	t.Helper()
	path, err := filepath.Abs("../.venv/bin/python")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(path); err != nil {
		t.Fatalf("no Jupyter at .venv: type make setup (%v)", err)
	}
	return path
}

// short is the tutorial's short form: smaller images and fewer epochs, which reach accuracyBar nevertheless.
var short = []string{"IMAGE_SIZE=64", "BATCH_SIZE=32", "NUM_EPOCHS=8", "MAX_TRAIN=1500", "MAX_VAL=150", "NUM_PROCESSES=2"}

// accuracyBar is what the short form must exceed on validation images; guessing gives 0.2.
const accuracyBar = 0.5

// runTutorial executes the tutorial in its short form and returns where its output is, and what was printed.
func runTutorial(t *testing.T, out string, env ...string) (nb notebook, summary string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), python(t), "run.py", tutorial+".ipynb", "--out", out)
	cmd.Env = append(append(os.Environ(), "OUT_DIR="+out), append(short, env...)...)
	b, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v:\n%s", err, b)
	}
	return readNotebook(t, filepath.Join(out, tutorial+".ipynb")), string(b)
}

// TestTutorial executes the tutorial notebook with a real Jupyter client and asserts what every section shows.
func TestTutorial(t *testing.T) {
	out := filepath.Join(t.TempDir(), "a folder with spaces")
	nb, summary := runTutorial(t, out)
	sections := nb.sections()

	for i, c := range nb.Cells {
		for _, o := range c.Outputs {
			if o.Type == "error" {
				t.Errorf("cell %d: %s: %s", i, o.Error, o.Value)
			}
			if o.Name == "stderr" && o.Text != "" {
				t.Errorf("cell %d writes to stderr: %s", i, o.Text)
			}
		}
	}

	t.Run("inputs", func(t *testing.T) {
		if got := shown(sections[0], "text"); !strings.Contains(got, "64") {
			t.Errorf("section 0 does not show the inputs:\n%s", got)
		}
	})
	t.Run("load", func(t *testing.T) {
		got := shown(sections[1], "text")
		for _, want := range []string{"Generated data", "path", "content", "label_index", "daisy", "tulips"} {
			if !strings.Contains(got, want) {
				t.Errorf("section 1 lacks %q:\n%s", want, got)
			}
		}
		if n := strings.Count(shown(sections[1], "text/html"), "<img"); n < 10 {
			t.Errorf("the image grid has %d images", n)
		}
		if _, err := os.Stat(filepath.Join(out, "data", "labels.json")); err != nil {
			t.Error(err)
		}
	})
	t.Run("convert", func(t *testing.T) {
		got := shown(sections[2], "text")
		for _, want := range []string{"1 500", "150", "shards"} {
			if !strings.Contains(got, want) {
				t.Errorf("the report lacks %q:\n%s", want, got)
			}
		}
		for _, split := range []string{"train", "val"} {
			if _, err := os.Stat(filepath.Join(out, "data", split, "index.json")); err != nil {
				t.Error(err)
			}
		}
	})
	t.Run("loader", func(t *testing.T) {
		if got := shown(sections[3], "text"); !strings.Contains(got, "[32, 3, 64, 64]") && !strings.Contains(got, "[32 3 64 64]") {
			t.Errorf("section 3 does not show the batch's shape:\n%s", got)
		}
		if !strings.Contains(shown(sections[3], "text/html"), "<img") {
			t.Error("section 3 shows no image of the batch")
		}
	})
	t.Run("train", func(t *testing.T) {
		assertChart(t, sections[4])
		accuracy := regexp.MustCompile(`(?m)^validation accuracy: (\d\.\d\d)$`).FindAllStringSubmatch(shown(sections[4], "text"), -1)
		if len(accuracy) != 1 {
			t.Fatalf("section 4 prints %d lines of accuracy, want 1:\n%s", len(accuracy), shown(sections[4], "text"))
		}
		if got, _ := strconv.ParseFloat(accuracy[0][1], 64); got < accuracyBar {
			t.Errorf("validation accuracy %v, want at least %v", got, accuracyBar)
		}
		course := regexp.MustCompile(`validation accuracy (\d\.?\d*) → (\d\.?\d*)`).FindStringSubmatch(shown(sections[4], "text"))
		if course == nil || course[1] >= course[2] {
			t.Errorf("the accuracy does not rise over the epochs: %v", course)
		}
		if !strings.Contains(summary, "\n"+accuracy[0][0]+"\n") {
			t.Errorf("the summary lacks %q, alone on its line:\n%s", accuracy[0][0], summary)
		}
		if info, err := os.Stat(filepath.Join(out, "mobilenet_v2.pt")); err != nil || info.Size() < 8<<20 {
			t.Errorf("the checkpoint: %v", err)
		}
	})
	t.Run("train on two processes", func(t *testing.T) {
		got := shown(sections[5], "text")
		for _, want := range []string{"[0]", "[1]"} {
			if !strings.Contains(got, want) {
				t.Errorf("section 5 lacks rank %s's log:\n%s", want, got)
			}
		}
		assertChart(t, sections[5])
	})
	t.Run("page", func(t *testing.T) {
		page, err := os.ReadFile(filepath.Join(out, tutorial+".html"))
		if err != nil {
			t.Fatal(err)
		}
		if n := strings.Count(string(page), "data:image/svg+xml;base64,"); n < 2 {
			t.Errorf("the page has %d static charts, want at least 2", n)
		}
	})
}

// assertChart: the cells show a chart that needs no script.
func assertChart(t *testing.T, cells []cell) {
	t.Helper()
	if !strings.Contains(shown(cells, "text/html"), "data:image/svg+xml;base64,") {
		t.Error("no static chart in the HTML output")
	}
}

// TestSplitIgnoresTheFolder: the tutorial's split is the same wherever the images lie. Two runs read the
// same images in two folders, one with spaces and a percent sign in its name.
func TestSplitIgnoresTheFolder(t *testing.T) {
	out := t.TempDir()
	flowers := filepath.Join(out, "my 100% flowers")
	generate := exec.CommandContext(t.Context(), "go", "run", "./flowers/cmd/genflowers", "-images", "200", flowers)
	if b, err := generate.CombinedOutput(); err != nil {
		t.Fatalf("%v:\n%s", err, b)
	}
	moved := filepath.Join(out, "moved")
	if err := os.CopyFS(moved, os.DirFS(flowers)); err != nil {
		t.Fatal(err)
	}
	var splits []string
	for i, dir := range []string{flowers, moved} {
		splits = append(splits, splitOf(t, dir, filepath.Join(out, fmt.Sprint("split", i))))
	}
	if splits[0] != splits[1] || splits[0] == "" {
		t.Errorf("the split depends on the folder:\n%.300s\n%.300s", splits[0], splits[1])
	}
}

// TestInputsShowNoToken: what the tutorial shows of its inputs, which is saved with it, has no parameter of the connection string.
func TestInputsShowNoToken(t *testing.T) {
	out := t.TempDir()
	cmd := exec.CommandContext(t.Context(), python(t), "run.py", tutorial+".ipynb", "--out", out, "--until", "0")
	cmd.Env = append(os.Environ(), "OUT_DIR="+out, "SPARK_REMOTE=sc://host:443/;token=secretsecret")
	if b, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v:\n%s", err, b)
	}
	for _, name := range []string{tutorial + ".ipynb", tutorial + ".html"} {
		if b, err := os.ReadFile(filepath.Join(out, name)); err != nil || !bytes.Contains(b, []byte("sc://host:443")) || bytes.Contains(b, []byte("secretsecret")) {
			t.Errorf("%s shows the token, or no server: %v", name, err)
		}
	}
}

// splitOf runs the tutorial's sections 0 to 2 on the images in dir and returns the hashes of the training samples, sorted.
func splitOf(t *testing.T, dir, out string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), python(t), "run.py", tutorial+".ipynb", "--out", out, "--until", "2")
	cmd.Env = append(append(os.Environ(), "OUT_DIR="+out, "FLOWERS_DIR="+dir), short...)
	if b, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v:\n%s", err, b)
	}
	hashes := samplesOf(t, filepath.Join(out, "data", "train"))
	slices.Sort(hashes)
	return strings.Join(hashes, "\n")
}

// samplesOf returns the hashes of a data set's samples, in their order.
func samplesOf(t *testing.T, dir string) []string {
	t.Helper()
	d, err := mdslib.OpenDataset(dir, mdslib.ReadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	var hashes []string
	for i := range d.NumSamples() {
		number, row := d.Locate(i)
		shard, err := d.Shard(number)
		if err != nil {
			t.Fatal(err)
		}
		raw, err := shard.AppendRaw(nil, row)
		if err != nil {
			t.Fatal(err)
		}
		hashes = append(hashes, fmt.Sprintf("%x", sha256.Sum256(raw)))
	}
	return hashes
}
