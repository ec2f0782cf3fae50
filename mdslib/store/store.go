package store

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"maps"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"
)

// Object is one stored file.
type Object struct {
	Key      string // path below the store's root, with slashes
	Bytes    int64
	Modified time.Time // when it was stored; zero where the service doesn't say
}

// Store is a folder of files somewhere. Keys are slash-separated relative paths in the sense of fs.ValidPath.
//
// Implementations MUST be safe for concurrent use, MUST return an error that wraps fs.ErrNotExist for a key that is not
// there and fs.ErrPermission for one that may not be had, and MUST stop early with the context's error when it is done.
// Errors name the store and the key, never credentials. What is made of requests over a network is best made by package
// remote, which tries them again; a store that can only be read says so to [ReadOnly].
type Store interface {
	// Get copies the object to the local file path, whose folder exists. The file appears whole or not at all; a file
	// that is there already is replaced.
	Get(ctx context.Context, key, path string) error

	// Put copies the local file path to the object, replacing it. A reader sees the old object or the whole new one. It
	// may be called again after a failure.
	Put(ctx context.Context, path, key string) error

	// List yields the objects whose keys start with prefix (any text, "" for all), in the order of their keys. A root
	// that does not exist has none.
	List(ctx context.Context, prefix string) iter.Seq2[Object, error]

	// Delete removes the object. One that is not there is no error, so it may be called again after a failure.
	Delete(ctx context.Context, key string) error
}

// ReadOnly tells whether a store takes no objects: its Put and Delete return errors that wrap errors.ErrUnsupported.
func ReadOnly(s Store) bool {
	r, ok := s.(interface{ ReadOnly() bool })
	return ok && r.ReadOnly()
}

// Driver opens the store whose root is a URL of the driver's scheme.
type Driver func(ctx context.Context, url string) (Store, error)

var drivers = struct {
	sync.RWMutex
	open map[string]Driver
}{open: map[string]Driver{}}

// Register makes a driver known for URLs of a scheme, for example "s3", in the manner of database/sql. It panics if the
// scheme is taken. Local paths and file:// need no driver.
func Register(scheme string, open Driver) {
	drivers.Lock()
	defer drivers.Unlock()
	if scheme == "" || scheme == "file" || drivers.open[scheme] != nil || open == nil {
		panic("store: Register: scheme " + scheme + " is taken, or the driver is nil")
	}
	drivers.open[scheme] = open
}

// ErrNoDriver is wrapped by [Open] for a URL whose scheme has no driver in this program.
var ErrNoDriver = errors.New("no driver for this scheme is linked into the program")

// Open returns the store whose root is a local folder (a path, or file://…) or a URL such as s3://bucket/folder. A local
// folder need not exist yet.
func Open(ctx context.Context, root string) (Store, error) {
	if path, ok := LocalPath(root); ok {
		if path == "" {
			return nil, errors.New("store: no folder given")
		}
		return local{path}, nil
	}
	scheme := Scheme(root)
	drivers.RLock()
	open, names := drivers.open[scheme], slices.Sorted(maps.Keys(drivers.open))
	drivers.RUnlock()
	if open == nil {
		return nil, fmt.Errorf("store: %s://…: %w: local paths, file%s are", scheme, ErrNoDriver, strings.Join(append([]string{""}, names...), ", "))
	}
	return open(ctx, root)
}

// Scheme returns the scheme of a URL in lower case, or "" for a local path. "dbfs:/…" counts as a URL, and so does a path below
// /Volumes where no such folder is mounted, as it is on a Databricks cluster: it is dbfs's.
func Scheme(root string) string {
	if isUnmountedVolume(root, isFolder) {
		return "dbfs"
	}
	scheme, rest, ok := strings.Cut(root, ":")
	if !ok || !strings.HasPrefix(rest, "/") || len(scheme) < 2 {
		return ""
	}
	for i, c := range strings.ToLower(scheme) {
		if (c < 'a' || c > 'z') && (i == 0 || (c < '0' || c > '9') && !strings.ContainsRune("+-.", c)) {
			return ""
		}
	}
	return strings.ToLower(scheme)
}

// isUnmountedVolume tells whether root is a path /Volumes/catalog/… and there is no folder for the catalog here.
func isUnmountedVolume(root string, isFolder func(string) bool) bool {
	below, ok := strings.CutPrefix(root, "/Volumes/")
	catalog, _, _ := strings.Cut(below, "/")
	return ok && catalog != "" && !isFolder("/Volumes/"+catalog)
}

func isFolder(path string) bool {
	stat, err := os.Stat(path)
	return err == nil && stat.IsDir()
}

// LocalPath returns the path that root names if it is a local path or a file: URL.
func LocalPath(root string) (path string, ok bool) {
	switch Scheme(root) {
	case "":
		return root, true
	case "file":
		u, err := url.Parse(root)
		if err != nil || u.Host != "" && u.Host != "localhost" {
			return "", false
		}
		return filepath.FromSlash(u.Path), true
	}
	return "", false
}

// Join returns the root of a folder below root: the key is appended to a URL or to a local path. The query of a web address,
// which may be a signature, stays at its end.
func Join(root, key string) string {
	query := ""
	switch scheme := Scheme(root); scheme {
	case "":
		return filepath.Join(root, filepath.FromSlash(key))
	case "http", "https":
		if i := strings.IndexByte(root, '?'); i >= 0 {
			root, query = root[:i], root[i:]
		}
	}
	return strings.TrimRight(root, "/") + "/" + key + query
}

// Split is the reverse of [Join]: the folder that a file lies in, "." for a name alone, and the file's name.
func Split(root string) (folder, name string) {
	query := ""
	switch Scheme(root) {
	case "":
		return filepath.Dir(root), filepath.Base(root)
	case "http", "https":
		if i := strings.IndexByte(root, '?'); i >= 0 {
			root, query = root[:i], root[i:]
		}
	}
	i := strings.LastIndexByte(root, '/')
	folder, name = strings.TrimRight(root[:i], "/"), root[i+1:]
	if strings.HasSuffix(folder, ":") { // "dbfs:/name"
		folder += "/"
	}
	return folder + query, name
}

// Redacted returns root as messages may show it: without the password that stands in a URL, and without the query of a web
// address or one that has a shared access signature, Azure's sig=….
func Redacted(root string) string {
	scheme, rest, ok := strings.Cut(root, "://")
	if !ok {
		return root
	}
	host, _, _ := strings.Cut(rest, "/")
	end := strings.LastIndexByte(host, '@')
	if _, port, ok := strings.Cut(host, ":"); end < 0 && ok && strings.Trim(port, "0123456789") != "" {
		end = strings.LastIndexByte(rest, '@') // a password with a slash in it, which should have been escaped
	}
	if user, _, ok := strings.Cut(rest[:max(end, 0)], ":"); ok {
		rest = user + ":…" + rest[end:]
	}
	path, query, _ := strings.Cut(rest, "?")
	if strings.EqualFold(scheme, "http") || strings.EqualFold(scheme, "https") || strings.Contains("&"+query, "&sig=") {
		rest = path
	}
	return scheme + "://" + rest
}

// CheckKey returns an error unless key is a slash-separated relative path without "." and ".." parts.
func CheckKey(key string) error {
	if !fs.ValidPath(key) || key == "." || strings.ContainsAny(key, "\\\x00") {
		return fmt.Errorf("store: key %q is no relative path", key)
	}
	return nil
}
