package remote

// Listing for services that list one folder at a time.

import (
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"path"
	"strings"
	"time"

	"gomosaic/mdslib/store"
)

// Entry is what lies in a folder.
type Entry struct {
	Name     string
	Folder   bool
	Bytes    int64     // of a file
	Modified time.Time // of a file
}

// PageOfFolders is [Lister]'s Page for a service that lists the entries of one folder, page by page: of the folder with this
// path below the root, "" for the root itself, from token on, "" for the first page. A folder that does not exist is an
// error that wraps fs.ErrNotExist; it has no objects. The listing is Unsorted.
func PageOfFolders(ctx context.Context, prefix, token string, list func(ctx context.Context, folder, token string) ([]Entry, string, error)) ([]store.Object, string, error) {
	// What is still to be listed travels in the token: of the last folder, from Token on; all of the others.
	var rest struct {
		Folders []string
		Token   string
	}
	if token == "" {
		rest.Folders = []string{prefix[:strings.LastIndexByte(prefix, '/')+1]}
	} else if err := json.Unmarshal([]byte(token), &rest); err != nil {
		return nil, "", err
	}
	last := len(rest.Folders) - 1
	folder := rest.Folders[last]
	entries, next, err := list(ctx, strings.TrimSuffix(folder, "/"), rest.Token)
	if errors.Is(err, fs.ErrNotExist) {
		entries, next, err = nil, "", nil // or deleted meanwhile
	}
	if err != nil {
		return nil, "", err
	}
	rest.Token = next
	if next == "" {
		rest.Folders = rest.Folders[:last]
	}
	var objects []store.Object
	var below []string
	for _, e := range entries {
		key := path.Join(folder, e.Name)
		if !e.Folder {
			objects = append(objects, store.Object{Key: key, Bytes: e.Bytes, Modified: e.Modified})
		} else if key += "/"; strings.HasPrefix(key, prefix) || strings.HasPrefix(prefix, key) {
			below = append(below, key)
		}
	}
	rest.Folders = append(below, rest.Folders...)
	if len(rest.Folders) == 0 {
		return objects, "", nil
	}
	text, err := json.Marshal(rest)
	return objects, string(text), err
}
