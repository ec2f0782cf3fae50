package databricks

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"path"
	"strconv"
	"time"

	"gomosaic/mdslib/store"
	"gomosaic/mdslib/store/remote"
)

// dbfs is a folder of DBFS outside volumes, through the DBFS API (https://docs.databricks.com/api/workspace/dbfs), which moves
// 1 MiB a request. It is a [remote.Writer] and a [remote.Lister].
//
// The API cannot replace a file of more than 1 MiB at once: such a file is missing for the moment between its deletion and
// the new one's move into its place.
type dbfs struct {
	*workspace
	root     string        // /…
	patience time.Duration // with the removal of what a failed upload left behind
}

// blockBytes is the most that one request of the DBFS API moves.
const blockBytes = 1 << 20

func (d *dbfs) path(key string) string { return path.Join(d.root, key) }

// fileInfo is what the API tells of a file or a folder.
type fileInfo struct {
	Path     string `json:"path"`
	IsDir    bool   `json:"is_dir"`
	Bytes    int64  `json:"file_size"`
	Modified int64  `json:"modification_time"` // ms since 1970
}

func (f fileInfo) tag() string { return fmt.Sprintf("%d bytes of %d", f.Bytes, f.Modified) }

func (d *dbfs) status(ctx context.Context, path string) (f fileInfo, err error) {
	err = d.ask(ctx, call{method: "GET", path: "/api/2.0/dbfs/get-status", query: url.Values{"path": {path}}}, &f)
	return f, err
}

// post makes a request whose parameters and answer are JSON.
func (d *dbfs) post(ctx context.Context, method string, parameters map[string]any, out any) error {
	return d.ask(ctx, call{method: "POST", path: "/api/2.0/dbfs/" + method, json: parameters}, out)
}

// Open implements [remote.Reader].
func (d *dbfs) Open(ctx context.Context, key string, wanted remote.Span, tag string) (io.ReadCloser, remote.Info, error) {
	path := d.path(key)
	f, err := d.status(ctx, path)
	if err == nil && f.IsDir {
		err = fmt.Errorf("it is a folder: %w", fs.ErrNotExist)
	}
	if err != nil {
		return nil, remote.Info{}, err
	}
	return &dbfsReader{ctx: ctx, dbfs: d, path: path, file: f, at: wanted.Offset}, remote.Info{Bytes: f.Bytes, Tag: f.tag(), Ranges: true}, nil
}

// dbfsReader reads a file block by block.
type dbfsReader struct {
	ctx context.Context
	*dbfs
	path  string
	file  fileInfo
	at    int64
	block []byte // what is left of the last one
}

func (r *dbfsReader) Read(p []byte) (int, error) {
	if len(r.block) == 0 {
		if r.at >= r.file.Bytes {
			return 0, io.EOF
		}
		var block struct {
			Data []byte `json:"data"` // base64
		}
		query := url.Values{"path": {r.path}, "offset": {strconv.FormatInt(r.at, 10)}, "length": {strconv.FormatInt(min(blockBytes, r.file.Bytes-r.at), 10)}}
		if err := r.ask(r.ctx, call{method: "GET", path: "/api/2.0/dbfs/read", query: query}, &block); err != nil {
			return 0, err
		}
		// The API has no requests that depend on what is there: look whether the block is one of this file.
		now, err := r.status(r.ctx, r.path)
		if err == nil && (len(block.Data) == 0 || now.tag() != r.file.tag()) {
			err = remote.ErrChanged
		}
		if err != nil {
			return 0, err
		}
		r.block = block.Data
		r.at += int64(len(block.Data))
	}
	n := copy(p, r.block)
	r.block = r.block[n:]
	return n, nil
}

func (r *dbfsReader) Close() error { return nil }

// Upload implements [remote.Writer]. A file of one block is replaced by one request; a larger one is written beside its
// place, and anew as a whole after any failure, because a block that is sent twice might be appended twice.
func (d *dbfs) Upload(ctx context.Context, key string, body io.ReadSeeker, bytes int64) (err error) {
	path := d.path(key)
	if bytes <= blockBytes {
		block, err := io.ReadAll(body)
		if err != nil {
			return err
		}
		return d.post(ctx, "put", map[string]any{"path": path, "contents": block, "overwrite": true}, nil)
	}
	temp := d.path(store.TempName(key))
	defer func() {
		if err != nil {
			ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), d.patience)
			defer cancel()
			d.delete(ctx, temp)
		}
	}()
	if err := d.write(ctx, temp, body); err != nil {
		return err
	}
	if f, err := d.status(ctx, temp); err != nil || f.Bytes != bytes {
		return fmt.Errorf("%d of %d bytes arrived: %w", f.Bytes, bytes, errors.Join(err, io.ErrUnexpectedEOF))
	}
	for attempt := 0; ; attempt++ {
		if err := d.delete(ctx, path); err != nil {
			return err
		}
		err := d.post(ctx, "move", map[string]any{"source_path": temp, "destination_path": path}, nil)
		var status *remote.StatusError
		if attempt < 10 && errors.As(err, &status) && status.Code == "RESOURCE_ALREADY_EXISTS" {
			continue // another writer was faster
		}
		return err
	}
}

func (d *dbfs) write(ctx context.Context, path string, body io.Reader) error {
	var stream struct {
		Handle int64 `json:"handle"`
	}
	if err := d.post(ctx, "create", map[string]any{"path": path, "overwrite": true}, &stream); err != nil {
		return err
	}
	block := make([]byte, blockBytes)
	for {
		n, err := io.ReadFull(body, block)
		if n > 0 {
			if err := d.post(ctx, "add-block", map[string]any{"handle": stream.Handle, "data": block[:n]}, nil); err != nil {
				return err
			}
		}
		if err == io.EOF || err == io.ErrUnexpectedEOF {
			return d.post(ctx, "close", map[string]any{"handle": stream.Handle}, nil)
		}
		if err != nil {
			return err
		}
	}
}

func (d *dbfs) delete(ctx context.Context, path string) error {
	err := d.post(ctx, "delete", map[string]any{"path": path, "recursive": false}, nil)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// Delete implements [remote.Writer]. Folders that become empty go too, as in an object store; the API refuses to delete
// others without being told to.
func (d *dbfs) Delete(ctx context.Context, key string) error {
	if err := d.delete(ctx, d.path(key)); err != nil {
		return err
	}
	for folder := path.Dir(key); folder != "."; folder = path.Dir(folder) {
		if d.delete(ctx, d.path(folder)) != nil {
			break
		}
	}
	return nil
}

// Page implements [remote.Lister].
func (d *dbfs) Page(ctx context.Context, prefix, token string) ([]store.Object, string, error) {
	return remote.PageOfFolders(ctx, prefix, token, func(ctx context.Context, folder, _ string) ([]remote.Entry, string, error) {
		var list struct {
			Files []fileInfo `json:"files"`
		}
		err := d.ask(ctx, call{method: "GET", path: "/api/2.0/dbfs/list", query: url.Values{"path": {d.path(folder)}}}, &list)
		var entries []remote.Entry
		for _, f := range list.Files {
			if name := path.Base(f.Path); path.Dir(f.Path) == d.path(folder) && !store.IsTemp(name) { // a file's list is itself
				entries = append(entries, remote.Entry{Name: name, Folder: f.IsDir, Bytes: f.Bytes, Modified: time.UnixMilli(f.Modified)})
			}
		}
		return entries, "", err
	})
}
