package databrickstest

// The Files API: files and directories.

import (
	"fmt"
	"net/http"
	"os"
	"path"
	"strconv"
)

func (s *Server) files(mux *http.ServeMux) {
	const files, directories = "/api/2.0/fs/files/{path...}", "/api/2.0/fs/directories/{path...}"
	mux.HandleFunc("GET "+files, s.authorized(s.download)) // and HEAD
	mux.HandleFunc("PUT "+files, s.authorized(s.upload))
	mux.HandleFunc("DELETE "+files, s.authorized(s.deleteFile))
	mux.HandleFunc("POST "+files, s.authorized(s.act))
	mux.HandleFunc("GET "+directories, s.authorized(s.list))
	mux.HandleFunc("PUT "+directories, s.authorized(func(w http.ResponseWriter, r *http.Request) {
		if err := os.MkdirAll(s.local(r.PathValue("path")), 0o777); err != nil {
			refuseMissing(w, r.PathValue("path"), err)
		}
	}))
	mux.HandleFunc("DELETE "+directories, s.authorized(s.deleteDirectory))
	s.parts(mux)
}

// tag is a file's ETag. Files are replaced by rename, never written to.
func tag(stat os.FileInfo) string {
	return fmt.Sprintf(`"%x-%x"`, stat.ModTime().UnixNano(), stat.Size())
}

func (s *Server) download(w http.ResponseWriter, r *http.Request) {
	file, err := os.Open(s.local(r.PathValue("path")))
	if err != nil {
		refuseMissing(w, r.PathValue("path"), err)
		return
	}
	defer file.Close()
	stat, err := file.Stat()
	if err != nil || stat.IsDir() {
		refuse(w, http.StatusNotFound, "NOT_FOUND", "No such file: "+r.PathValue("path"))
		return
	}
	w.Header().Set("ETag", tag(stat))
	w.Header().Set("Content-Type", "application/octet-stream")
	http.ServeContent(w, r, "", stat.ModTime(), file) // ranges, If-Unmodified-Since
}

func (s *Server) upload(w http.ResponseWriter, r *http.Request) {
	name := r.PathValue("path")
	if _, err := os.Stat(s.local(name)); err == nil && r.FormValue("overwrite") == "false" {
		refuse(w, http.StatusConflict, "ALREADY_EXISTS", "The file being created already exists.")
		return
	}
	file, err := s.receive(r)
	if err == nil {
		err = s.publish(file, name)
	}
	if err != nil {
		refuse(w, http.StatusBadRequest, "BAD_REQUEST", err.Error())
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

func (s *Server) deleteFile(w http.ResponseWriter, r *http.Request) {
	name := r.PathValue("path")
	stat, err := os.Stat(s.local(name))
	if err == nil && stat.IsDir() {
		refuse(w, http.StatusNotFound, "NOT_FOUND", name+" is a directory")
		return
	}
	if err == nil {
		err = os.Remove(s.local(name))
	}
	if err != nil {
		refuseMissing(w, name, err)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

func (s *Server) deleteDirectory(w http.ResponseWriter, r *http.Request) {
	name := s.local(r.PathValue("path"))
	entries, err := os.ReadDir(name)
	if err != nil {
		refuseMissing(w, r.PathValue("path"), err)
		return
	}
	if len(entries) > 0 || os.Remove(name) != nil {
		refuse(w, http.StatusBadRequest, "INVALID_PARAMETER_VALUE", "The directory is not empty.", "FILES_API_DIRECTORY_IS_NOT_EMPTY")
	}
}

// list returns a page of a directory. Its token is the number of entries before it.
func (s *Server) list(w http.ResponseWriter, r *http.Request) {
	name := path.Clean("/" + r.PathValue("path"))
	entries, err := os.ReadDir(s.local(name))
	if err != nil {
		refuseMissing(w, name, err)
		return
	}
	start, _ := strconv.Atoi(r.FormValue("page_token"))
	end := min(len(entries), start+s.PageEntries)
	contents := []map[string]any{}
	for _, e := range entries[min(start, end):end] {
		stat, err := e.Info()
		if err != nil {
			continue // deleted meanwhile
		}
		entry := map[string]any{"path": path.Join(name, e.Name()), "name": e.Name(), "is_directory": e.IsDir(), "last_modified": stat.ModTime().UnixMilli()}
		if !e.IsDir() {
			entry["file_size"] = stat.Size()
		}
		contents = append(contents, entry)
	}
	page := map[string]any{"contents": contents}
	if end < len(entries) {
		page["next_page_token"] = strconv.Itoa(end)
	}
	reply(w, page)
}
