package gomosaic_test

import (
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// dockerLines are the Dockerfile's instructions, with continued lines joined.
func dockerLines(t *testing.T) (lines [][]string) {
	t.Helper()
	text, err := os.ReadFile("Dockerfile")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(strings.ReplaceAll(string(text), "\\\n", " ")) {
		if words := strings.Fields(line); len(words) > 0 && words[0] != "#" {
			lines = append(lines, words)
		}
	}
	return lines
}

// TestDockerfile: the stages and sources that the Dockerfile names exist, its commands are whole, and it takes the Go and
// the packages that setup/prerequisites.sh asks for.
func TestDockerfile(t *testing.T) {
	stages := map[string]bool{}
	all := ""
	for _, words := range dockerLines(t) {
		rest := strings.Join(words[1:], " ")
		all += rest + "\n"
		switch words[0] {
		case "FROM":
			if image := words[1]; !strings.Contains(image, ":") && !stages[image] {
				t.Errorf("FROM %s: no such stage above", image)
			}
			if len(words) == 4 {
				stages[words[3]] = true
			}
		case "COPY":
			from, isStage := "", false
			paths := slices.DeleteFunc(slices.Clone(words[1:]), func(w string) bool {
				if name, ok := strings.CutPrefix(w, "--from="); ok {
					from, isStage = name, true
				}
				return strings.HasPrefix(w, "--")
			})
			if isStage && !stages[from] {
				t.Errorf("COPY %s: no such stage above", rest)
			}
			if _, err := os.Stat(paths[0]); !isStage && err != nil {
				t.Errorf("COPY %s: %v", rest, err)
			}
		case "RUN":
			if out, err := exec.Command("bash", "-n", "-c", rest).CombinedOutput(); err != nil {
				t.Errorf("RUN %s: %s", rest, out)
			}
			if target, ok := strings.CutPrefix(rest, "make "); ok {
				if out, err := exec.Command("make", "-n", target).CombinedOutput(); err != nil {
					t.Errorf("RUN %s: %s", rest, out)
				}
			}
		case "USER", "ENV", "WORKDIR", "EXPOSE", "CMD":
		default:
			t.Errorf("unknown instruction %v", words)
		}
	}
	mod, err := os.ReadFile("go.mod")
	if err != nil {
		t.Fatal(err)
	}
	version := regexp.MustCompile(`(?m)^go (\d+\.\d+)`).FindStringSubmatch(string(mod))[1]
	for _, want := range []string{"golang:" + version + "-", "g++", "make", "python3-venv"} {
		if !strings.Contains(all, want) {
			t.Errorf("the Dockerfile has no %s", want)
		}
	}
	ignored, err := os.ReadFile(".dockerignore")
	if err != nil || !strings.Contains(string(ignored), ".venv\n") {
		t.Errorf(".dockerignore: %q, %v", ignored, err)
	}
}

// TestBinder: repo2docker takes binder/postBuild only if it may be run, and a Python that the pins allow.
func TestBinder(t *testing.T) {
	info, err := os.Stat("binder/postBuild")
	if err != nil || info.Mode()&0o111 == 0 {
		t.Fatalf("binder/postBuild: %v, %v", info.Mode(), err)
	}
	if out, err := exec.Command("bash", "-n", "binder/postBuild").CombinedOutput(); err != nil {
		t.Errorf("%s", out)
	}
	prerequisites, err := os.ReadFile("setup/prerequisites.sh")
	if err != nil {
		t.Fatal(err)
	}
	post, err := os.ReadFile("binder/postBuild")
	if err != nil {
		t.Fatal(err)
	}
	if v := regexp.MustCompile(`go\d+\.\d+\.\d+\.linux`).Find(post); !strings.Contains(string(prerequisites), string(v)) {
		t.Errorf("binder/postBuild takes %s, setup/prerequisites.sh another", v)
	}
	runtime, err := os.ReadFile("binder/runtime.txt")
	if !regexp.MustCompile(`^python-3\.1[1-9]\n$`).Match(runtime) {
		t.Errorf("binder/runtime.txt: %q, %v", runtime, err)
	}
}
