package kernel

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"image/png"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// homeless clears what would point an installation at the tester's own folders.
func homeless(t *testing.T) (home string) {
	t.Helper()
	home = filepath.Join(t.TempDir(), "a home")
	for _, name := range []string{"JUPYTER_DATA_DIR", "JUPYTER_PATH", "XDG_DATA_HOME", "VIRTUAL_ENV", "CONDA_PREFIX"} {
		t.Setenv(name, "")
	}
	t.Setenv("HOME", home)
	return home
}

func TestInstallPlaces(t *testing.T) {
	home := homeless(t)
	venv := filepath.Join(t.TempDir(), "my venv")
	for _, c := range []struct {
		name, value string
		options     InstallOptions
		want        string
	}{
		{"", "", InstallOptions{}, home + "/.local/share/jupyter/kernels/gomosaic"},
		{"XDG_DATA_HOME", "/data", InstallOptions{}, "/data/jupyter/kernels/gomosaic"},
		{"JUPYTER_DATA_DIR", "/jupyter data", InstallOptions{Name: "go-1.26_x"}, "/jupyter data/kernels/go-1.26_x"},
		{"VIRTUAL_ENV", venv, InstallOptions{SysPrefix: true}, venv + "/share/jupyter/kernels/gomosaic"},
		{"CONDA_PREFIX", "/conda", InstallOptions{SysPrefix: true}, "/conda/share/jupyter/kernels/gomosaic"},
		{"VIRTUAL_ENV", venv, InstallOptions{Prefix: "/opt/x"}, "/opt/x/share/jupyter/kernels/gomosaic"},
		{"VIRTUAL_ENV", venv, InstallOptions{}, home + "/.local/share/jupyter/kernels/gomosaic"},
	} {
		if c.name != "" {
			t.Setenv(c.name, c.value)
		}
		got, err := c.options.Dir()
		if c.name != "" {
			t.Setenv(c.name, "")
		}
		if err != nil || got != c.want {
			t.Errorf("%s=%s %+v: %s %v, want %s", c.name, c.value, c.options, got, err, c.want)
		}
	}
	for _, bad := range []InstallOptions{{Name: "a/b"}, {Name: ".."}, {Name: "a b"}, {Prefix: "/x", SysPrefix: true}} {
		if dir, err := bad.Dir(); err == nil {
			t.Errorf("%+v: %s", bad, dir)
		}
	}
}

func TestInstallAndUninstall(t *testing.T) {
	homeless(t)
	o := InstallOptions{Prefix: filepath.Join(t.TempDir(), "a prefix"), DisplayName: "Go <1.26>", Env: map[string]string{"A": "b c"}, Binary: "/opt/go mosaic/gomosaic"}
	dry := o
	dry.DryRun = true
	dir, err := Install(dry)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(dir); !os.IsNotExist(err) {
		t.Fatalf("a dry run wrote %s (%v)", dir, err)
	}
	for range 2 { // the second replaces the first
		if dir, err = Install(o); err != nil {
			t.Fatal(err)
		}
		var spec Kernelspec
		raw, err := os.ReadFile(filepath.Join(dir, "kernel.json"))
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(raw, &spec); err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(spec.Argv, []string{"/opt/go mosaic/gomosaic", "kernel", "{connection_file}"}) || spec.Language != "go" ||
			spec.InterruptMode != "message" || spec.DisplayName != "Go <1.26>" || spec.Env["A"] != "b c" {
			t.Errorf("%s", raw)
		}
		if err := os.WriteFile(filepath.Join(dir, "left over"), nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if dir, err = Install(o); err != nil {
		t.Fatal(err)
	}
	var names []string
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		names = append(names, e.Name())
	}
	if got := strings.Join(names, " "); got != "echarts.LICENSE echarts.LICENSE-d3 echarts.NOTICE echarts.min.js kernel.json logo-32x32.png logo-64x64.png logo-svg.svg" {
		t.Errorf("files: %s", got)
	}
	if beside, _ := os.ReadDir(filepath.Dir(dir)); len(beside) != 1 {
		t.Errorf("left beside the kernelspec: %v", beside)
	}
	if _, err := Uninstall(o); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(dir); !os.IsNotExist(err) {
		t.Errorf("still there: %v", err)
	}
	if _, err := Uninstall(o); err == nil {
		t.Error("removed twice")
	}
}

func TestUninstallLeavesOtherKernels(t *testing.T) {
	o := InstallOptions{Prefix: t.TempDir()}
	dir, err := o.Dir()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "kernel.json"), []byte(`{"argv":["python","-m","ipykernel"],"language":"python"}`), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := Uninstall(o); err == nil || !strings.Contains(err.Error(), "another kernel") {
		t.Errorf("%v", err)
	}
}

func TestLogos(t *testing.T) {
	files, err := InstallOptions{}.Files()
	if err != nil {
		t.Fatal(err)
	}
	for name, size := range map[string]int{"logo-32x32.png": 32, "logo-64x64.png": 64} {
		m, err := png.Decode(bytes.NewReader(files[name]))
		if err != nil || m.Bounds().Dx() != size || m.Bounds().Dy() != size {
			t.Errorf("%s: %v", name, err)
		}
	}
	var svg struct {
		XMLName xml.Name `xml:"http://www.w3.org/2000/svg svg"`
		Rects   []any    `xml:"rect"`
	}
	if err := xml.Unmarshal(files["logo-svg.svg"], &svg); err != nil || len(svg.Rects) == 0 {
		t.Errorf("logo-svg.svg: %v, %d tiles", err, len(svg.Rects))
	}
}
