package notebooks_test

import (
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestKernelTour executes the notebook of the kernel's comforts and asserts what its sections show.
func TestKernelTour(t *testing.T) {
	out := t.TempDir()
	if b, err := exec.CommandContext(t.Context(), python(t), "run.py", "02_kernel.ipynb", "--out", out).CombinedOutput(); err != nil {
		t.Fatalf("%v:\n%s", err, b)
	}
	nb := readNotebook(t, filepath.Join(out, "02_kernel.ipynb"))
	sections := nb.sections()
	failures := 0
	for i, c := range nb.Cells {
		for _, o := range c.Outputs {
			if o.Type == "error" {
				failures++
			}
			if o.Name == "stderr" && o.Text != "" {
				t.Errorf("cell %d writes to stderr: %s", i, o.Text)
			}
		}
	}
	if failures != 3 {
		t.Errorf("%d cells failed, want the 3 of section 2", failures)
	}
	for _, test := range []struct {
		section    int
		mime, want string
	}{
		{1, "text", `"rose":&Flower{Name:"rose" Petals:32 notes:["thorns"]}`},
		{1, "text", `["a daisy with 34 petals" "a rose with 32 petals"]`},
		{1, "text", `["DAISY" "ROSE"]`},
		{3, "text", "3 flowers and 2 beds\nGARDEN=north\nthe north garden\n"},
		{3, "text", "row 1\nrow 2\nrow 3\n"},
		{3, "text", "75025"},
		{3, "text", "per loop (mean ± std. dev. of 3 runs, 1,000 loops each)"},
		{3, "text", " B/op\t       1 allocs/op"},
		{3, "text", "--- PASS: TestFib/5 (0.00s)\nPASS\n"},
		{4, "text", "&Node{Value:1 Next:&Node{Value:2 Next:↺}}"},
		{4, "text/html", "70%"},
		{4, "text/html", `<table class="dataframe"`},
		{4, "text/markdown", "**done**"},
		{4, "image/png", "iVBOR"},
		{5, "text/html", "<img"},
		{5, "text", "1000/1000"},
	} {
		if got := shown(sections[test.section], test.mime); !strings.Contains(got, test.want) {
			t.Errorf("section %d: %s lacks %q:\n%.2000s", test.section, test.mime, test.want, got)
		}
	}
}
