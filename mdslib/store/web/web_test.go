package web

import (
	"context"
	"errors"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"gomosaic/mdslib/store"
)

// serve runs a server whose answers depend on the path, and counts its requests.
func serve(t *testing.T) (root string, requests *atomic.Int32) {
	requests = new(atomic.Int32)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n := requests.Add(1)
		switch r.URL.Path {
		case "/data/a file.bin":
			w.Write([]byte("content"))
		case "/data/flaky":
			if n < 3 {
				w.WriteHeader(http.StatusServiceUnavailable)
				return
			}
			w.Write([]byte("at last"))
		case "/data/broken":
			w.Header().Set("Content-Length", "100")
			w.Write([]byte("half"))
		case "/data/secret":
			w.WriteHeader(http.StatusForbidden)
		default:
			w.WriteHeader(http.StatusNotFound)
		}
	}))
	t.Cleanup(server.Close)
	return server.URL + "/data", requests
}

func TestGet(t *testing.T) {
	root, requests := serve(t)
	s, err := store.Open(t.Context(), root)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "got")
	for key, want := range map[string]string{"a file.bin": "content", "flaky": "at last"} {
		requests.Store(0)
		if err := s.Get(t.Context(), key, path); err != nil {
			t.Errorf("%s: %v", key, err)
		}
		if got, _ := os.ReadFile(path); string(got) != want {
			t.Errorf("%s = %q, want %q", key, got, want)
		}
	}
}

func TestGetFailures(t *testing.T) {
	root, requests := serve(t)
	withPassword := strings.Replace(root, "http://", "http://me:hush@", 1)
	s, err := store.Open(t.Context(), withPassword)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for key, test := range map[string]struct {
		requests int32
		want     string
	}{"missing": {1, "404"}, "secret": {1, "403"}, "broken": {attempts, "unexpected EOF"}} {
		requests.Store(0)
		err := s.Get(t.Context(), key, filepath.Join(dir, key))
		if err == nil || !strings.Contains(err.Error(), test.want) || !strings.Contains(err.Error(), "/data/"+key) {
			t.Errorf("%s: err = %v, want one with %q and the address", key, err, test.want)
		}
		if err != nil && strings.Contains(err.Error(), "hush") {
			t.Errorf("%s: the error shows the password: %v", key, err)
		}
		if (key == "missing") != errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: errors.Is(err, fs.ErrNotExist) is wrong", key)
		}
		if got := requests.Load(); got != test.requests {
			t.Errorf("%s: %d requests, want %d", key, got, test.requests)
		}
	}
	if left, _ := os.ReadDir(dir); len(left) > 0 {
		t.Errorf("failures left %v", left)
	}
}

func TestCancel(t *testing.T) {
	root, _ := serve(t)
	s, err := store.Open(t.Context(), root)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.Get(ctx, "broken", filepath.Join(t.TempDir(), "x")); !errors.Is(err, context.Canceled) {
		t.Errorf("err = %v, want context.Canceled", err)
	}
}

func TestReadOnly(t *testing.T) {
	root, _ := serve(t)
	s, err := store.Open(t.Context(), root)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Put(t.Context(), "x", "x"); !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("Put: %v", err)
	}
	if err := s.Delete(t.Context(), "x"); !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("Delete: %v", err)
	}
	for _, err := range s.List(t.Context(), "") {
		if !errors.Is(err, errors.ErrUnsupported) {
			t.Errorf("List: %v", err)
		}
	}
}
