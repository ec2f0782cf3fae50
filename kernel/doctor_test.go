package kernel

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// program writes an executable shell script.
func program(t *testing.T, dir, name, script string) {
	t.Helper()
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, name), []byte("#!/bin/sh\n"+script+"\n"), 0o755); err != nil {
		t.Fatal(err)
	}
}

func TestDoctorOnABareMachine(t *testing.T) {
	homeless(t)
	t.Setenv("PATH", t.TempDir())
	t.Setenv("JAVA_HOME", "")
	t.Setenv("XDG_CACHE_HOME", filepath.Join(t.TempDir(), "cache"))
	findings := Doctor(t.Context(), DoctorOptions{})
	if Healthy(findings) {
		t.Error("nothing is missing")
	}
	for _, f := range findings {
		if f.Grade != OK && f.Fix == "" {
			t.Errorf("%s: %s has no fix", f.Check, f.Detail)
		}
		if want, required := map[string]Grade{"go": Fail, "g++": Fail, "clone": Fail, "kernelspec": Fail}[f.Check]; required && f.Grade != want {
			t.Errorf("%+v", f)
		}
	}
	var text, asJSON bytes.Buffer
	if err := WriteFindings(&text, findings); err != nil || !strings.Contains(text.String(), "fail  g++") || !strings.Contains(text.String(), "→ ") {
		t.Errorf("%v\n%s", err, text.String())
	}
	var parsed struct {
		Healthy  bool
		Findings []Finding
	}
	if err := WriteFindingsJSON(&asJSON, findings); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(asJSON.Bytes(), &parsed); err != nil || parsed.Healthy || len(parsed.Findings) != len(findings) {
		t.Errorf("%v\n%s", err, asJSON.String())
	}
}

func TestDoctorTellsReleasesApart(t *testing.T) {
	bin := t.TempDir()
	t.Setenv("PATH", bin+":/bin:/usr/bin")
	for _, c := range []struct {
		version string
		grade   Grade
		detail  string
	}{
		{runtime.Version(), OK, bin},
		{"go1.25.3", Fail, "1.26 or newer"},
		{"go1.99", Fail, "built with " + runtime.Version()},
		{"devel", Fail, "1.26 or newer"},
	} {
		program(t, bin, "go", "echo "+c.version)
		if f := checkGo(t.Context(), DoctorOptions{ModuleDir: "/the clone"}); f.Grade != c.grade || !strings.Contains(f.Detail, c.detail) {
			t.Errorf("%s: %+v", c.version, f)
		}
	}
	for version, grade := range map[string]Grade{"21": OK, "17": OK, "11": Warn, "1.8": Warn} {
		program(t, bin, "java", `echo "    java.specification.version = `+version+`" >&2`)
		t.Setenv("JAVA_HOME", "")
		if f := checkJava(t.Context(), DoctorOptions{}); f.Grade != grade {
			t.Errorf("Java %s: %+v", version, f)
		}
	}
	program(t, bin, "nvidia-smi", `echo "NVIDIA H100, 81559 MiB, 580.1"`)
	t.Setenv("CUDA_VISIBLE_DEVICES", "")
	if f := checkGPU(t.Context(), DoctorOptions{}); f.Grade != Warn || !strings.Contains(f.Detail, "H100") || f.Fix != "unset CUDA_VISIBLE_DEVICES" {
		t.Errorf("%+v", f)
	}
}

func TestDoctorRunsTheInstalledKernelspec(t *testing.T) {
	homeless(t)
	o := InstallOptions{Prefix: filepath.Join(t.TempDir(), "the clone", ".venv")}
	doctor := DoctorOptions{ModuleDir: filepath.Dir(o.Prefix)}
	bin := t.TempDir()
	o.Binary = filepath.Join(bin, "gomosaic")
	if _, err := Install(o); err != nil {
		t.Fatal(err)
	}
	f := checkKernelspec(t.Context(), doctor)
	if f.Grade != Fail || !strings.Contains(f.Detail, o.Binary) || !strings.HasSuffix(f.Fix, " install --prefix '"+o.Prefix+"'") {
		t.Errorf("the binary is missing: %+v", f)
	}
	program(t, bin, "gomosaic", "echo gomosaic 1")
	if f := checkKernelspec(t.Context(), doctor); f.Grade != OK || !strings.Contains(f.Detail, "the clone") {
		t.Errorf("%+v", f)
	}
}

func TestSparkSecretsAreNotPrinted(t *testing.T) {
	t.Setenv("SPARK_REMOTE", "sc://host:443/;use_ssl=true;token=abc123;x-api-key=abc123")
	if f := checkSpark(t.Context(), DoctorOptions{}); f.Grade != OK || strings.Contains(f.Detail, "abc123") || !strings.Contains(f.Detail, "sc://host:443") {
		t.Errorf("%+v", f)
	}
}

func TestShellWord(t *testing.T) {
	for in, want := range map[string]string{"/a/b-1.2_c": "/a/b-1.2_c", "/a b": "'/a b'", "it's $x": `'it'\''s $x'`, "": "''", "größe": "'größe'"} {
		if got := shellWord(in); got != want {
			t.Errorf("%q: %s, want %s", in, got, want)
		}
		out, err := programOutput(t.Context(), nil, "sh", "-c", "printf %s "+shellWord(in))
		if err != nil || out != in {
			t.Errorf("the shell reads %s as %q (%v)", shellWord(in), out, err)
		}
	}
}
