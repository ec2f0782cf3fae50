package gomosaic_test

import (
	"os"
	"regexp"
	"strings"
	"testing"
)

// TestPins: the Python pins stand in requirements*.txt alone, every one exact, and equal packages have equal versions.
func TestPins(t *testing.T) {
	pin := regexp.MustCompile(`^([A-Za-z0-9_.-]+)(\[[a-z,]+\])?==([0-9A-Za-z.]+)$`)
	versions := map[string]string{}
	for _, file := range []string{"requirements.txt", "requirements-torch.txt", "requirements-reference.txt", "requirements-test.txt"} {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(text)) {
			line = strings.TrimSpace(line)
			if line == "" || strings.HasPrefix(line, "#") {
				continue
			}
			m := pin.FindStringSubmatch(line)
			if m == nil {
				t.Errorf("%s: %q is not an exact pin", file, line)
				continue
			}
			// The two environments never meet but for libtorch, which must be one release: the reference numbers are its.
			if name := strings.ToLower(m[1]); name == "torch" || strings.HasPrefix(name, "nvidia-") {
				if earlier, ok := versions[name]; ok && earlier != m[3] {
					t.Errorf("%s pins %s %s, another file %s", file, name, m[3], earlier)
				}
				versions[name] = m[3]
			}
		}
	}
	if versions["torch"] == "" {
		t.Error("no file pins torch")
	}
}

// TestEnvironmentRefersToPins: environment.yml names no version of a Python package; it refers to the requirements.
func TestEnvironmentRefersToPins(t *testing.T) {
	text, err := os.ReadFile("environment.yml")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(text), "-r requirements.txt") {
		t.Error("environment.yml does not refer to requirements.txt with -r")
	}
	if strings.Contains(string(text), "==") {
		t.Error("environment.yml pins a version of its own")
	}
	goMod, err := os.ReadFile("go.mod")
	if err != nil {
		t.Fatal(err)
	}
	version := regexp.MustCompile(`(?m)^go (\d+\.\d+)`).FindStringSubmatch(string(goMod))
	if version == nil || !strings.Contains(string(text), "go>="+version[1]) {
		t.Errorf("environment.yml and go.mod (%v) name different Go versions", version)
	}
}
