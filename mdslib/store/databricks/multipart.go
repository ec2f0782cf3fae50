package databricks

// Large files in parts. On AWS and Azure the workspace gives out an address of the cloud's storage for each part; on Google's
// cloud it gives out one address that takes the parts in order.

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"gomosaic/mdslib/store/remote"
)

// addressTime is how long an address for a part may be used.
const addressTime = time.Hour

// Begin implements [remote.PartWriter]. An error that wraps errors.ErrUnsupported says that the workspace or its network do
// not allow uploads past it; files of up to 5 GiB can still be put by one request.
func (v *volume) Begin(ctx context.Context, key string, bytes int64) (remote.Parts, error) {
	var begun struct {
		Multipart *session `json:"multipart_upload"`
		Resumable *session `json:"resumable_upload"`
	}
	path := v.path(key)
	err := v.ask(ctx, call{method: "POST", path: filesAPI + path, query: url.Values{"action": {"initiate-upload"}, "overwrite": {"true"}}}, &begun)
	switch {
	case err != nil:
		return nil, pastWorkspace(err)
	case begun.Multipart != nil && begun.Multipart.Token != "":
		return &multipart{volume: v, path: path, session: begun.Multipart.Token}, nil
	case begun.Resumable != nil && begun.Resumable.Token != "":
		u := &resumable{volume: v, total: bytes}
		return u, u.begin(ctx, path, begun.Resumable.Token)
	}
	return nil, errors.New("initiate-upload: the answer has no session_token")
}

type session struct {
	Token string `json:"session_token"`
}

// address is where the workspace lets us send something to, without our own token.
type address struct {
	URL     string `json:"url"`
	Headers []struct {
		Name  string `json:"name"`
		Value string `json:"value"`
	} `json:"headers"`
}

func (a address) header() http.Header {
	h := http.Header{"Content-Type": {"application/octet-stream"}}
	for _, pair := range a.Headers {
		h.Set(pair.Name, pair.Value)
	}
	return h
}

// pastWorkspace marks the answers of workspaces and networks where uploads straight to the cloud's storage are not allowed.
func pastWorkspace(err error) error {
	var status *remote.StatusError
	if errors.As(err, &status) && (strings.Contains(status.Code, "FILES_API_API_IS_NOT_ENABLED") || strings.Contains(status.Code, "FILES_API_REQUESTER_NETWORK_ZONE_UNKNOWN")) {
		return fmt.Errorf("%w (%w)", err, errors.ErrUnsupported)
	}
	return err
}

// multipart is an upload whose parts come in any order.
type multipart struct {
	*volume
	path, session string

	mu    sync.Mutex
	etags map[int]string // by part number
}

// Put implements [remote.Parts].
func (u *multipart) Put(ctx context.Context, part remote.Part, body io.ReadSeeker) error {
	var given struct {
		Parts []struct {
			address
			Number int `json:"part_number"`
		} `json:"upload_part_urls"`
	}
	err := u.ask(ctx, call{method: "POST", path: "/api/2.0/fs/create-upload-part-urls", json: map[string]any{
		"path": u.path, "session_token": u.session, "start_part_number": part.Number, "count": 1, "expire_time": expiry(),
	}}, &given)
	if err != nil {
		return pastWorkspace(err)
	}
	if len(given.Parts) == 0 || given.Parts[0].Number != part.Number || given.Parts[0].URL == "" {
		return fmt.Errorf("create-upload-part-urls: the answer has no address for part %d", part.Number)
	}
	to := given.Parts[0].address
	answer, err := u.do(ctx, call{method: "PUT", path: to.URL, header: to.header(), body: body, bytes: part.Bytes})
	if err != nil {
		return storageError(err, u.arrived() == 0)
	}
	answer.Body.Close()
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.etags == nil {
		u.etags = map[int]string{}
	}
	u.etags[part.Number] = answer.Header.Get("ETag")
	return nil
}

// storageError tells apart what the cloud's storage means by 403: an address that has expired, for which there is a new one
// at the next attempt, or as long as no part has arrived a network that lets nobody but the workspace in.
func storageError(err error, first bool) error {
	var status *remote.StatusError
	if !errors.As(err, &status) || status.Status != http.StatusForbidden {
		return err
	}
	if strings.Contains(status.Message, "Request has expired") || strings.Contains(status.Message, "Signature not valid in the specified time frame") {
		return &remote.StatusError{Status: http.StatusRequestTimeout, Code: status.Code, Message: status.Message}
	}
	if first {
		return fmt.Errorf("the cloud's storage refuses direct uploads: %w (%w)", err, errors.ErrUnsupported)
	}
	return err
}

// arrived is the number of parts that have.
func (u *multipart) arrived() int {
	u.mu.Lock()
	defer u.mu.Unlock()
	return len(u.etags)
}

// Complete implements [remote.Parts].
func (u *multipart) Complete(ctx context.Context) error {
	type part struct {
		Number int    `json:"part_number"`
		ETag   string `json:"etag"`
	}
	var parts []part
	u.mu.Lock()
	for number, etag := range u.etags {
		parts = append(parts, part{number, etag})
	}
	u.mu.Unlock()
	slices.SortFunc(parts, func(a, b part) int { return a.Number - b.Number })
	return u.ask(ctx, call{
		method: "POST", path: filesAPI + u.path,
		query: url.Values{"action": {"complete-upload"}, "upload_type": {"multipart"}, "session_token": {u.session}},
		json:  map[string]any{"parts": parts},
	}, nil)
}

// Abort implements [remote.Parts].
func (u *multipart) Abort(ctx context.Context) error {
	var given struct {
		To address `json:"abort_upload_url"`
	}
	err := u.ask(ctx, call{method: "POST", path: "/api/2.0/fs/create-abort-upload-url", json: map[string]any{
		"path": u.path, "session_token": u.session, "expire_time": expiry(),
	}}, &given)
	if err != nil {
		return err
	}
	return u.ask(ctx, call{method: "DELETE", path: given.To.URL, header: given.To.header()}, nil)
}

func expiry() string { return time.Now().Add(addressTime).UTC().Format("2006-01-02T15:04:05Z") }

// resumable is an upload whose parts come in order, each from where the storage says that it has got to
// (https://cloud.google.com/storage/docs/performing-resumable-uploads).
type resumable struct {
	*volume
	to     address
	total  int64
	unsure bool // the last request failed: the storage may have more than is known here
	have   int64
}

// InOrder tells package remote that parts come one after the other.
func (u *resumable) InOrder() bool { return true }

func (u *resumable) begin(ctx context.Context, path, session string) error {
	var given struct {
		To address `json:"resumable_upload_url"`
	}
	err := u.ask(ctx, call{method: "POST", path: "/api/2.0/fs/create-resumable-upload-url", json: map[string]any{"path": path, "session_token": session}}, &given)
	if err == nil && given.To.URL == "" {
		err = errors.New("create-resumable-upload-url: the answer has no address")
	}
	u.to = given.To
	return pastWorkspace(err)
}

// Put implements [remote.Parts].
func (u *resumable) Put(ctx context.Context, part remote.Part, body io.ReadSeeker) error {
	if u.unsure {
		if err := u.send(ctx, fmt.Sprintf("bytes */%d", u.total), nil, 0); err != nil {
			return err
		}
	}
	for end := part.Offset + part.Bytes; u.have < end; {
		if u.have < part.Offset {
			return fmt.Errorf("the storage has %d bytes of those before part %d, which begins at %d", u.have, part.Number, part.Offset)
		}
		if _, err := body.Seek(u.have-part.Offset, io.SeekStart); err != nil {
			return err
		}
		before := u.have
		if err := u.send(ctx, fmt.Sprintf("bytes %d-%d/%d", u.have, end-1, u.total), body, end-u.have); err != nil {
			return err
		}
		if u.have == before {
			return fmt.Errorf("the storage took nothing of part %d: %w", part.Number, io.ErrUnexpectedEOF)
		}
	}
	return nil
}

// send puts a range and learns how far the storage has got.
func (u *resumable) send(ctx context.Context, contentRange string, body io.Reader, bytes int64) error {
	u.unsure = true
	header := u.to.header()
	header.Set("Content-Range", contentRange)
	answer, err := u.do(ctx, call{method: "PUT", path: u.to.URL, header: header, body: body, bytes: bytes})
	if answer != nil && answer.StatusCode == http.StatusPermanentRedirect {
		err = nil // 308: go on
		u.have = 0
		if r := answer.Header.Get("Range"); r != "" {
			last, found := strings.CutPrefix(r, "bytes=0-")
			n, parseErr := strconv.ParseInt(last, 10, 64)
			if !found || parseErr != nil || n >= u.total {
				return fmt.Errorf("the storage has got to %q, which is no range of this file", r)
			}
			u.have = n + 1
		}
	} else if err == nil {
		answer.Body.Close()
		u.have = u.total
	}
	u.unsure = err != nil
	if err != nil {
		return storageError(err, u.have == 0)
	}
	return nil
}

// Complete implements [remote.Parts]. The last part has completed the file.
func (u *resumable) Complete(context.Context) error {
	if u.have != u.total {
		return fmt.Errorf("the storage has %d of %d bytes: %w", u.have, u.total, io.ErrUnexpectedEOF)
	}
	return nil
}

// Abort implements [remote.Parts].
func (u *resumable) Abort(ctx context.Context) error {
	return u.ask(ctx, call{method: "DELETE", path: u.to.URL, header: u.to.header()}, nil)
}
