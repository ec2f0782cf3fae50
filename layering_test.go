package gomosaic_test

import (
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// module is the prefix of our own packages.
const module = "gomosaic/"

// heavy packages must not be reached by what cells import: shipped and exported programs link all that their imports reach,
// and so do plugins where Go's linker cannot be built anew (ARCHITECTURE.md, "Who may import whom").
var heavy = regexp.MustCompile(`^(github\.com/(apache/arrow|go-echarts|dop251/goja|go-zeromq)|google\.golang\.org/(grpc|protobuf)|golang\.org/x/tools|` +
	`github\.com/(andybalholm/brotli|dsnet/compress|aws|Azure)|golang\.org/x/oauth2|net/http|crypto/tls|(text|html)/template|encoding/xml|regexp|debug/elf|go/[a-z]+)(/|$)`)

// goPackage is what `go list -json` tells of a package.
type goPackage struct {
	ImportPath string
	GoFiles    []string
	Imports    []string
	Deps       []string
}

// listPackages returns every package of the module.
func listPackages(t *testing.T) []goPackage {
	t.Helper()
	cmd := exec.Command("go", "list", "-json=ImportPath,GoFiles,Imports,Deps", "./...")
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	var all []goPackage
	for dec := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p goPackage
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			return all
		} else if err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
}

// ours returns the module's own packages among paths, without the module's name, sorted.
func ours(paths []string) []string {
	var own []string
	for _, p := range paths {
		if rest, ok := strings.CutPrefix(p, module); ok {
			own = append(own, rest)
		}
	}
	slices.Sort(own)
	return own
}

// table reads ARCHITECTURE.md's lines "| `package` | `imports`… |": who imports whom, and which packages cells import.
func table(t *testing.T) (imports map[string][]string, light map[string]bool) {
	t.Helper()
	text, err := os.ReadFile("ARCHITECTURE.md")
	if err != nil {
		t.Fatal(err)
	}
	imports, light = map[string][]string{}, map[string]bool{}
	row := regexp.MustCompile("(?m)^\\| `([a-z0-9/-]+)`( ○)? \\|([^|]*)\\|")
	name := regexp.MustCompile("`([a-z0-9/-]+)`")
	for _, m := range row.FindAllStringSubmatch(string(text), -1) {
		list := []string{}
		for _, n := range name.FindAllStringSubmatch(m[3], -1) {
			list = append(list, n[1])
		}
		slices.Sort(list)
		imports[m[1]], light[m[1]] = list, m[2] != ""
	}
	return imports, light
}

// TestLayering holds the import graph to ARCHITECTURE.md's table, both ways.
func TestLayering(t *testing.T) {
	want, light := table(t)
	for _, p := range listPackages(t) {
		path, ok := strings.CutPrefix(p.ImportPath, module)
		if !ok {
			continue
		}
		listed, ok := want[path]
		if !ok {
			t.Errorf("package %s is missing from ARCHITECTURE.md's table", path)
			continue
		}
		delete(want, path)
		if got := ours(p.Imports); !slices.Equal(got, listed) {
			t.Errorf("%s imports %v, ARCHITECTURE.md says %v", path, got, listed)
		}
		if light[path] {
			for _, dep := range p.Deps {
				if heavy.MatchString(dep) {
					t.Errorf("%s is for cells (○) but reaches %s", path, dep)
				}
			}
		}
	}
	for path := range want {
		t.Errorf("ARCHITECTURE.md lists %s, which does not exist", path)
	}
}

// TestFilesAreListed: ARCHITECTURE.md has one line for each file, and none for a file that is gone.
func TestFilesAreListed(t *testing.T) {
	text, err := os.ReadFile("ARCHITECTURE.md")
	if err != nil {
		t.Fatal(err)
	}
	listed := map[string]bool{}
	folder := ""
	heading, entry := regexp.MustCompile("^### ([a-z0-9/-]+)$"), regexp.MustCompile("^- `([a-z0-9_.]+\\.go)`: .")
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSpace(line)
		if m := heading.FindStringSubmatch(line); m != nil {
			folder = m[1]
		} else if m := entry.FindStringSubmatch(line); m != nil {
			listed[folder+"/"+m[1]] = true
		}
	}
	for _, p := range listPackages(t) {
		folder := strings.TrimPrefix(p.ImportPath, module)
		if folder == p.ImportPath {
			continue
		}
		for _, file := range p.GoFiles {
			if name := folder + "/" + file; file != "doc.go" && !listed[name] {
				t.Errorf("ARCHITECTURE.md has no line for %s", name)
			}
		}
	}
	for name := range listed {
		if _, err := os.Stat(name); err != nil {
			t.Errorf("ARCHITECTURE.md lists %s, which does not exist", name)
		}
	}
}
