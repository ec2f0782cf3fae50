package hf

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"gomosaic/mdslib/store"
	"gomosaic/mdslib/store/remote"
	"gomosaic/mdslib/store/storetest"
	"gomosaic/mdslib/store/storetest/published"
)

const secret = "hf_0123456789abcdef"

// content is what the repository holds below data.
var content = map[string][]byte{
	"small": []byte("some bytes"), "large": bytes.Repeat([]byte("0123456789abcde"), 800_000),
	"a/index.json": []byte("{}"), "a/b c/ü%20?.bin": []byte("x"), "empty": {},
}

// hub serves the Hub's API, as it is documented, for the one private data set org/flowers, with its revisions main and
// refs/pr/1. Large files are elsewhere: on the same port of "localhost", which is another server for a client. Pages have
// two entries.
type hub struct{ files map[string][]byte }

func (h *hub) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	host, port, _ := net.SplitHostPort(r.Host)
	if host == "localhost" {
		key, ok := strings.CutPrefix(r.URL.Path, "/cdn/")
		if !ok || r.Header.Get("Authorization") != "" || r.FormValue("Signature") == "" {
			http.Error(w, "Only one auth mechanism allowed", http.StatusBadRequest)
			return
		}
		w.Header().Set("ETag", `"`+strconv.Itoa(len(h.files[key]))+`"`)
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(h.files[key]))
		return
	}
	refuse := func(status int, code, message string) {
		w.Header().Set("X-Error-Code", code)
		w.Header().Set("X-Error-Message", message)
		w.WriteHeader(status)
	}
	if r.Header.Get("Authorization") != "Bearer "+secret {
		refuse(http.StatusUnauthorized, "RepoNotFound", "Repository not found")
		return
	}
	path := r.URL.EscapedPath()
	file, isFile := strings.CutPrefix(path, "/datasets/org/flowers/resolve/")
	tree, isTree := strings.CutPrefix(path, "/api/datasets/org/flowers/tree/")
	if !isFile && !isTree {
		refuse(http.StatusNotFound, "RepoNotFound", "Repository not found")
		return
	}
	if isTree {
		file = tree
	}
	revision, rest, _ := strings.Cut(file, "/")
	if revision != "main" && revision != "refs%2Fpr%2F1" {
		refuse(http.StatusNotFound, "RevisionNotFound", "Invalid rev id: "+revision)
		return
	}
	if isTree {
		h.tree(w, r, strings.ReplaceAll(rest, "%2F", "/"), refuse)
		return
	}
	key := strings.TrimPrefix(r.URL.Path, "/datasets/org/flowers/resolve/")
	key = strings.TrimPrefix(strings.TrimPrefix(key, "main/"), "refs/pr/1/")
	data, ok := h.files[key]
	switch {
	case !ok:
		refuse(http.StatusNotFound, "EntryNotFound", "Entry not found")
	case len(data) > 10_000:
		w.Header().Set("X-Linked-Size", strconv.Itoa(len(data)))
		w.Header().Set("Location", "http://localhost:"+port+"/cdn/"+key+"?Signature=5ca1ab1e")
		w.WriteHeader(http.StatusFound)
	default:
		w.Header().Set("ETag", fmt.Sprintf(`"%x"`, data))
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(data))
	}
}

func (h *hub) tree(w http.ResponseWriter, r *http.Request, folder string, refuse func(int, string, string)) {
	type entry struct {
		Type string `json:"type"`
		Oid  string `json:"oid"`
		Size int    `json:"size"`
		Path string `json:"path"`
	}
	var all []entry
	for key, data := range h.files {
		below := ""
		if folder != "" {
			below = folder + "/"
		}
		if !strings.HasPrefix(key, below) {
			continue
		}
		all = append(all, entry{"file", "0", len(data), key})
		for dir := filepath.Dir(key); len(dir) > len(folder) && dir != "."; dir = filepath.Dir(dir) {
			if e := (entry{"directory", "0", 0, dir}); !slices.Contains(all, e) {
				all = append(all, e)
			}
		}
	}
	if len(all) == 0 {
		refuse(http.StatusNotFound, "EntryNotFound", folder+" does not exist")
		return
	}
	slices.SortFunc(all, func(a, b entry) int { return strings.Compare(b.Path, a.Path) })
	from, _ := strconv.Atoi(r.FormValue("cursor"))
	to := min(from+2, len(all))
	if to < len(all) {
		w.Header().Set("Link", fmt.Sprintf(`<http://%s%s?recursive=true&cursor=%d>; rel="next"`, r.Host, r.URL.EscapedPath(), to))
	}
	json.NewEncoder(w).Encode(all[from:to])
}

// serve starts a hub that the environment names.
func serve(t *testing.T) string {
	files := map[string][]byte{"README.md": []byte("#")}
	for key, data := range content {
		files["data/"+key] = data
	}
	return serveFiles(t, files)
}

func serveFiles(t *testing.T, files map[string][]byte) string {
	server := httptest.NewServer(&hub{files})
	t.Cleanup(server.Close)
	t.Setenv("HF_ENDPOINT", server.URL)
	t.Setenv("HF_TOKEN", secret)
	t.Setenv("HF_HUB_OFFLINE", "")
	t.Setenv("HF_HUB_DISABLE_IMPLICIT_TOKEN", "")
	t.Setenv("HUGGING_FACE_HUB_TOKEN", "")
	t.Setenv("HF_TOKEN_PATH", "")
	t.Setenv("HF_HOME", t.TempDir())
	return server.URL
}

func TestContract(t *testing.T) {
	serve(t)
	for _, root := range []string{"hf://datasets/org/flowers/data", "hf://datasets/org/flowers@main/data/", "hf://datasets/org/flowers@refs/pr/1/data", "hf://datasets/org/flowers@refs%2Fpr%2F1/data"} {
		s, err := store.Open(t.Context(), root)
		if err != nil {
			t.Fatal(err)
		}
		if err := storetest.TestReadOnly(t.Context(), s, content, true, t.TempDir()); err != nil {
			t.Errorf("%s: %v", root, err)
		}
	}
	s, err := store.Open(t.Context(), "hf://datasets/org/flowers")
	if err != nil {
		t.Fatal(err)
	}
	for prefix, want := range map[string]int{"data/a/": 2, "data/a": 2, "RE": 1, "no/": 0, "": 6} {
		n := 0
		for _, err := range s.List(t.Context(), prefix) {
			if err != nil {
				t.Fatal(err)
			}
			n++
		}
		if n != want {
			t.Errorf("List(%q): %d objects, want %d", prefix, n, want)
		}
	}
}

func TestFaults(t *testing.T) {
	target := storetest.Target{Server: serve(t), Secrets: []string{secret, "5ca1ab1e"}, Content: content,
		Open: func(_ context.Context, address string, p remote.Policy) (store.Store, error) {
			t.Setenv("HF_ENDPOINT", address)
			return open("hf://datasets/org/flowers/data", p)
		}}
	if err := storetest.Faults(t.Context(), target, t.TempDir()); err != nil {
		t.Error(err)
	}
}

// TestDataset: a data set that lies there is streamed and verified.
func TestDataset(t *testing.T) {
	dir := t.TempDir()
	if err := published.Write(dir); err != nil {
		t.Fatal(err)
	}
	files := map[string][]byte{}
	written, err := os.ReadDir(dir)
	for _, f := range written {
		data, readErr := os.ReadFile(filepath.Join(dir, f.Name()))
		err, files["sets/"+f.Name()] = errors.Join(err, readErr), data
	}
	if err != nil {
		t.Fatal(err)
	}
	serveFiles(t, files)
	if err := published.Check(t.Context(), "hf://datasets/org/flowers/sets", t.TempDir()); err != nil {
		t.Error(err)
	}
}

func TestToken(t *testing.T) {
	home := t.TempDir()
	if err := os.WriteFile(filepath.Join(home, "token"), []byte(secret+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		env  map[string]string
		want string // the error; none: it works
	}{
		"variable":   {map[string]string{"HF_TOKEN": secret}, ""},
		"old name":   {map[string]string{"HF_TOKEN": "", "HUGGING_FACE_HUB_TOKEN": secret}, ""},
		"home":       {map[string]string{"HF_TOKEN": "", "HF_HOME": home}, ""},
		"file":       {map[string]string{"HF_TOKEN": "", "HF_TOKEN_PATH": home + "/token"}, ""},
		"cache":      {map[string]string{"HF_TOKEN": "", "HF_HOME": "", "XDG_CACHE_HOME": home}, "no token, tried HF_TOKEN and " + home + "/huggingface/token"},
		"unwanted":   {map[string]string{"HF_HUB_DISABLE_IMPLICIT_TOKEN": "1"}, "HF_HUB_DISABLE_IMPLICIT_TOKEN"},
		"a stranger": {map[string]string{"HF_TOKEN": "hf_of_somebody_else"}, "Repository not found (credentials: the token of HF_TOKEN)"},
		"offline":    {map[string]string{"HF_HUB_OFFLINE": "1"}, "HF_HUB_OFFLINE"},
		"nowhere":    {map[string]string{"HF_ENDPOINT": "there"}, "HF_ENDPOINT"},
	} {
		t.Run(name, func(t *testing.T) {
			serve(t)
			for k, v := range c.env {
				t.Setenv(k, v)
			}
			s, err := open("hf://datasets/org/flowers/data", storetest.Quick)
			if err == nil {
				err = s.Get(t.Context(), "large", filepath.Join(t.TempDir(), "x"))
			}
			if (err == nil) != (c.want == "") || err != nil && (!strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "hf_")) {
				t.Errorf("err = %v, want %q", err, c.want)
			}
		})
	}
	serve(t)
	t.Setenv("HF_TOKEN", "hf_of_somebody_else")
	s, err := store.Open(t.Context(), "hf://datasets/org/flowers/data")
	if err == nil {
		err = storetest.Denied(t.Context(), s, t.TempDir(), []string{"HF_TOKEN", "Repository not found"}, []string{"hf_of"})
	}
	if err != nil {
		t.Error(err)
	}
}

func TestParse(t *testing.T) {
	for root, want := range map[string]place{
		"hf://datasets/org/name":                          {"datasets", "org/name", "main", ""},
		"hf://datasets/org/name@v1/a/b/":                  {"datasets", "org/name", "v1", "a/b"},
		"hf://spaces/org/name/x":                          {"spaces", "org/name", "main", "x"},
		"hf://org/name":                                   {"models", "org/name", "main", ""},
		"hf://models/org/name/x":                          {"models", "org/name", "main", "x"},
		"hf://datasets/org/name@refs/convert/parquet/x/y": {"datasets", "org/name", "refs/convert/parquet", "x/y"},
		"hf://datasets/org/name@feature%2Fone/x":          {"datasets", "org/name", "feature/one", "x"},
		"hf://datasets/name":                              {}, "hf://": {}, "hf:/datasets/org/name": {}, "hf://datasets/org/name@/x": {}, "hf://org@v1/name": {},
	} {
		got, err := parse(root)
		if (err == nil) != (want.id != "") || err == nil && got != want {
			t.Errorf("parse(%q) = %+v, %v", root, got, err)
		}
	}
}
