package worker

// The signs of a task, which lie beside the marker: that it may still write to a store, and an error for which no other try is
// worth its time. Package mdslib's conversion_signs.go says how the driver reads them.

import (
	"context"
	"crypto/rand"
	"errors"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"

	"gomosaic/mdslib"
	"gomosaic/mdslib/store"
)

// signs are those of one task. Of a job without a marker they are nil, and say nothing.
type signs struct {
	*marker
	running, failed string // keys
}

// signs are those of this process.
func (m *marker) signs() *signs {
	if m == nil {
		return nil
	}
	s := &signs{marker: m}
	s.running, s.failed = mdslib.TaskSigns(m.Marker, strings.ToLower(rand.Text()[:8]))
	return s
}

// begin says that this task may write to a store. Only then may it look whether it sees the marker.
func (s *signs) begin(ctx context.Context, job *Job) error {
	if s == nil || job.Options.Remote == "" {
		return nil
	}
	err := s.put(ctx, s.running, "")
	if errors.Is(err, fs.ErrNotExist) {
		return nil // the marker is not there either, as whoever is about to write finds out
	}
	return err
}

// end says that this task writes nothing any more.
func (s *signs) end(ctx context.Context, job *Job) {
	if s == nil || job.Options.Remote == "" {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), lookTimeout)
	defer cancel()
	_ = s.store.Delete(ctx, s.running) // else the driver waits a little longer
}

// fail leaves an error that comes again, for the driver to find, and tells whether it can.
func (s *signs) fail(ctx context.Context, err error) bool {
	return s != nil && final(err) && ctx.Err() == nil && s.put(ctx, s.failed, err.Error()) == nil
}

// put writes an object whole. A folder that is gone does not come back by it.
func (s *signs) put(ctx context.Context, key, text string) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), lookTimeout)
	defer cancel()
	root, local := store.LocalPath(s.Root)
	place := filepath.Join(root, filepath.FromSlash(key))
	if !local {
		place = filepath.Join(os.TempDir(), path.Base(key))
	}
	file := store.TempName(place)
	defer os.Remove(file)
	if err := os.WriteFile(file, []byte(text), 0o666); err != nil {
		return err
	}
	if local {
		return os.Rename(file, place)
	}
	return s.store.Put(ctx, file, key)
}
