package local

// Where the paths of a Read lead: folders of this machine, or of a store.

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"

	"gomosaic/mdslib/store"
)

// tree is folders and the files in them, known by the paths that messages show.
type tree interface {
	// stat tells what a path leads to; nothing is an error that wraps fs.ErrNotExist.
	stat(path string) (entry, error)

	// list tells what lies in a folder.
	list(folder string) ([]entry, error)

	join(folder, name string) string

	// below returns the names of the folders that lead from base to a folder, and whether it lies there.
	below(base, folder string) (names []string, ok bool)

	// parent returns the folder that a file lies in.
	parent(path string) string

	file(path string, e entry) File
}

// entry is a folder, or a file.
type entry struct {
	name     string
	folder   bool
	special  bool // neither a folder nor a file that can be read: a device, a socket
	bytes    int64
	modified time.Time
}

// machine is the tree of this machine's files.
type machine struct{}

func entryOf(info fs.FileInfo) entry {
	return entry{info.Name(), info.IsDir(), !info.IsDir() && !info.Mode().IsRegular(), info.Size(), info.ModTime()}
}

func (machine) stat(path string) (entry, error) {
	info, err := os.Stat(path) // through links
	if err != nil {
		return entry{}, err
	}
	return entryOf(info), nil
}

func (m machine) list(folder string) ([]entry, error) {
	names, err := os.ReadDir(folder)
	if err != nil {
		return nil, err
	}
	entries := make([]entry, 0, len(names))
	for _, n := range names {
		if hidden(n.Name()) {
			continue
		}
		e, err := m.stat(filepath.Join(folder, n.Name()))
		if errors.Is(err, fs.ErrNotExist) {
			continue // removed meanwhile, or a link to nowhere
		}
		if err != nil {
			return nil, err
		}
		e.name = n.Name()
		entries = append(entries, e)
	}
	return entries, nil
}

func (machine) join(folder, name string) string { return filepath.Join(folder, name) }
func (machine) parent(path string) string       { return filepath.Dir(path) }

func (machine) below(base, folder string) ([]string, bool) {
	rest, err := filepath.Rel(base, folder)
	if err != nil || !filepath.IsLocal(rest) {
		return nil, false
	}
	return strings.Split(rest, string(filepath.Separator)), true
}

func (machine) file(path string, e entry) File {
	return File{Path: path, Bytes: e.bytes, Modified: e.modified}
}

// bucket is the tree below a URL, from one listing of its store. A store has no folders but those that keys name.
type bucket struct {
	store   store.Store
	root    string             // its URL without a slash at its end
	folders map[string][]entry // by path
}

// openBucket lists what a URL leads to whose keys below it start with prefix: the returned path is the URL's, of a folder, or of
// a file, where the tree holds nothing else.
func openBucket(ctx context.Context, url, prefix string) (b *bucket, path string, err error) {
	shown := shownURL(url)
	s, err := store.Open(ctx, url)
	if err != nil {
		return nil, "", err
	}
	b = &bucket{s, shown, map[string][]entry{}}
	var refused error // the listing
	for o, err := range s.List(ctx, prefix) {
		if err != nil {
			refused = err
			break
		}
		b.add(o)
	}
	var unreached net.Error
	if refused == nil && len(b.folders) > 0 || prefix != "" || ctx.Err() != nil || errors.As(refused, &unreached) {
		return b, shown, cmp.Or(refused, ctx.Err())
	}
	trimmed := strings.TrimRight(url, "/")
	_, rest, _ := strings.Cut(trimmed, "://")
	folder, name := store.Split(trimmed)
	if rest != "" && !strings.Contains(rest, "/") || store.CheckKey(name) != nil {
		// a bucket, or a host
	} else if file, err := openFileAt(ctx, folder, name); err == nil {
		return file, file.join(file.root, name), nil
	} else if refused == nil && !errors.Is(err, fs.ErrNotExist) || errors.Is(refused, errors.ErrUnsupported) {
		refused = err // of the web this was the only way to ask
	}
	if refused == nil {
		refused = fmt.Errorf("path %s: there is no such file or folder (%w)", shown, fs.ErrNotExist)
	}
	return nil, "", refused
}

// openFileAt is the tree of one file in a folder of a store.
func openFileAt(ctx context.Context, folder, name string) (*bucket, error) {
	s, err := store.Open(ctx, folder)
	if err != nil {
		return nil, err
	}
	b := &bucket{s, shownURL(folder), map[string][]entry{}}
	for o, err := range s.List(ctx, name) {
		if err == nil && o.Key == name {
			b.add(o)
			return b, nil
		}
		if err == nil {
			return nil, fs.ErrNotExist // keys come in order
		}
		break
	}
	f, err := store.OpenFile(ctx, s, name) // where nothing can be listed, or this user may not
	if err != nil {
		return nil, err
	}
	defer f.Close()
	bytes, err := f.Seek(0, io.SeekEnd)
	b.add(store.Object{Key: name, Bytes: bytes})
	return b, err
}

// shownURL is a URL as messages and rows show it, and as Spark spells it.
func shownURL(url string) string {
	url = store.Redacted(strings.TrimRight(url, "/"))
	if strings.HasPrefix(url, "/") { // /Volumes/… that isn't mounted
		url = "dbfs:" + url
	}
	return url
}

func (b *bucket) add(o store.Object) {
	path := b.root
	rest := o.Key
	if b.folders[path] == nil {
		b.folders[path] = []entry{}
	}
	for {
		name, below, inFolder := strings.Cut(rest, "/")
		if !inFolder {
			b.folders[path] = append(b.folders[path], entry{name: name, bytes: o.Bytes, modified: o.Modified})
			return
		}
		folder := b.join(path, name)
		if b.folders[folder] == nil {
			b.folders[folder] = []entry{}
			b.folders[path] = append(b.folders[path], entry{name: name, folder: true})
		}
		path, rest = folder, below
	}
}

func (b *bucket) stat(path string) (entry, error) {
	if b.folders[path] != nil {
		return entry{name: path[strings.LastIndexByte(path, '/')+1:], folder: true}, nil
	}
	parent := b.parent(path)
	for _, e := range b.folders[parent] {
		if !e.folder && b.join(parent, e.name) == path {
			return e, nil
		}
	}
	return entry{}, fmt.Errorf("%s: %w", path, fs.ErrNotExist)
}

func (b *bucket) list(folder string) ([]entry, error) {
	var seen []entry
	for _, e := range b.folders[folder] {
		if !hidden(e.name) {
			seen = append(seen, e)
		}
	}
	return seen, nil
}

func (b *bucket) join(folder, name string) string { return folder + "/" + name }
func (b *bucket) parent(path string) string       { return path[:max(strings.LastIndexByte(path, '/'), 0)] }

func (b *bucket) below(base, folder string) ([]string, bool) {
	rest, ok := strings.CutPrefix(folder+"/", strings.TrimRight(base, "/")+"/")
	return strings.Split(strings.TrimRight(rest, "/"), "/"), ok
}

func (b *bucket) file(path string, e entry) File {
	return File{Path: path, Bytes: e.bytes, Modified: e.modified, store: b.store, key: strings.TrimPrefix(path, b.root+"/")}
}

// splitPattern cuts a URL before the first folder whose name is a pattern: parts are that and those below it.
func splitPattern(url string) (folder string, parts []string) {
	begin := strings.IndexByte(url, '/')
	if i := strings.Index(url, "://"); i >= 0 {
		if begin = strings.IndexByte(url[i+3:], '/'); begin < 0 {
			return url, nil
		}
		begin += i + 3
	}
	names := strings.Split(strings.Trim(url[begin:], "/"), "/")
	for i, name := range names {
		if hasGlob(name) {
			return strings.Join(append([]string{url[:begin]}, names[:i]...), "/"), names[i:]
		}
	}
	return url, nil
}
