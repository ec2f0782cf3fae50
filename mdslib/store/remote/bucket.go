package remote

// A service as a store.

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"slices"
	"strings"

	"gomosaic/mdslib/store"
)

// Options say where the root of a store lies in its service, and what the service cannot do.
type Options struct {
	Root        string          // the store's URL as errors name it; credentials in it are taken out
	Prefix      string          // stands before every key, "" or ending in a slash
	Credentials func() string   // which credentials are used, or which ways of finding some were tried; nil if the service takes none
	Secrets     func() []string // texts that must not appear in errors; nil for none

	MaxParts     int  // of one object; 0 means 10,000
	PartsInOrder bool // parts come one after the other
	PartsAlone   bool // parts belong to no upload that the service could forget: 404 is about the store
	Unsorted     bool // Page does not return keys in byte order
	Policy       Policy
}

// New returns the store of a service. What the service is no [Writer] or no [Lister] for, is refused by an error that wraps
// errors.ErrUnsupported.
func New(service Reader, o Options) store.Store {
	o.Policy = o.Policy.withDefaults()
	if o.MaxParts == 0 {
		o.MaxParts = 10_000
	}
	if o.Secrets == nil {
		o.Secrets = func() []string { return nil }
	}
	o.Root, _, _ = strings.Cut(strings.TrimRight(o.Root, "/"), "?")
	return &bucket{service, o}
}

// bucket is a [store.Store] of a service.
type bucket struct {
	service Reader
	Options
}

// SplitBucket cuts scheme://bucket/prefix into the bucket and the prefix, with a slash at its end unless it is "".
func SplitBucket(url string) (bucket, prefix string, err error) {
	_, rest, _ := strings.Cut(url, "://")
	bucket, prefix, _ = strings.Cut(rest, "/")
	if bucket == "" {
		return "", "", fmt.Errorf("store: %s: there is no bucket in the URL, which is %s://bucket/folder", url, store.Scheme(url))
	}
	return bucket, FolderPrefix(prefix), nil
}

// FolderPrefix is what stands before the keys in a folder of a bucket: its path with a slash at the end, "" for the root.
func FolderPrefix(path string) string {
	if path = strings.Trim(path, "/"); path != "" {
		path += "/"
	}
	return path
}

// name is what errors call an object, or with no key the store.
func (s *bucket) name(key string) string {
	if key == "" {
		return s.Root
	}
	return s.Root + "/" + key
}

var errReadOnly = fmt.Errorf("this store can only be read: %w", errors.ErrUnsupported)

// ReadOnly tells [store.ReadOnly] whether the service takes no objects.
func (s *bucket) ReadOnly() bool {
	_, ok := s.service.(Writer)
	return !ok
}

// List implements [store.Store].
func (s *bucket) List(ctx context.Context, prefix string) iter.Seq2[store.Object, error] {
	return func(yield func(store.Object, error) bool) {
		lister, ok := s.service.(Lister)
		if !ok {
			yield(store.Object{}, s.fail("", fmt.Errorf("this store cannot be listed: %w", errors.ErrUnsupported)))
			return
		}
		var kept []store.Object // of an unsorted listing
		for token, more := "", true; more; more = token != "" {
			page, next, err := s.page(ctx, lister, s.Prefix+prefix, token)
			if errors.Is(err, fs.ErrNotExist) && token == "" {
				err = nil // a root that does not exist has no objects
			}
			if err != nil {
				yield(store.Object{}, s.fail(prefix, fmt.Errorf("list: %w", err)))
				return
			}
			token = next
			for _, o := range page {
				o.Key = strings.TrimPrefix(o.Key, s.Prefix)
				if store.CheckKey(o.Key) != nil || !strings.HasPrefix(o.Key, prefix) {
					continue // a marker of a folder, or a name that no key of ours can have
				}
				if s.Unsorted {
					kept = append(kept, o)
				} else if !yield(o, nil) {
					return
				}
			}
		}
		slices.SortFunc(kept, func(a, b store.Object) int { return strings.Compare(a.Key, b.Key) })
		for _, o := range kept {
			if !yield(o, nil) {
				return
			}
		}
	}
}

func (s *bucket) page(ctx context.Context, lister Lister, prefix, token string) (page []store.Object, next string, err error) {
	if ctx.Err() != nil {
		return nil, "", contextError(ctx)
	}
	err = s.Policy.do(ctx, func(ctx context.Context, _ func()) error {
		var err error
		page, next, err = lister.Page(ctx, prefix, token)
		return err
	})
	return page, next, err
}

// writer is the service, for a change of key's object.
func (s *bucket) writer(ctx context.Context, key string) (Writer, error) {
	if err := store.CheckKey(key); err != nil {
		return nil, err
	}
	writer, ok := s.service.(Writer)
	if !ok {
		return nil, s.fail(key, errReadOnly)
	}
	if ctx.Err() != nil {
		return nil, s.fail(key, contextError(ctx))
	}
	return writer, nil
}

// Delete implements [store.Store].
func (s *bucket) Delete(ctx context.Context, key string) error {
	writer, err := s.writer(ctx, key)
	if err != nil {
		return err
	}
	err = s.Policy.do(ctx, func(ctx context.Context, _ func()) error { return writer.Delete(ctx, s.Prefix+key) })
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return s.fail(key, fmt.Errorf("delete: %w", err))
	}
	return nil
}

// moving reports the bytes that pass.
type moving struct {
	io.Reader
	moved func()
}

func (m moving) Read(p []byte) (int, error) {
	n, err := m.Reader.Read(p)
	if n > 0 {
		m.moved()
	}
	return n, err
}

// movingFile is [moving] for a piece of a file, which libraries seek in.
type movingFile struct {
	*io.SectionReader
	moved func()
}

func (m movingFile) Read(p []byte) (int, error) {
	n, err := m.SectionReader.Read(p)
	if n > 0 {
		m.moved()
	}
	return n, err
}

func (m movingFile) ReadAt(p []byte, offset int64) (int, error) {
	n, err := m.SectionReader.ReadAt(p, offset)
	if n > 0 {
		m.moved()
	}
	return n, err
}
