package checkpoint_test

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	_ "gomosaic/mdslib/store/web"
	"gomosaic/trainlib/checkpoint"
)

func TestFetch(t *testing.T) {
	content := []byte("weights")
	sum := sha256.Sum256(content)
	good := fmt.Sprintf("model-%s.pth", hex.EncodeToString(sum[:4]))
	requests := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		requests++
		switch filepath.Base(r.URL.Path) {
		case good, "model-00000000.pth", "plain.pt":
			w.Write(content)
		default:
			w.WriteHeader(http.StatusNotFound)
		}
	}))
	defer server.Close()
	o := checkpoint.FetchOptions{CacheDir: t.TempDir()}

	for range 2 {
		path, err := checkpoint.Fetch(t.Context(), server.URL+"/a/"+good, o)
		if err != nil {
			t.Fatal(err)
		}
		if got, _ := os.ReadFile(path); string(got) != "weights" {
			t.Errorf("%s holds %q", path, got)
		}
	}
	if requests != 1 {
		t.Errorf("%d requests for one file fetched twice", requests)
	}
	if _, err := checkpoint.Fetch(t.Context(), server.URL+"/a/plain.pt", o); err != nil {
		t.Error(err)
	}
	if path, err := checkpoint.Fetch(t.Context(), server.URL+"/b/"+good+"?download=true/1", o); err != nil || filepath.Base(path) != good {
		t.Errorf("with a query: %q, %v", path, err)
	}
	for name, want := range map[string]string{"model-00000000.pth": "SHA-256", "none.pt": "404"} {
		if _, err := checkpoint.Fetch(t.Context(), server.URL+"/a/"+name, o); err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: err = %v, want one with %q and the name", name, err, want)
		}
	}
	if left, _ := filepath.Glob(filepath.Join(o.CacheDir, "*", "model-00000000.pth")); len(left) > 0 {
		t.Errorf("a file with the wrong hash stays in the cache: %v", left)
	}
}

func TestFetchLocal(t *testing.T) {
	path := filepath.Join(t.TempDir(), "weights.pt")
	if err := os.WriteFile(path, []byte("weights"), 0o666); err != nil {
		t.Fatal(err)
	}
	if got, err := checkpoint.Fetch(t.Context(), path, checkpoint.FetchOptions{}); err != nil || got != path {
		t.Errorf("Fetch = %q, %v", got, err)
	}
	if _, err := checkpoint.Fetch(t.Context(), path, checkpoint.FetchOptions{SHA256: "00"}); err == nil {
		t.Error("a wrong hash was accepted")
	}
	if _, err := checkpoint.Fetch(t.Context(), path+".none", checkpoint.FetchOptions{}); err == nil {
		t.Error("a missing file was accepted")
	}
}
