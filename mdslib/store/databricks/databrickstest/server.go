// Package databrickstest serves the Files API and the DBFS API of a Databricks workspace, as they are documented, for tests:
// real files lie behind it, tokens are checked, pages are small.
package databrickstest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"strings"
	"sync"
)

// Options say what kind of workspace it is; the zero value is one on AWS or Azure that takes personal access tokens.
type Options struct {
	Token                  string // what requests must carry
	ClientID, ClientSecret string // of a service principal, whose log-ins give out Token
	PageEntries            int    // of a folder's listing; 0 means 3
	Resumable              bool   // large uploads go as on Google's cloud
	NoDirectUploads        string // "workspace" or "network": who does not allow uploads past the workspace; "" for nobody
	Expired                int    // so many of the first addresses for uploads have expired when they are used
}

// Server is a workspace. Its files lie in a local folder, /Volumes/… and others side by side.
type Server struct {
	URL string
	Dir string
	Options

	server *httptest.Server
	work   string // parts of uploads, and streams

	mu      sync.Mutex
	uploads map[string]*upload // by session token
	streams map[int64]*os.File // of DBFS
	count   int64
}

// New starts a workspace whose files lie in dir. The caller closes it.
func New(dir string, o Options) (*Server, error) {
	if o.PageEntries == 0 {
		o.PageEntries = 3
	}
	work, err := os.MkdirTemp("", "databricks-")
	if err != nil {
		return nil, err
	}
	s := &Server{Dir: dir, Options: o, work: work, uploads: map[string]*upload{}, streams: map[int64]*os.File{}}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /oidc/v1/token", s.logIn)
	s.files(mux)
	s.dbfs(mux)
	s.server = httptest.NewServer(mux)
	s.URL = s.server.URL
	return s, nil
}

// Close ends the server and removes what uploads left behind, but not the files.
func (s *Server) Close() {
	s.server.CloseClientConnections()
	s.server.Close()
	os.RemoveAll(s.work)
}

// Unfinished returns how many uploads were begun and neither completed nor aborted, and how many temporary files there are.
func (s *Server) Unfinished() (uploads, files int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	entries, _ := os.ReadDir(s.work)
	for _, u := range s.uploads {
		if !u.done {
			uploads++
		}
	}
	return uploads, len(entries)
}

func (s *Server) local(name string) string {
	return filepath.Join(s.Dir, filepath.FromSlash(path.Clean("/"+name)))
}

func (s *Server) number() int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.count++
	return s.count
}

// authorized passes on requests that carry the token.
func (s *Server) authorized(do http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer "+s.Token {
			refuse(w, http.StatusForbidden, "PERMISSION_DENIED", "Invalid access token.")
			return
		}
		do(w, r)
	}
}

// refuse answers with an error of Databricks.
func refuse(w http.ResponseWriter, status int, code, message string, reasons ...string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	var details []map[string]string
	for _, r := range reasons {
		details = append(details, map[string]string{"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": r, "domain": "filesystem.databricks.com"})
	}
	json.NewEncoder(w).Encode(map[string]any{"error_code": code, "message": message, "details": details})
}

// refuseMissing answers for an error of the file system.
func refuseMissing(w http.ResponseWriter, name string, err error) {
	if os.IsNotExist(err) || strings.Contains(err.Error(), "not a directory") {
		refuse(w, http.StatusNotFound, "NOT_FOUND", "No such file or folder: "+name)
		return
	}
	refuse(w, http.StatusInternalServerError, "INTERNAL_ERROR", err.Error())
}

func reply(w http.ResponseWriter, value any) {
	w.Header().Set("Content-Type", "application/json")
	json.NewEncoder(w).Encode(value)
}

func (s *Server) logIn(w http.ResponseWriter, r *http.Request) {
	id, secret, _ := r.BasicAuth() // escaped: RFC 6749, 2.3.1
	id, _ = url.QueryUnescape(id)
	secret, _ = url.QueryUnescape(secret)
	if s.ClientID == "" || id != s.ClientID || secret != s.ClientSecret {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusUnauthorized)
		json.NewEncoder(w).Encode(map[string]string{"error": "invalid_client", "error_description": "Client authentication failed"})
		return
	}
	if r.FormValue("grant_type") != "client_credentials" || r.FormValue("scope") != "all-apis" {
		refuse(w, http.StatusBadRequest, "INVALID_PARAMETER_VALUE", "grant_type or scope")
		return
	}
	reply(w, map[string]any{"access_token": s.Token, "token_type": "Bearer", "expires_in": 3600})
}

// decode reads a body of JSON.
func decode(w http.ResponseWriter, r *http.Request, into any) bool {
	d := json.NewDecoder(r.Body)
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		refuse(w, http.StatusBadRequest, "MALFORMED_REQUEST", err.Error())
		return false
	}
	return true
}

// receive writes a body to a new file of the work folder and returns its name, or "" if it did not arrive whole.
func (s *Server) receive(r *http.Request) (string, error) {
	file, err := os.Create(filepath.Join(s.work, fmt.Sprint("body-", s.number())))
	if err != nil {
		return "", err
	}
	n, err := file.ReadFrom(r.Body)
	if closeErr := file.Close(); err == nil {
		err = closeErr
	}
	if err == nil && n != r.ContentLength {
		err = fmt.Errorf("%d of %d bytes", n, r.ContentLength)
	}
	if err != nil {
		os.Remove(file.Name())
		return "", err
	}
	return file.Name(), nil
}

// publish gives a file of the work folder its place, in a folder that a deletion may take away meanwhile.
func (s *Server) publish(file, name string) error {
	to := s.local(name)
	for attempt := 0; ; attempt++ {
		if err := os.MkdirAll(filepath.Dir(to), 0o777); err != nil {
			return err
		}
		if err := os.Rename(file, to); err == nil || !os.IsNotExist(err) || attempt == 10 {
			return err
		}
	}
}
