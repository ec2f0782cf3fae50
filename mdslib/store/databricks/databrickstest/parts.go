package databrickstest

// The Files API: large uploads, past the workspace to the cloud's storage. Its addresses carry their own authorization, and
// a request with the workspace's token is refused: it must not get there.

import (
	"crypto/md5"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"
)

// upload is a session of a large upload.
type upload struct {
	name  string
	parts map[int]part
	file  string // Resumable: what has arrived so far
	bytes int64
	done  bool // Resumable: the file has its place
}

type part struct{ file, etag string }

func (s *Server) parts(mux *http.ServeMux) {
	mux.HandleFunc("POST /api/2.0/fs/create-upload-part-urls", s.authorized(s.partAddresses))
	mux.HandleFunc("POST /api/2.0/fs/create-resumable-upload-url", s.authorized(s.resumableAddress))
	mux.HandleFunc("POST /api/2.0/fs/create-abort-upload-url", s.authorized(s.abortAddress))
	mux.HandleFunc("PUT /storage/{session}/{part}", s.storage(s.putPart))
	mux.HandleFunc("PUT /storage/{session}", s.storage(s.putRange))
	mux.HandleFunc("DELETE /storage/{session}", s.storage(s.abort))
}

// act begins or completes an upload.
func (s *Server) act(w http.ResponseWriter, r *http.Request) {
	name, query := r.PathValue("path"), r.URL.Query()
	switch query.Get("action") {
	case "initiate-upload":
		session := fmt.Sprint("session ", s.number())
		u := &upload{name: name, parts: map[int]part{}}
		answer := map[string]any{"multipart_upload": map[string]string{"session_token": session}}
		if s.Resumable {
			u.file = fmt.Sprintf("%s/resumable-%d", s.work, s.number())
			if err := os.WriteFile(u.file, nil, 0o600); err != nil {
				refuse(w, http.StatusInternalServerError, "INTERNAL_ERROR", err.Error())
				return
			}
			answer = map[string]any{"resumable_upload": map[string]string{"session_token": session}}
		}
		s.mu.Lock()
		s.uploads[session] = u
		s.mu.Unlock()
		reply(w, answer)
	case "complete-upload":
		var body struct {
			Parts []struct {
				Number int    `json:"part_number"`
				ETag   string `json:"etag"`
			} `json:"parts"`
		}
		u := s.session(query.Get("session_token"))
		if u == nil || u.name != name || query.Get("upload_type") != "multipart" || !decode(w, r, &body) {
			refuse(w, http.StatusNotFound, "NOT_FOUND", "The upload does not exist.")
			return
		}
		if len(body.Parts) != len(u.parts) {
			refuse(w, http.StatusBadRequest, "INVALID_PARAMETER_VALUE", fmt.Sprintf("%d parts named, %d uploaded", len(body.Parts), len(u.parts)))
			return
		}
		whole := fmt.Sprintf("%s/whole-%d", s.work, s.number())
		out, err := os.Create(whole)
		for i, p := range body.Parts {
			have, ok := u.parts[p.Number]
			if !ok || have.etag != p.ETag || p.Number != i+1 {
				err = errors.Join(err, fmt.Errorf("part %d is not there, or not in its place", p.Number))
				break
			}
			in, openErr := os.Open(have.file)
			if openErr != nil {
				err = openErr
				break
			}
			_, copyErr := io.Copy(out, in)
			err = errors.Join(err, copyErr, in.Close())
		}
		err = errors.Join(err, out.Close())
		if err == nil {
			err = s.publish(whole, name)
		}
		if err != nil {
			os.Remove(whole)
			refuse(w, http.StatusBadRequest, "INVALID_PARAMETER_VALUE", err.Error())
			return
		}
		s.drop(query.Get("session_token"))
	default:
		refuse(w, http.StatusBadRequest, "INVALID_PARAMETER_VALUE", "action")
	}
}

func (s *Server) session(token string) *upload {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.uploads[token]
}

// drop forgets an upload and its parts.
func (s *Server) drop(token string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if u := s.uploads[token]; u != nil {
		for _, p := range u.parts {
			os.Remove(p.file)
		}
		os.Remove(u.file)
	}
	delete(s.uploads, token)
}

// address is one of the cloud's storage, which expires.
func (s *Server) address(r *http.Request, place, expires string) (map[string]any, error) {
	until, err := time.Parse(time.RFC3339, expires)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.Expired > 0 {
		s.Expired--
		until = time.Now().Add(-time.Second)
	}
	query := url.Values{"X-Amz-Expires": {strconv.FormatInt(until.UnixMilli(), 10)}, "X-Amz-Signature": {"5ca1ab1e"}}
	return map[string]any{
		"url":     "http://" + r.Host + "/storage/" + place + "?" + query.Encode(),
		"headers": []map[string]string{{"name": "x-amz-server-side-encryption", "value": "aws:kms"}},
	}, nil
}

func (s *Server) partAddresses(w http.ResponseWriter, r *http.Request) {
	var body struct {
		Path       string `json:"path"`
		Session    string `json:"session_token"`
		Start      int    `json:"start_part_number"`
		Count      int    `json:"count"`
		ExpireTime string `json:"expire_time"`
	}
	if !decode(w, r, &body) {
		return
	}
	if s.NoDirectUploads == "workspace" {
		refuse(w, http.StatusForbidden, "PERMISSION_DENIED", "Presigned URLs API is not enabled", "FILES_API_API_IS_NOT_ENABLED")
		return
	}
	u := s.session(body.Session)
	if u == nil || "/"+u.name != body.Path || body.Count < 1 {
		refuse(w, http.StatusNotFound, "NOT_FOUND", "The upload does not exist.")
		return
	}
	var addresses []map[string]any
	for number := body.Start; number < body.Start+body.Count; number++ {
		a, err := s.address(r, url.PathEscape(body.Session)+"/"+strconv.Itoa(number), body.ExpireTime)
		if err != nil {
			refuse(w, http.StatusBadRequest, "INVALID_PARAMETER_VALUE", "expire_time")
			return
		}
		a["part_number"] = number
		addresses = append(addresses, a)
	}
	reply(w, map[string]any{"upload_part_urls": addresses})
}

func (s *Server) resumableAddress(w http.ResponseWriter, r *http.Request) {
	var body struct {
		Path    string `json:"path"`
		Session string `json:"session_token"`
	}
	if decode(w, r, &body) {
		a, _ := s.address(r, url.PathEscape(body.Session), time.Now().Add(time.Hour).Format(time.RFC3339))
		reply(w, map[string]any{"resumable_upload_url": a})
	}
}

func (s *Server) abortAddress(w http.ResponseWriter, r *http.Request) {
	var body struct {
		Path       string `json:"path"`
		Session    string `json:"session_token"`
		ExpireTime string `json:"expire_time"`
	}
	if decode(w, r, &body) {
		a, err := s.address(r, url.PathEscape(body.Session), body.ExpireTime)
		if err != nil {
			refuse(w, http.StatusBadRequest, "INVALID_PARAMETER_VALUE", "expire_time")
			return
		}
		reply(w, map[string]any{"abort_upload_url": a})
	}
}

// storage answers as the storage of a cloud, which knows no tokens of Databricks.
func (s *Server) storage(do http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		expires, err := strconv.ParseInt(r.FormValue("X-Amz-Expires"), 10, 64)
		switch {
		case r.Header.Get("Authorization") != "" || r.FormValue("X-Amz-Signature") != "5ca1ab1e" || err != nil:
			storageError(w, http.StatusBadRequest, "InvalidArgument", "Only one auth mechanism allowed")
		case r.Header.Get("x-amz-server-side-encryption") != "aws:kms":
			storageError(w, http.StatusForbidden, "SignatureDoesNotMatch", "a header that was signed is missing")
		case s.NoDirectUploads == "network":
			storageError(w, http.StatusForbidden, "AuthorizationFailure", "This request is not authorized to perform this operation.")
		case time.Now().UnixMilli() > expires:
			storageError(w, http.StatusForbidden, "AccessDenied", "Request has expired")
		default:
			do(w, r)
		}
	}
}

func storageError(w http.ResponseWriter, status int, code, message string) {
	w.Header().Set("Content-Type", "application/xml")
	w.WriteHeader(status)
	fmt.Fprintf(w, `<?xml version="1.0" encoding="utf-8"?><Error><Code>%s</Code><Message>%s</Message></Error>`, code, message)
}

func (s *Server) putPart(w http.ResponseWriter, r *http.Request) {
	number, err := strconv.Atoi(r.PathValue("part"))
	var file string
	if err == nil {
		file, err = s.receive(r)
	}
	if err != nil {
		storageError(w, http.StatusBadRequest, "IncompleteBody", err.Error())
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	u := s.uploads[r.PathValue("session")]
	if u == nil {
		os.Remove(file)
		storageError(w, http.StatusNotFound, "NoSuchUpload", "The specified multipart upload does not exist.")
		return
	}
	os.Remove(u.parts[number].file)
	etag := fmt.Sprintf("%x", md5.Sum([]byte(file)))
	u.parts[number] = part{file, etag}
	w.Header().Set("ETag", etag)
}

// putRange adds to a resumable upload, keeping what arrives of a range that breaks off.
func (s *Server) putRange(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	u := s.uploads[r.PathValue("session")]
	if u == nil {
		storageError(w, http.StatusNotFound, "NoSuchUpload", "The upload does not exist.")
		return
	}
	var first, last, total int64
	span, size, _ := strings.Cut(strings.TrimPrefix(r.Header.Get("Content-Range"), "bytes "), "/")
	total, err := strconv.ParseInt(size, 10, 64)
	if span != "*" {
		if _, scanErr := fmt.Sscanf(span, "%d-%d", &first, &last); scanErr != nil || err != nil || first != u.bytes || last-first+1 != r.ContentLength || last >= total {
			storageError(w, http.StatusBadRequest, "InvalidRange", r.Header.Get("Content-Range"))
			return
		}
		file, err := os.OpenFile(u.file, os.O_WRONLY|os.O_APPEND, 0)
		if err == nil {
			// The storage keeps multiples of 256 KiB; what else arrives of a range that is not the last one is dropped.
			n, _ := io.Copy(file, r.Body)
			u.bytes += n
			if u.bytes < total {
				u.bytes = u.bytes >> 18 << 18
			}
			err = errors.Join(file.Truncate(u.bytes), file.Close())
		}
		if err != nil {
			storageError(w, http.StatusInternalServerError, "InternalError", err.Error())
			return
		}
	}
	if u.bytes < total {
		if u.bytes > 0 {
			w.Header().Set("Range", fmt.Sprintf("bytes=0-%d", u.bytes-1))
		}
		w.WriteHeader(http.StatusPermanentRedirect)
		return
	}
	if !u.done {
		if err := s.publish(u.file, u.name); err != nil {
			storageError(w, http.StatusInternalServerError, "InternalError", err.Error())
			return
		}
		u.done = true
	}
}

func (s *Server) abort(w http.ResponseWriter, r *http.Request) { s.drop(r.PathValue("session")) }
