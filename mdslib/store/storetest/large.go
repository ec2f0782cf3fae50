package storetest

// Objects of more bytes than memory should hold.

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"gomosaic/mdslib/store"
)

// Large puts and gets an object of so many bytes, made from a file that is mostly a hole. It is gone afterwards.
func Large(ctx context.Context, s store.Store, bytes int64, scratch string) (err error) {
	source, got := filepath.Join(scratch, "source"), filepath.Join(scratch, "got")
	defer os.Remove(source)
	defer os.Remove(got)
	file, err := os.Create(source)
	if err != nil {
		return err
	}
	// Marks that tell each MiB from the others, at places that wander through the parts.
	mark := func(i int64) []byte { return fmt.Appendf(nil, "mark %10d", i) }
	const every = 1<<20 + 7919
	err = file.Truncate(bytes)
	for at := int64(0); at+16 < bytes && err == nil; at += every {
		_, err = file.WriteAt(mark(at), at)
	}
	if err = errors.Join(err, file.Close()); err != nil {
		return err
	}
	if err := s.Put(ctx, source, "large"); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Delete(ctx, "large")) }()
	if err := os.Remove(source); err != nil {
		return err
	}
	if err := s.Get(ctx, "large", got); err != nil {
		return err
	}
	file, err = os.Open(got)
	if err != nil {
		return err
	}
	defer file.Close()
	if stat, err := file.Stat(); err != nil || stat.Size() != bytes {
		return fmt.Errorf("got %d bytes, want %d: %w", stat.Size(), bytes, err)
	}
	buffer := make([]byte, 1<<20)
	next := int64(0) // where the next mark begins
	for at := int64(0); at < bytes; at += int64(len(buffer)) {
		piece := buffer[:min(int64(len(buffer)), bytes-at)]
		if _, err := file.ReadAt(piece, at); err != nil {
			return err
		}
		for i, b := range piece {
			want := byte(0)
			for next+16 < bytes && at+int64(i) >= next+every {
				next += every
			}
			if offset := at + int64(i) - next; next+16 < bytes && offset >= 0 && offset < 15 {
				want = mark(next)[offset]
			}
			if b != want {
				return fmt.Errorf("byte %d is %d, want %d", at+int64(i), b, want)
			}
		}
	}
	return nil
}
