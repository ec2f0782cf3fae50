package databrickstest

// The DBFS API.

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path"
	"path/filepath"
	"strconv"
)

// maxBlock is the most that one request may carry.
const maxBlock = 1 << 20

func (s *Server) dbfs(mux *http.ServeMux) {
	mux.HandleFunc("GET /api/2.0/dbfs/get-status", s.authorized(s.status))
	mux.HandleFunc("GET /api/2.0/dbfs/list", s.authorized(s.listStatus))
	mux.HandleFunc("GET /api/2.0/dbfs/read", s.authorized(s.read))
	mux.HandleFunc("POST /api/2.0/dbfs/put", s.authorized(s.put))
	mux.HandleFunc("POST /api/2.0/dbfs/create", s.authorized(s.create))
	mux.HandleFunc("POST /api/2.0/dbfs/add-block", s.authorized(s.addBlock))
	mux.HandleFunc("POST /api/2.0/dbfs/close", s.authorized(s.closeStream))
	mux.HandleFunc("POST /api/2.0/dbfs/move", s.authorized(s.move))
	mux.HandleFunc("POST /api/2.0/dbfs/delete", s.authorized(s.delete))
}

func fileInfo(name string, stat os.FileInfo) map[string]any {
	size := stat.Size()
	if stat.IsDir() {
		size = 0
	}
	return map[string]any{"path": name, "is_dir": stat.IsDir(), "file_size": size, "modification_time": stat.ModTime().UnixMilli()}
}

func missing(w http.ResponseWriter, name string) {
	refuse(w, http.StatusNotFound, "RESOURCE_DOES_NOT_EXIST", "No file or directory exists on path "+name+".")
}

func (s *Server) status(w http.ResponseWriter, r *http.Request) {
	name := path.Clean(r.FormValue("path"))
	stat, err := os.Stat(s.local(name))
	if err != nil {
		missing(w, name)
		return
	}
	reply(w, fileInfo(name, stat))
}

func (s *Server) listStatus(w http.ResponseWriter, r *http.Request) {
	name := path.Clean(r.FormValue("path"))
	stat, err := os.Stat(s.local(name))
	if err != nil {
		missing(w, name)
		return
	}
	if !stat.IsDir() {
		reply(w, map[string]any{"files": []any{fileInfo(name, stat)}})
		return
	}
	entries, err := os.ReadDir(s.local(name))
	if err != nil {
		missing(w, name)
		return
	}
	var files []any
	for _, e := range entries {
		if stat, err := e.Info(); err == nil {
			files = append(files, fileInfo(path.Join(name, e.Name()), stat))
		}
	}
	answer := map[string]any{}
	if len(files) > 0 {
		answer["files"] = files
	}
	reply(w, answer)
}

func (s *Server) read(w http.ResponseWriter, r *http.Request) {
	name := path.Clean(r.FormValue("path"))
	offset, err1 := strconv.ParseInt(r.FormValue("offset"), 10, 64)
	length, err2 := strconv.ParseInt(r.FormValue("length"), 10, 64)
	if err := errors.Join(err1, err2); err != nil || length > maxBlock {
		refuse(w, http.StatusBadRequest, "MAX_READ_SIZE_EXCEEDED", "length")
		return
	}
	file, err := os.Open(s.local(name))
	if err != nil {
		missing(w, name)
		return
	}
	defer file.Close()
	block := make([]byte, length)
	n, err := file.ReadAt(block, offset)
	if err != nil && err != io.EOF {
		refuse(w, http.StatusBadRequest, "INVALID_PARAMETER_VALUE", err.Error())
		return
	}
	reply(w, map[string]any{"bytes_read": n, "data": block[:n]})
}

func (s *Server) put(w http.ResponseWriter, r *http.Request) {
	var body struct {
		Path      string `json:"path"`
		Contents  []byte `json:"contents"`
		Overwrite bool   `json:"overwrite"`
	}
	if !decode(w, r, &body) {
		return
	}
	if len(body.Contents) > maxBlock {
		refuse(w, http.StatusBadRequest, "MAX_BLOCK_SIZE_EXCEEDED", "contents")
		return
	}
	if _, err := os.Stat(s.local(body.Path)); err == nil && !body.Overwrite {
		refuse(w, http.StatusBadRequest, "RESOURCE_ALREADY_EXISTS", body.Path)
		return
	}
	file := filepath.Join(s.work, fmt.Sprint("put-", s.number()))
	err := os.WriteFile(file, body.Contents, 0o666)
	if err == nil {
		err = s.publish(file, body.Path)
	}
	if err != nil {
		refuse(w, http.StatusInternalServerError, "IO_ERROR", err.Error())
		return
	}
	reply(w, map[string]any{})
}

// create begins to write a file, which is seen while it grows.
func (s *Server) create(w http.ResponseWriter, r *http.Request) {
	var body struct {
		Path      string `json:"path"`
		Overwrite bool   `json:"overwrite"`
	}
	if !decode(w, r, &body) {
		return
	}
	flag := os.O_TRUNC
	if !body.Overwrite {
		flag = os.O_EXCL
	}
	err := os.MkdirAll(filepath.Dir(s.local(body.Path)), 0o777)
	var file *os.File
	if err == nil {
		file, err = os.OpenFile(s.local(body.Path), os.O_WRONLY|os.O_CREATE|flag, 0o666)
	}
	if err != nil {
		refuse(w, http.StatusBadRequest, "RESOURCE_ALREADY_EXISTS", err.Error())
		return
	}
	handle := s.number()
	s.mu.Lock()
	s.streams[handle] = file
	s.mu.Unlock()
	reply(w, map[string]any{"handle": handle})
}

func (s *Server) addBlock(w http.ResponseWriter, r *http.Request) {
	var body struct {
		Handle int64  `json:"handle"`
		Data   []byte `json:"data"`
	}
	if !decode(w, r, &body) {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	file := s.streams[body.Handle]
	if file == nil {
		missing(w, "of this handle")
		return
	}
	if len(body.Data) > maxBlock {
		refuse(w, http.StatusBadRequest, "MAX_BLOCK_SIZE_EXCEEDED", "data")
		return
	}
	if _, err := file.Write(body.Data); err != nil {
		refuse(w, http.StatusInternalServerError, "IO_ERROR", err.Error())
		return
	}
	reply(w, map[string]any{})
}

func (s *Server) closeStream(w http.ResponseWriter, r *http.Request) {
	var body struct {
		Handle int64 `json:"handle"`
	}
	if !decode(w, r, &body) {
		return
	}
	s.mu.Lock()
	file := s.streams[body.Handle]
	delete(s.streams, body.Handle)
	s.mu.Unlock()
	if file == nil || file.Close() != nil {
		missing(w, "of this handle")
		return
	}
	reply(w, map[string]any{})
}

// move gives a file another place, where nothing may lie.
func (s *Server) move(w http.ResponseWriter, r *http.Request) {
	var body struct {
		Source      string `json:"source_path"`
		Destination string `json:"destination_path"`
	}
	if !decode(w, r, &body) {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, err := os.Stat(s.local(body.Source)); err != nil {
		missing(w, body.Source)
		return
	}
	if _, err := os.Stat(s.local(body.Destination)); err == nil {
		refuse(w, http.StatusBadRequest, "RESOURCE_ALREADY_EXISTS", "A file or directory already exists at "+body.Destination)
		return
	}
	if err := os.Rename(s.local(body.Source), s.local(body.Destination)); err != nil {
		refuse(w, http.StatusInternalServerError, "IO_ERROR", err.Error())
		return
	}
	reply(w, map[string]any{})
}

func (s *Server) delete(w http.ResponseWriter, r *http.Request) {
	var body struct {
		Path      string `json:"path"`
		Recursive bool   `json:"recursive"`
	}
	if !decode(w, r, &body) {
		return
	}
	name := s.local(body.Path)
	entries, err := os.ReadDir(name)
	if err == nil && len(entries) > 0 && !body.Recursive {
		refuse(w, http.StatusBadRequest, "IO_ERROR", "The directory is not empty.")
		return
	}
	if err := os.RemoveAll(name); err != nil {
		refuse(w, http.StatusInternalServerError, "IO_ERROR", err.Error())
		return
	}
	reply(w, map[string]any{})
}
