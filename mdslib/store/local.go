package store

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// local is a folder of this machine.
type local struct{ root string }

func (l local) path(key string) (string, error) {
	if err := CheckKey(key); err != nil {
		return "", err
	}
	return filepath.Join(l.root, filepath.FromSlash(key)), nil
}

func (l local) Get(ctx context.Context, key, path string) error {
	from, err := l.path(key)
	if err != nil {
		return err
	}
	return copyFile(ctx, from, path)
}

func (l local) Put(ctx context.Context, path, key string) error {
	to, err := l.path(key)
	if err != nil {
		return err
	}
	if _, err := os.Stat(path); err != nil {
		return fmt.Errorf("store: %w", err)
	}
	for attempt := 0; ; attempt++ {
		if err := os.MkdirAll(filepath.Dir(to), 0o777); err != nil {
			return fmt.Errorf("store: %w", err)
		}
		err := copyFile(ctx, path, to)
		if attempt < 10 && errors.Is(err, fs.ErrNotExist) {
			continue // a Delete meanwhile took the empty folder away
		}
		return err
	}
}

// copyFile copies through a temporary file beside the destination that is renamed when whole.
func copyFile(ctx context.Context, from, to string) (err error) {
	if err := ctx.Err(); err != nil {
		return err
	}
	in, err := os.Open(from)
	if err != nil {
		return fmt.Errorf("store: %w", err)
	}
	defer in.Close()
	if stat, err := in.Stat(); err != nil {
		return fmt.Errorf("store: %w", err)
	} else if stat.IsDir() {
		return fmt.Errorf("store: %s is a folder", from)
	}
	temp := TempName(to)
	out, err := os.OpenFile(temp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
	if err != nil {
		return fmt.Errorf("store: %w", err)
	}
	defer func() {
		if err != nil {
			os.Remove(temp)
		}
	}()
	err = copyPieces(ctx, out, in)
	if closeErr := out.Close(); err == nil {
		err = closeErr
	}
	if err == nil {
		err = os.Rename(temp, to)
	}
	if err != nil {
		return fmt.Errorf("store: copy %s to %s: %w", from, to, err)
	}
	return nil
}

// copyPieces copies in pieces that the kernel moves by itself where it can (io.Copy between files), looking at the
// context in between.
func copyPieces(ctx context.Context, out, in *os.File) error {
	const piece = 16 << 20
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		if _, err := io.CopyN(out, in, piece); err == io.EOF {
			return nil
		} else if err != nil {
			return err
		}
	}
}

func (l local) List(ctx context.Context, prefix string) iter.Seq2[Object, error] {
	return func(yield func(Object, error) bool) {
		objects, err := l.list(ctx, prefix)
		if err != nil {
			yield(Object{}, fmt.Errorf("store: list %s: %w", l.root, err))
			return
		}
		for _, o := range objects {
			if !yield(o, nil) {
				return
			}
		}
	}
}

func (l local) list(ctx context.Context, prefix string) ([]Object, error) {
	var objects []Object
	err := filepath.WalkDir(l.root, func(path string, entry fs.DirEntry, err error) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		if errors.Is(err, fs.ErrNotExist) {
			return nil // the root, or a file deleted meanwhile
		}
		if err != nil {
			return err
		}
		relative, err := filepath.Rel(l.root, path)
		if err != nil {
			return err
		}
		key := filepath.ToSlash(relative)
		if entry.IsDir() {
			if folder := key + "/"; key != "." && !strings.HasPrefix(folder, prefix) && !strings.HasPrefix(prefix, folder) {
				return fs.SkipDir
			}
			return nil
		}
		if key == "." || !strings.HasPrefix(key, prefix) || IsTemp(entry.Name()) {
			return nil
		}
		stat, err := os.Stat(path) // follows links to files
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil {
			return err
		}
		if stat.Mode().IsRegular() {
			objects = append(objects, Object{Key: key, Bytes: stat.Size(), Modified: stat.ModTime()})
		}
		return nil
	})
	slices.SortFunc(objects, func(a, b Object) int { return strings.Compare(a.Key, b.Key) })
	return objects, err
}

func (l local) Delete(ctx context.Context, key string) error {
	path, err := l.path(key)
	if err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("store: %w", err)
	}
	// An object store has no folders, so none is left behind: a leftover one would stand in the way of an object of its name.
	for folder := filepath.Dir(path); folder != filepath.Clean(l.root); folder = filepath.Dir(folder) {
		if os.Remove(folder) != nil {
			break
		}
	}
	return nil
}
