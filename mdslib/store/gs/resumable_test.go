package gs

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"testing"

	"gomosaic/mdslib/store/remote"
	"gomosaic/mdslib/store/storetest"
)

// resumable is a server of what Google documents of resumable uploads, downloads and deletions, with its objects in files:
// fake-gcs-server, which the other tests use, holds three copies of an object in memory. It is strict where that one is not,
// and as some of Google's answers do, every third one says that a part's last MiB has not arrived.
// https://cloud.google.com/storage/docs/performing-resumable-uploads
type resumable struct {
	dir string

	mu       sync.Mutex
	sessions map[string]*resumableSession
	parts    int
}

type resumableSession struct {
	name  string
	file  *os.File
	bytes int64 // that have arrived
	total int64 // declared
}

func newResumable(t *testing.T) (*resumable, string) {
	t.Helper()
	s := &resumable{dir: t.TempDir(), sessions: map[string]*resumableSession{}}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /upload/storage/v1/b/bucket/o", s.begin)
	mux.HandleFunc("PUT /upload/storage/v1/b/bucket/o", s.put)
	mux.HandleFunc("DELETE /upload/storage/v1/b/bucket/o", s.cancel)
	mux.HandleFunc("GET /storage/v1/b/bucket/o/{name}", s.get)
	mux.HandleFunc("DELETE /storage/v1/b/bucket/o/{name}", s.remove)
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	return s, server.URL
}

func (s *resumable) path(name string) string { return filepath.Join(s.dir, url.PathEscape(name)) }

func (s *resumable) begin(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	total, err := strconv.ParseInt(r.Header.Get("X-Upload-Content-Length"), 10, 64)
	if query.Get("uploadType") != "resumable" || query.Get("name") == "" || err != nil {
		http.Error(w, "no resumable upload", http.StatusBadRequest)
		return
	}
	file, err := os.CreateTemp(s.dir, ".session-*")
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	id := rand.Text()
	s.mu.Lock()
	s.sessions[id] = &resumableSession{name: query.Get("name"), file: file, total: total}
	s.mu.Unlock()
	w.Header().Set("Location", "http://"+r.Host+r.URL.Path+"?uploadType=resumable&upload_id="+id)
}

func (s *resumable) session(w http.ResponseWriter, r *http.Request) (id string, _ *resumableSession) {
	id = r.URL.Query().Get("upload_id")
	s.mu.Lock()
	defer s.mu.Unlock()
	session := s.sessions[id]
	if session == nil {
		http.Error(w, "no such upload", http.StatusNotFound)
	}
	return id, session
}

// put takes a part: it begins where bytes are wanted or repeats some, and but for the last is of a multiple of 256 KiB.
func (s *resumable) put(w http.ResponseWriter, r *http.Request) {
	id, session := s.session(w, r)
	if session == nil {
		return
	}
	var first, last, total int64
	if _, err := fmt.Sscanf(r.Header.Get("Content-Range"), "bytes %d-%d/%d", &first, &last, &total); err != nil ||
		first > session.bytes || last < first || last >= total || total != session.total || r.ContentLength != last-first+1 ||
		last+1 < total && (last+1-first)%(256<<10) != 0 {
		http.Error(w, "Content-Range "+r.Header.Get("Content-Range"), http.StatusBadRequest)
		return
	}
	n, err := io.Copy(io.NewOffsetWriter(session.file, first), r.Body)
	if err != nil {
		return // the connection has broken
	}
	s.mu.Lock()
	s.parts++
	lose := s.parts%3 == 0 && n > 1<<20
	s.mu.Unlock()
	if lose {
		n -= 1 << 20
	}
	session.bytes = max(session.bytes, first+n)
	if session.bytes < total {
		w.Header().Set("Range", fmt.Sprintf("bytes=0-%d", session.bytes-1))
		w.WriteHeader(http.StatusPermanentRedirect)
		return
	}
	s.mu.Lock()
	delete(s.sessions, id)
	s.mu.Unlock()
	if err := errors.Join(session.file.Close(), os.Rename(session.file.Name(), s.path(session.name))); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
	}
}

func (s *resumable) cancel(w http.ResponseWriter, r *http.Request) {
	if id, session := s.session(w, r); session != nil {
		s.mu.Lock()
		delete(s.sessions, id)
		s.mu.Unlock()
		os.Remove(session.file.Name())
		w.WriteHeader(499)
	}
}

func (s *resumable) get(w http.ResponseWriter, r *http.Request) {
	path := s.path(r.PathValue("name"))
	stat, err := os.Stat(path)
	if err != nil || r.URL.Query().Get("alt") != "media" {
		http.Error(w, "no such object", http.StatusNotFound)
		return
	}
	generation := strconv.FormatInt(stat.ModTime().UnixMicro(), 10)
	if want := r.URL.Query().Get("ifGenerationMatch"); want != "" && want != generation {
		http.Error(w, "another generation", http.StatusPreconditionFailed)
		return
	}
	w.Header().Set("X-Goog-Generation", generation)
	w.Header().Set("Content-Type", "application/octet-stream")
	http.ServeFile(w, r, path)
}

func (s *resumable) remove(w http.ResponseWriter, r *http.Request) {
	if os.Remove(s.path(r.PathValue("name"))) != nil {
		http.Error(w, "no such object", http.StatusNotFound)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

// TestResumable puts an object in parts of the usual size, of which some arrive in pieces, and gets it; in the long form it
// has 5 GiB.
func TestResumable(t *testing.T) {
	server, address := newResumable(t)
	size := int64(5*16<<20 + 1)
	if os.Getenv("GOMOSAIC_LONG") != "" {
		size = 5<<30 + 1
	}
	if err := storetest.Large(t.Context(), New(config("bucket", "", address, remote.Policy{})), size, t.TempDir()); err != nil {
		t.Error(err)
	}
	if want := int(size / (16 << 20)); server.parts <= want {
		t.Errorf("%d parts arrived, want more than %d", server.parts, want)
	}
	if left, err := os.ReadDir(server.dir); err != nil || len(left) != 0 || len(server.sessions) != 0 {
		t.Errorf("left behind: %v, %d sessions, %v", left, len(server.sessions), err)
	}
}
