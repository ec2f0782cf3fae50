package web

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/pem"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"gomosaic/mdslib/store"
	"gomosaic/mdslib/store/remote"
	"gomosaic/mdslib/store/storetest"
	"gomosaic/mdslib/store/storetest/published"
)

const password = "hush-hush"

// content is what the servers hold below /data.
var content = map[string][]byte{
	"small": []byte("some bytes"), "large": bytes.Repeat([]byte("0123456789abcde"), 800_000),
	"a/b c/ü%20?.bin": []byte("x"), "empty": {},
}

// serve starts a web server; its folder /private wants a password, and what the name of a folder says happens in others.
func serve(t *testing.T) string {
	files := func(w http.ResponseWriter, r *http.Request, key string) {
		data, ok := content[key]
		if !ok {
			http.NotFound(w, r)
			return
		}
		http.ServeContent(w, r, "", time.Unix(1e9, 0), bytes.NewReader(data))
	}
	mux := http.NewServeMux()
	file := func(pattern string, do func(w http.ResponseWriter, r *http.Request, key string)) {
		mux.HandleFunc("GET /"+pattern+"/{key...}", func(w http.ResponseWriter, r *http.Request) { do(w, r, r.PathValue("key")) })
	}
	file("data", files)
	file("private", func(w http.ResponseWriter, r *http.Request, key string) {
		if user, given, _ := r.BasicAuth(); user != "me" || given != password {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		files(w, r, key)
	})
	file("signed", func(w http.ResponseWriter, r *http.Request, key string) {
		if r.FormValue("sig") != "5ca1ab1e" {
			w.WriteHeader(http.StatusForbidden)
			return
		}
		files(w, r, key)
	})
	file("old", func(w http.ResponseWriter, r *http.Request, key string) { // no ranges, no length
		w.Write(content[key][:len(content[key])/2])
		w.(http.Flusher).Flush()
		w.Write(content[key][len(content[key])/2:])
	})
	file("packed", func(w http.ResponseWriter, r *http.Request, key string) { // stored as gzip, and said so
		w.Header().Set("Content-Encoding", "gzip")
		w.Write(pack(content[key]))
	})
	file("short", func(w http.ResponseWriter, r *http.Request, key string) {
		w.Header().Set("Content-Length", "100")
		w.Write([]byte("half"))
	})
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	return server.URL
}

func pack(data []byte) []byte {
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	w.Write(data)
	w.Close()
	return packed.Bytes()
}

func TestContract(t *testing.T) {
	address := serve(t)
	for _, root := range []string{"/data", "/data/", "/signed?sig=5ca1ab1e", "/old"} {
		s, err := store.Open(t.Context(), address+root)
		if err != nil {
			t.Fatal(err)
		}
		want := content
		if root == "/old" {
			want = map[string][]byte{"large": content["large"], "small": content["small"]}
			if err := s.Get(t.Context(), "large", filepath.Join(t.TempDir(), "x")); err != nil {
				t.Error(err)
			}
			continue
		}
		if err := storetest.TestReadOnly(t.Context(), s, want, false, t.TempDir()); err != nil {
			t.Errorf("%s: %v", root, err)
		}
	}
}

func TestFaults(t *testing.T) {
	for _, folder := range []string{"/private", "/old"} { // with ranges and without
		t.Run(folder, func(t *testing.T) {
			t.Parallel()
			target := storetest.Target{Server: serve(t), Secrets: []string{password}, Content: content,
				Open: func(_ context.Context, address string, p remote.Policy) (store.Store, error) {
					return open(strings.Replace(address, "://", "://me:"+password+"@", 1)+folder, p)
				}}
			if err := storetest.Faults(t.Context(), target, t.TempDir()); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestDenied(t *testing.T) {
	address := serve(t)
	for root, way := range map[string]string{
		strings.Replace(address, "://", "://me:wrong-word@", 1) + "/private": "user me of the address",
		address + "/private":              "none in the address",
		address + "/signed?sig=wrong-one": "none in the address",
	} {
		s, err := store.Open(t.Context(), root)
		if err != nil {
			t.Fatal(err)
		}
		err = s.Get(t.Context(), "small", filepath.Join(t.TempDir(), "x"))
		if err == nil || !strings.Contains(err.Error(), way) || strings.Contains(err.Error(), "wrong") {
			t.Errorf("err = %v, want one with %q and no secret", err, way)
		}
	}
}

// TestDataset: a data set that lies there is streamed and verified.
func TestDataset(t *testing.T) {
	dir := t.TempDir()
	if err := published.Write(dir); err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(http.StripPrefix("/sets/flowers", http.FileServer(http.Dir(dir))))
	defer server.Close()
	if err := published.Check(t.Context(), server.URL+"/sets/flowers", t.TempDir()); err != nil {
		t.Error(err)
	}
}

// TestBytes: what arrives is what the server sent, and not less.
func TestBytes(t *testing.T) {
	address, got := serve(t), filepath.Join(t.TempDir(), "got")
	s, err := open(address+"/packed", storetest.Quick)
	if err == nil {
		err = s.Get(t.Context(), "small", got)
	}
	if err != nil {
		t.Fatal(err)
	}
	if data, _ := os.ReadFile(got); !bytes.Equal(data, pack(content["small"])) {
		t.Errorf("a file with a Content-Encoding became %q", data)
	}
	if s, err = open(address+"/short", storetest.Quick); err == nil {
		err = s.Get(t.Context(), "x", got+"2")
	}
	if err == nil || !strings.Contains(err.Error(), "unexpected EOF") {
		t.Errorf("4 of 100 bytes: err = %v", err)
	}
	if _, err := os.Stat(got + "2"); err == nil {
		t.Error("4 of 100 bytes became a file")
	}
}

// TestRedirect: credentials do not go to the server that another one names.
func TestRedirect(t *testing.T) {
	var seen string
	other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		seen = r.URL.Path + " " + r.Header.Get("Authorization")
		io.WriteString(w, "from elsewhere")
	}))
	defer other.Close()
	first := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/loop/x" {
			http.Redirect(w, r, "/loop/x", http.StatusFound)
			return
		}
		http.Redirect(w, r, other.URL+"/cdn", http.StatusFound)
	}))
	defer first.Close()
	root := strings.Replace(first.URL, "://", "://me:"+password+"@", 1)
	s, err := open(root, storetest.Quick)
	if err == nil {
		err = s.Get(t.Context(), "x", filepath.Join(t.TempDir(), "x"))
	}
	if err != nil || seen != "/cdn " {
		t.Errorf("the other server saw %q: %v", seen, err)
	}
	if s, err = open(root+"/loop", storetest.Quick); err == nil {
		err = s.Get(t.Context(), "x", filepath.Join(t.TempDir(), "x"))
	}
	if err == nil || !strings.Contains(err.Error(), "redirects") || strings.Contains(err.Error(), password) {
		t.Errorf("a circle: err = %v", err)
	}
}

// TestProxy: the environment's proxy is used. A process reads it once, so that it takes another one.
func TestProxy(t *testing.T) {
	if file := os.Getenv("GOMOSAIC_TEST_PROXY"); file != "" {
		s, err := store.Open(t.Context(), "http://data.example/folder")
		if err == nil {
			err = s.Get(t.Context(), "x", file)
		}
		if err != nil {
			t.Fatal(err)
		}
		return
	}
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "proxy of "+r.RequestURI) }))
	defer proxy.Close()
	file := filepath.Join(t.TempDir(), "x")
	cmd := exec.Command(os.Args[0], "-test.run=^TestProxy$")
	cmd.Env = append(os.Environ(), "GOMOSAIC_TEST_PROXY="+file, "HTTP_PROXY="+proxy.URL, "http_proxy="+proxy.URL)
	out, err := cmd.CombinedOutput()
	if got, _ := os.ReadFile(file); string(got) != "proxy of http://data.example/folder/x" {
		t.Errorf("got %q: %v: %s", got, err, out)
	}
}

// TestCertificate: a server whose certificate nobody vouches for is refused, at once; SSL_CERT_FILE, which a process reads
// once, names more who do.
func TestCertificate(t *testing.T) {
	address := os.Getenv("GOMOSAIC_TEST_HTTPS")
	if address == "" {
		server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "x") }))
		server.Config.ErrorLog = log.New(io.Discard, "", 0)
		server.StartTLS()
		defer server.Close()
		trusted := filepath.Join(t.TempDir(), "trusted.pem")
		if err := os.WriteFile(trusted, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}), 0o600); err != nil {
			t.Fatal(err)
		}
		cmd := exec.Command(os.Args[0], "-test.run=^TestCertificate$")
		cmd.Env = append(os.Environ(), "GOMOSAIC_TEST_HTTPS="+server.URL, "SSL_CERT_FILE="+trusted)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("%v: %s", err, out)
		}
		address = server.URL
	}
	s, err := open(address, remote.Policy{FirstPause: time.Hour, MaxPause: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	err = s.Get(ctx, "x", filepath.Join(t.TempDir(), "x"))
	if trusted := os.Getenv("GOMOSAIC_TEST_HTTPS") != ""; trusted && err != nil || !trusted && (err == nil || !strings.Contains(err.Error(), "certificate")) {
		t.Errorf("trusted %v: %v", trusted, err)
	}
}

func TestOpen(t *testing.T) {
	for _, root := range []string{"http:///x", "http://me:" + password + "@h:a/x", "https://"} {
		if _, err := store.Open(t.Context(), root); err == nil || strings.Contains(err.Error(), password) {
			t.Errorf("%s: err = %v", root, err)
		}
	}
}
