package databricks

import (
	"context"
	"io"
	"net/http"
	"net/url"
	"path"
	"strings"
	"time"

	"gomosaic/mdslib/store"
	"gomosaic/mdslib/store/remote"
)

// volume is a folder of a Unity Catalog volume, through the Files API (https://docs.databricks.com/api/workspace/files).
// It is a [remote.PartWriter] and a [remote.Lister].
type volume struct {
	*workspace
	root string // /Volumes/catalog/schema/volume/…
}

const (
	filesAPI       = "/api/2.0/fs/files"
	directoriesAPI = "/api/2.0/fs/directories"
)

func (v *volume) path(key string) string { return path.Join(v.root, key) }

// Open implements [remote.Reader]. The tag is Last-Modified, which the API takes back as If-Unmodified-Since, and the ETag
// where there is one.
func (v *volume) Open(ctx context.Context, key string, wanted remote.Span, tag string) (io.ReadCloser, remote.Info, error) {
	header := http.Header{"Accept": {"application/octet-stream"}, "Accept-Encoding": {"identity"}}
	if !wanted.Whole() {
		header.Set("Range", wanted.Range())
		if modified, _, _ := strings.Cut(tag, "|"); modified != "" {
			header.Set("If-Unmodified-Since", modified)
		}
	}
	answer, err := v.do(ctx, call{method: "GET", path: filesAPI + v.path(key), header: header})
	if err != nil {
		return nil, remote.Info{}, err
	}
	body, info, err := remote.HTTPBody(answer, wanted)
	if modified, etag := answer.Header.Get("Last-Modified"), answer.Header.Get("ETag"); modified != "" || etag != "" {
		info.Tag = modified + "|" + etag
	}
	info.Ranges = true
	return body, info, err
}

// Upload implements [remote.Writer]. Folders on the way are made by the service.
func (v *volume) Upload(ctx context.Context, key string, body io.ReadSeeker, bytes int64) error {
	return v.ask(ctx, call{
		method: "PUT", path: filesAPI + v.path(key), query: url.Values{"overwrite": {"true"}},
		header: http.Header{"Content-Type": {"application/octet-stream"}}, body: body, bytes: bytes,
	}, nil)
}

// Delete implements [remote.Writer]. Folders that become empty go too, as in an object store: only empty ones can be deleted.
func (v *volume) Delete(ctx context.Context, key string) error {
	if err := v.ask(ctx, call{method: "DELETE", path: filesAPI + v.path(key)}, nil); err != nil {
		return err
	}
	for folder := path.Dir(key); folder != "."; folder = path.Dir(folder) {
		if v.ask(ctx, call{method: "DELETE", path: directoriesAPI + v.path(folder)}, nil) != nil {
			break
		}
	}
	return nil
}

// Page implements [remote.Lister].
func (v *volume) Page(ctx context.Context, prefix, token string) ([]store.Object, string, error) {
	return remote.PageOfFolders(ctx, prefix, token, func(ctx context.Context, folder, token string) ([]remote.Entry, string, error) {
		var page struct {
			Contents []struct {
				Name        string `json:"name"`
				IsDirectory bool   `json:"is_directory"`
				FileSize    int64  `json:"file_size"`
				Modified    int64  `json:"last_modified"` // ms since 1970
			} `json:"contents"`
			NextPageToken string `json:"next_page_token"`
		}
		query := url.Values{}
		if token != "" {
			query.Set("page_token", token)
		}
		err := v.ask(ctx, call{method: "GET", path: directoriesAPI + v.path(folder), query: query}, &page)
		var entries []remote.Entry
		for _, c := range page.Contents {
			entries = append(entries, remote.Entry{Name: c.Name, Folder: c.IsDirectory, Bytes: c.FileSize, Modified: time.UnixMilli(c.Modified)})
		}
		return entries, page.NextPageToken, err
	})
}
