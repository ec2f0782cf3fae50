package store

// Objects read where they lie, piece by piece.

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
)

// File is an object that is open for reading at any place: one state of it from its first byte to its last, or an error. ReadAt
// may be called side by side; Read and Seek may not. Seek tells how large it is.
type File interface {
	io.Reader
	io.ReaderAt
	io.Seeker
	io.Closer
}

// Opener is a [Store] that can read pieces of its objects; one that can't, of an object, returns an error that wraps
// errors.ErrUnsupported. ctx is that of all reads.
type Opener interface {
	OpenFile(ctx context.Context, key string) (File, error)
}

// OpenFile opens an object for reading; of a store that can't read pieces of it a temporary copy, which Close removes. Errors
// are as those of [Store]'s Get.
func OpenFile(ctx context.Context, s Store, key string) (File, error) {
	if o, ok := s.(Opener); ok {
		if f, err := o.OpenFile(ctx, key); !errors.Is(err, errors.ErrUnsupported) {
			return f, err
		}
	}
	temp, err := os.CreateTemp("", "mds-object-")
	if err != nil {
		return nil, fmt.Errorf("store: %w", err)
	}
	path := temp.Name()
	err = temp.Close()
	if err == nil {
		err = s.Get(ctx, key, path)
	}
	var f *os.File
	if err == nil {
		f, err = os.Open(path)
	}
	if err != nil {
		return nil, errors.Join(err, os.Remove(path))
	}
	return copied{f}, nil
}

// copied is a temporary copy of an object.
type copied struct{ *os.File }

func (c copied) Close() error { return errors.Join(c.File.Close(), os.Remove(c.Name())) }

// OpenFile implements [Opener].
func (l local) OpenFile(ctx context.Context, key string) (File, error) {
	path, err := l.path(key)
	if err == nil {
		err = ctx.Err()
	}
	if err != nil {
		return nil, err
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("store: %w", err)
	}
	return f, nil
}
