package host

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// exportDiffers are blocks whose exported program may give out something else than the notebook, with the reason.
var exportDiffers = map[string]string{
	"last expr assign should be silent?": expectedFailures["last expr assign should be silent?"],
	"panic user survives":                aProgramEnds,
	"nil deref survives":                 aProgramEnds,
	"div by zero":                        aProgramEnds,
	"panic in compiled code":             aProgramEnds,
	"concurrent map write fatal":         aProgramEnds,
	"stack overflow":                     aProgramEnds,
	"log.Fatal":                          aProgramEnds,
	"method added: value kept in an interface stays old": "a program has one version of the type, with all its methods",
}

const aProgramEnds = "a program ends where a notebook's cell does"

var (
	shownResult = regexp.MustCompile(`^=> (.*?)( \([^()]*\))?$`)
	packageRow  = regexp.MustCompile(`(?m)^# notebook/blocks/(b\d+)$`)
)

// exportedBlock is a block of a cells file as a program.
type exportedBlock struct {
	name, want, pkg string
}

// TestExportCells exports the blocks of the cells files whose cells all compile, and runs the programs: they give out what
// the blocks say. The programs are packages of one, which spares 200 linker runs.
func TestExportCells(t *testing.T) {
	dir := t.TempDir()
	blocks := exportBlocks(t, dir)
	goTool := func(args ...string) string {
		cmd := exec.CommandContext(t.Context(), "go", args...)
		cmd.Dir = dir
		cmd.Env = append(os.Environ(), "GOFLAGS=-mod=readonly", "GOWORK=off")
		out, _ := cmd.CombinedOutput()
		return string(out)
	}
	broken := map[string]bool{}
	if compiled := goTool("build", "./..."); compiled != "" {
		t.Errorf("programs that do not compile:\n%s", compiled)
		for _, m := range packageRow.FindAllStringSubmatch(compiled, -1) {
			broken[m[1]] = true
		}
	}
	var imports, calls strings.Builder
	for _, b := range blocks {
		if !broken[b.pkg] {
			fmt.Fprintf(&imports, "\t\"notebook/blocks/%s\"\n", b.pkg)
			fmt.Fprintf(&calls, "\tcase %q:\n\t\t%s.Main()\n", b.pkg, b.pkg)
		}
	}
	writeFiles(t, dir, map[string]string{"main.go": "package main\n\nimport (\n\t\"os\"\n\n" + imports.String() + ")\n\nfunc main() {\n\tswitch os.Args[1] {\n" + calls.String() + "\t}\n}\n"})
	if out := goTool("build", "-o", "all", "."); out != "" {
		t.Fatal(out)
	}
	for _, b := range blocks {
		if broken[b.pkg] {
			t.Errorf("%s (%s) does not compile", b.name, b.pkg)
			continue
		}
		ctx, cancel := context.WithTimeout(t.Context(), ages)
		cmd := exec.CommandContext(ctx, filepath.Join(dir, "all"), b.pkg)
		cmd.Dir = dir
		out, _ := cmd.CombinedOutput()
		cancel()
		text := strings.ReplaceAll(string(out), b.pkg+".", "main.")
		missing := ""
		for line := range strings.SplitSeq(strings.TrimSpace(b.want), "\n") {
			if m := shownResult.FindStringSubmatch(line); m != nil {
				line = m[1]
			}
			if !strings.Contains(text, line) {
				missing = line
			}
		}
		reason, differs := exportDiffers[b.name]
		switch {
		case missing == "" && differs:
			t.Errorf("%s: gives out what the notebook does, but is listed: %s", b.name, reason)
		case missing != "" && !differs:
			source, _ := os.ReadFile(filepath.Join(dir, b.pkg, "main.go"))
			t.Errorf("%s:\n%s\nmisses %q in:\n%s", b.name, source, missing, text)
		}
	}
	t.Logf("%d programs, %d listed as different", len(blocks), len(exportDiffers))
}

// TestExportTravellers: functions that distributor.Run, Map and UDFIterable take can run in other processes of the program, with the
// variables that they use; others are not among them.
func TestExportTravellers(t *testing.T) {
	cells := []NotebookCell{{Code: `import ("context"; "iter")
side, unused := 224, 1
func shrink(row mdslib.Sample) (mdslib.Sample, error) { return mdslib.Sample{"n": side}, nil }
func pairs(rows iter.Seq2[mdslib.Sample, error]) iter.Seq2[mdslib.Sample, error] { return rows }
func train(ctx context.Context, w dist.World) (int, error) { return w.Rank + side, nil }
func silent(row mdslib.Sample) error { return nil }
func strings(row map[string]string) (map[string]string, error) { return row, nil }`}, {Code: `_ = unused`}}
	files, err := Export(t.Context(), testOptions, cells, "notebook/travellers", "a test")
	if err != nil {
		t.Fatal(err)
	}
	_, main, _ := strings.Cut(string(files["main.go"]), "reexec.Main(")
	for _, want := range []string{"{Func: shrink, Run: func() { worker.Map(shrink) }, Variables: map[string]any{\n\t\t\t\"side\": &side,", "Run: func() { worker.Iterate(pairs) }}", "distributor.RankMain(train)"} {
		if !strings.Contains(main, want) {
			t.Errorf("main lacks %q:\n%s", want, main)
		}
	}
	if strings.Contains(main, "silent") || strings.Contains(main, "strings") || strings.Contains(main, "unused") {
		t.Errorf("main has more than it should:\n%s", main)
	}
}

// exportBlocks writes every block that compiles as a package below dir.
func exportBlocks(t *testing.T, dir string) []exportedBlock {
	var exported []exportedBlock
	for _, file := range []string{"cells.txt", "extra.txt", "language.txt"} {
		data, err := os.ReadFile("../cell/testdata/" + file)
		if err != nil {
			t.Fatal(err)
		}
		for _, block := range strings.Split("\n"+string(data), "\n=== ")[1:] {
			name, rest, _ := strings.Cut(block, "\n")
			cells, want, _ := strings.Cut(rest, "\n>>> ")
			if !strings.Contains(name, os.Getenv("BLOCK")) {
				continue
			}
			var list []NotebookCell
			for _, code := range strings.Split(cells, "\n---\n") {
				list = append(list, NotebookCell{Code: code})
			}
			files, err := Export(t.Context(), testOptions, list, "notebook/blocks", name)
			if errors.As(err, new(*CellError)) {
				continue // a block about errors
			}
			if err != nil {
				t.Errorf("%s: %v", name, err)
				continue
			}
			b := exportedBlock{name, want, fmt.Sprintf("b%d", len(exported))}
			exported = append(exported, b)
			for file, text := range files {
				code := string(text)
				if filepath.Ext(file) == ".go" {
					file = b.pkg + "/" + file
					code = strings.Replace(strings.Replace("\n"+code, "\npackage main\n", "\npackage "+b.pkg+"\n", 1), "\nfunc main() {", "\nfunc Main() {", 1)
				}
				writeFiles(t, dir, map[string]string{file: code})
			}
		}
	}
	return exported
}
