package host

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// plant makes a file of a cache that was used last so many days ago.
func plant(t *testing.T, cacheDir, name string, bytes, days int) string {
	t.Helper()
	path := filepath.Join(cacheDir, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, make([]byte, bytes), 0o644); err != nil {
		t.Fatal(err)
	}
	at := time.Now().AddDate(0, 0, -days)
	for p := path; p != cacheDir; p = filepath.Dir(p) {
		if err := os.Chtimes(p, at, at); err != nil {
			t.Fatal(err)
		}
	}
	return path
}

func TestCleanCache(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a [cache]*")
	const size = 100 << 10
	gone := []string{plant(t, dir, "hosts/host-1", size, 9), plant(t, dir, "shim/2.1-cpu/lib.so", size, 8), plant(t, dir, "outputs/s1-cell-3.txt", size, 7),
		plant(t, dir, "kernels/a/module/go.mod", size, 10)}
	stay := []string{
		plant(t, dir, "hosts/host-2", size, 99),         // used by a session
		plant(t, dir, "checkpoints/ab/w.pt", size, 6),   // used later than those that go
		plant(t, dir, "outputs/s2-cell-1.txt", size, 0), // just now
		plant(t, dir, "streams/x/shard.mds", size, 300), // not ours to clean
		plant(t, dir, "hosts/lock", 0, 300),
	}
	if err := os.MkdirAll(filepath.Join(dir, "sessions/s2"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := (&folder{path: filepath.Join(dir, "sessions/s2")}).uses(stay[0], "x"); err != nil {
		t.Fatal(err)
	}
	uses, err := UsedCache(dir)
	if err != nil || len(uses) != 6 || uses[0].Kind != "cell hosts built with modules of notebooks" || uses[0].Bytes < 2*size || slices.ContainsFunc(uses, func(u CacheUse) bool { return u.Kind == "streams" }) {
		t.Errorf("in use: %v, %v", uses, err)
	}
	if err := cleanCache(dir, 11*size); err != nil {
		t.Fatal(err)
	}
	for _, path := range append(gone, stay...) {
		if _, err := os.Stat(path); err != nil {
			t.Errorf("cleaned although there is room: %v", err)
		}
	}
	if err := cleanCache(dir, 3*size+20<<10); err != nil {
		t.Fatal(err)
	}
	for _, path := range gone {
		if _, err := os.Stat(path); err == nil {
			t.Errorf("%s is still there", path)
		}
	}
	for _, path := range stay {
		if _, err := os.Stat(path); err != nil {
			t.Error(err)
		}
	}
}

// TestExtendedKernelKeepsItsModule: what a kernel was built from is not cleaned away while it runs.
func TestExtendedKernelKeepsItsModule(t *testing.T) {
	o := testOptions
	o.Extension = &Extension{}
	for name, text := range map[string]*string{"go.mod": &o.Extension.GoMod, "go.sum": &o.Extension.GoSum} {
		b, err := os.ReadFile(filepath.Join(o.ModuleDir, name))
		if err != nil {
			t.Fatal(err)
		}
		*text = string(b)
	}
	s, err := Start(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	old := time.Now().AddDate(-1, 0, 0)
	folder := o.extensionFolder()
	for _, path := range []string{"", "module", "module/go.mod", "module/go.sum"} {
		if err := os.Chtimes(filepath.Join(folder, path), old, old); err != nil {
			t.Fatal(err)
		}
	}
	if err := cleanCache(o.CacheDir, 1); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(folder, "module/go.mod")); err != nil {
		t.Error(err)
	}
}

// TestKernelsShareACache starts several sessions at once on an empty cache, which run cells and import packages that it
// does not know yet, while another cleans away whatever it may.
func TestKernelsShareACache(t *testing.T) {
	o := testOptions
	o.CacheDir = filepath.Join(t.TempDir(), "cache")
	o.CacheBytes = 1
	var wg sync.WaitGroup
	for i, path := range []string{"container/heap", "container/heap", "text/tabwriter"} {
		wg.Go(func() {
			s, err := Start(t.Context(), o)
			if err != nil {
				t.Error(err)
				return
			}
			defer func() {
				if err := s.Close(); err != nil {
					t.Error(err)
				}
			}()
			n := &notebook{t: t, Session: s}
			for k := range 3 {
				if text, err := n.run("import _ \"" + path + "\"\nv := " + itoa(i) + "\nv"); err != nil || !strings.Contains(text, "=> "+itoa(i)) {
					t.Errorf("session %d, cell %d: %q, %v", i, k, text, err)
				}
				if err := cleanCache(o.CacheDir, 1); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	if left, _ := filepath.Glob(filepath.Join(o.CacheDir, "sessions", "*")); len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
}
