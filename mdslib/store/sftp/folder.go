package sftp

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"time"

	"github.com/pkg/sftp"

	"gomosaic/mdslib/store"
	"gomosaic/mdslib/store/remote"
)

// folder is one on a server. It is a [remote.Writer] and a [remote.Lister].
type folder struct {
	*connector
	root string
}

func newFolder(h *host, root string) *folder { return &folder{newConnector(h), root} }

const (
	// blockBytes is read at once; the client asks for it in packets side by side.
	blockBytes = 2 << 20

	// patience is how long a failed upload may take to remove what it has left behind.
	patience = 2 * time.Second
)

func (f *folder) path(key string) string {
	return path.Join(f.root, key) // "" is the home
}

// Open implements [remote.Reader].
func (f *folder) Open(ctx context.Context, key string, wanted remote.Span, tag string) (io.ReadCloser, remote.Info, error) {
	c, err := f.acquire(ctx)
	if err != nil {
		return nil, remote.Info{}, err
	}
	r := &reader{ctx: ctx, folder: f, connection: c, at: wanted.Offset}
	var stat os.FileInfo
	err = c.do(ctx, func() error {
		var err error
		if r.file, err = c.Open(f.path(key)); err != nil {
			return err
		}
		stat, err = r.file.Stat()
		return err
	})
	if err == nil && !stat.Mode().IsRegular() {
		err = fmt.Errorf("it is no file: %w", fs.ErrNotExist)
	}
	if err != nil {
		r.err = err
		r.Close()
		return nil, remote.Info{}, err
	}
	return r, remote.Info{Bytes: stat.Size(), Tag: fmt.Sprintf("%d bytes of %d", stat.Size(), stat.ModTime().UnixNano()), Ranges: true}, nil
}

// reader reads an open file block by block.
type reader struct {
	ctx context.Context
	*folder
	*connection
	file  *sftp.File // nil if it could not be opened
	at    int64
	space []byte
	block []byte // what is left of the last one
	err   error
}

func (r *reader) Read(p []byte) (int, error) {
	if len(r.block) == 0 {
		if r.err != nil {
			return 0, r.err
		}
		if r.space == nil {
			r.space = make([]byte, blockBytes)
		}
		var n int
		r.err = r.do(r.ctx, func() error {
			var err error
			n, err = r.file.ReadAt(r.space, r.at)
			return err
		})
		if r.err != nil && r.err != io.EOF {
			return 0, r.err
		}
		r.at += int64(n)
		if r.block = r.space[:n]; n == 0 {
			return 0, r.err
		}
	}
	n := copy(p, r.block)
	r.block = r.block[n:]
	return n, nil
}

func (r *reader) Close() error {
	if r.file != nil && !errors.Is(r.err, errBroken) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(r.ctx), patience)
		defer cancel()
		if err := r.do(ctx, r.file.Close); errors.Is(err, errBroken) {
			r.err = err
		}
	}
	r.release(r.connection, r.err)
	return nil
}

// Upload implements [remote.Writer]. The file is written beside its place and renamed when it is whole.
func (f *folder) Upload(ctx context.Context, key string, body io.ReadSeeker, bytes int64) error {
	target := f.path(key)
	temp := store.TempName(target)
	err := f.use(ctx, func(c *connection) error {
		if err := create(c, temp, stopping{ctx, body}, bytes); err != nil {
			return err
		}
		return replace(c, temp, target)
	})
	if err != nil {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience)
		defer cancel()
		f.use(ctx, func(c *connection) error { return c.Remove(temp) }) // the first error is the one to report
	}
	return err
}

// create writes a new file, with the folders on the way to it, which a Delete may take away meanwhile.
func create(c *connection, name string, body io.Reader, bytes int64) (err error) {
	var file *sftp.File
	for attempt := 0; ; attempt++ {
		file, err = c.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL)
		if !errors.Is(err, fs.ErrNotExist) || attempt == 10 {
			break
		}
		if err := c.MkdirAll(path.Dir(name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	if err != nil {
		return err
	}
	n, err := file.ReadFrom(io.LimitReader(body, bytes)) // whose size tells that packets may go side by side
	if closeErr := file.Close(); err == nil {
		err = closeErr
	}
	if err == nil && n != bytes {
		err = fmt.Errorf("%d of %d bytes were written: %w", n, bytes, io.ErrShortWrite)
	}
	return err
}

// replace renames a file over another one. Servers that cannot do that at once are left without the file for a moment.
func replace(c *connection, from, to string) error {
	if _, ok := c.HasExtension("posix-rename@openssh.com"); ok {
		return c.PosixRename(from, to)
	}
	err := c.Rename(from, to)
	if err == nil {
		return nil
	}
	if removeErr := c.Remove(to); removeErr != nil {
		return err
	}
	return c.Rename(from, to)
}

// stopping is a reader that ends with its context.
type stopping struct {
	ctx context.Context
	io.Reader
}

func (s stopping) Read(p []byte) (int, error) {
	if s.ctx.Err() != nil {
		return 0, context.Cause(s.ctx)
	}
	return s.Reader.Read(p)
}

// Delete implements [remote.Writer]. Folders that become empty go too, as in an object store: only empty ones can be removed.
func (f *folder) Delete(ctx context.Context, key string) error {
	return f.use(ctx, func(c *connection) error {
		if err := c.Remove(f.path(key)); err != nil {
			return err
		}
		for folder := path.Dir(key); folder != "."; folder = path.Dir(folder) {
			if c.RemoveDirectory(f.path(folder)) != nil {
				break
			}
		}
		return nil
	})
}

// Page implements [remote.Lister].
func (f *folder) Page(ctx context.Context, prefix, token string) ([]store.Object, string, error) {
	return remote.PageOfFolders(ctx, prefix, token, func(ctx context.Context, below, _ string) ([]remote.Entry, string, error) {
		var entries []remote.Entry
		err := f.use(ctx, func(c *connection) error {
			entries = nil
			stats, err := c.ReadDirContext(ctx, f.path(below))
			for _, stat := range stats {
				name := stat.Name()
				if stat.Mode()&fs.ModeSymlink != 0 {
					if stat, err = c.Stat(path.Join(f.path(below), name)); err != nil || !stat.Mode().IsRegular() {
						err = nil // leads nowhere, or perhaps round in circles
						continue
					}
				}
				if (stat.IsDir() || stat.Mode().IsRegular()) && !store.IsTemp(name) {
					entries = append(entries, remote.Entry{Name: name, Folder: stat.IsDir(), Bytes: stat.Size(), Modified: stat.ModTime()})
				}
			}
			return err
		})
		return entries, "", err
	})
}
