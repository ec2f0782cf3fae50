package streamlib

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"sync"
	"time"

	"gomosaic/mdslib"
	"gomosaic/mdslib/store"
)

// source is a stream at work: where its files come from and where they lie on this machine.
type source struct {
	Stream
	number int // among the streams
	index  *mdslib.Index

	remote store.Store // nil: all there is lies in from or dir
	from   string      // local folder whose files are used where they lie and never written; "" for none
	dir    string      // folder that files are brought to

	locks struct {
		sync.Mutex
		file *lockFile // opened when the first file is written to dir
	}
}

// The locks of a source's folder: one for its index and the accounting of space, one for who brings a shard, one for
// the room that a shard on its way has been given.
const (
	folderLock  = 0
	shardLock   = 1       // plus the shard's number
	reserveLock = 1 << 32 // likewise
)

// lockName passes for a temporary file, so that whoever clears or lists the folder takes it for no data.
const lockName = ".streamlib.tmp-lock"

// openSource finds out where a stream's files lie and reads its index, from the remote where there is one.
func openSource(ctx context.Context, number int, stream Stream) (*source, error) {
	s := &source{Stream: stream, number: number}
	err := s.open(ctx)
	if err == nil {
		err = s.checkHash()
	}
	if err != nil {
		s.close()
		return nil, fmt.Errorf("streamlib: stream %d (%s): %w", number, s.name(), err)
	}
	return s, nil
}

// name is how errors call the stream.
func (s *source) name() string {
	if s.Remote != "" {
		return store.Redacted(store.Join(s.Remote, s.Split))
	}
	return filepath.Join(s.Local, s.Split)
}

func (s *source) open(ctx context.Context) (err error) {
	if s.Split != "" {
		if err := store.CheckKey(s.Split); err != nil {
			return err
		}
	}
	local := ""
	if s.Local != "" {
		local = filepath.Join(s.Local, filepath.FromSlash(s.Split))
	}
	remote, remoteIsLocal := store.LocalPath(s.Remote)
	if s.Remote != "" && remoteIsLocal {
		remote = filepath.Join(remote, filepath.FromSlash(s.Split))
	}
	switch {
	case s.Remote == "" || remoteIsLocal && samePath(remote, local):
		s.dir = local
		if s.index, err = mdslib.ReadIndex(filepath.Join(local, mdslib.IndexName)); err != nil {
			return err
		}
		if s.mustWrite() && !writable(s.dir) {
			s.from = s.dir
			s.dir, err = userCache(local)
		}
		return err
	case remoteIsLocal && local == "":
		s.from = remote
		if s.index, err = mdslib.ReadIndex(filepath.Join(remote, mdslib.IndexName)); err != nil {
			return err
		}
		if s.dir, err = userCache(remote); err != nil || !s.mustWrite() {
			return err
		}
		// Decompressed files of another data set that lay there before must go.
		data, err := os.ReadFile(filepath.Join(remote, mdslib.IndexName))
		if err != nil {
			return err
		}
		return s.adopt(ctx, data)
	}
	if s.dir = local; local == "" {
		if s.dir, err = userCache(store.Join(s.Remote, s.Split)); err != nil {
			return err
		}
	}
	if s.remote, err = store.Open(ctx, store.Join(s.Remote, s.Split)); err != nil {
		return err
	}
	return s.fetchIndex(ctx)
}

// checkHash refuses a hash to validate with that the index does not have.
func (s *source) checkHash() error {
	if s.ValidateHash == "" || s.ValidateHash == "none" {
		return nil
	}
	for i := range s.index.Shards {
		for _, f := range s.index.Shards[i].Files() {
			if _, ok := f.Hashes[s.ValidateHash]; !ok {
				return fmt.Errorf("ValidateHash %q: %s has only the hashes %q", s.ValidateHash, f.Basename, slices.Sorted(maps.Keys(f.Hashes)))
			}
		}
	}
	return nil
}

// mustWrite tells whether some shard is there in compressed form only.
func (s *source) mustWrite() bool {
	dir := first(s.from, s.dir)
	for i := range s.index.Shards {
		info := &s.index.Shards[i]
		if info.ZipData == nil {
			continue
		}
		if _, err := os.Stat(filepath.Join(dir, filepath.FromSlash(info.RawData.Basename))); err != nil {
			return true
		}
	}
	return false
}

func writable(dir string) bool {
	file, err := os.OpenFile(filepath.Join(dir, lockName), os.O_RDWR|os.O_CREATE, 0o666)
	if err != nil {
		return false
	}
	file.Close()
	return true
}

func samePath(a, b string) bool {
	if b == "" {
		return false
	}
	if x, err := os.Stat(a); err == nil {
		if y, err := os.Stat(b); err == nil {
			return os.SameFile(x, y)
		}
	}
	x, errX := filepath.Abs(a)
	y, errY := filepath.Abs(b)
	return errX == nil && errY == nil && x == y
}

// userCache is a folder of the user's cache for the shards of a place that has no folder of its own here.
func userCache(place string) (string, error) {
	if store.Scheme(place) == "" {
		abs, err := filepath.Abs(place)
		if err != nil {
			return "", err
		}
		place = abs
	}
	place = store.Redacted(place) // the same for everybody, and with a new signature
	root, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("no folder for shards: give Local: %w", err)
	}
	sum := sha256.Sum256([]byte(place))
	return filepath.Join(root, "gomosaic", "streams", hex.EncodeToString(sum[:16])), nil
}

// fetchIndex gets the remote's index. One that was got before is used only while the remote cannot be reached.
func (s *source) fetchIndex(ctx context.Context) error {
	if err := os.MkdirAll(s.dir, 0o777); err != nil {
		return err
	}
	temp, err := os.CreateTemp(s.dir, "."+mdslib.IndexName+".tmp-*")
	if err != nil {
		return err
	}
	temp.Close()
	defer os.Remove(temp.Name())
	if err := s.download(ctx, mdslib.IndexName, temp.Name()); err != nil {
		own := filepath.Join(s.dir, mdslib.IndexName)
		if _, statErr := os.Stat(own); statErr != nil || errors.Is(err, fs.ErrNotExist) || ctx.Err() != nil {
			return err
		}
		if s.index, err = mdslib.ReadIndex(own); err != nil {
			return err
		}
		return nil
	}
	data, err := os.ReadFile(temp.Name())
	if err != nil {
		return err
	}
	if s.index, err = mdslib.ParseIndex(data); err != nil {
		return err
	}
	return s.adopt(ctx, data)
}

// adopt makes dir the cache of the data set with this index: what lies there of another one is removed.
func (s *source) adopt(ctx context.Context, data []byte) error {
	if err := os.MkdirAll(s.dir, 0o777); err != nil {
		return err
	}
	own := filepath.Join(s.dir, mdslib.IndexName)
	same := func() bool {
		have, err := os.ReadFile(own)
		return err == nil && bytes.Equal(have, data)
	}
	if same() {
		return nil
	}
	locks, err := s.lockFile()
	if err != nil {
		return err
	}
	if err := locks.lock(ctx, folderLock); err != nil {
		return err
	}
	defer locks.unlock(folderLock)
	if same() {
		return nil
	}
	if err := s.removeForeign(own); err != nil {
		return err
	}
	s.removeLeftovers()
	temp, err := os.CreateTemp(s.dir, "."+mdslib.IndexName+".tmp-*")
	if err != nil {
		return err
	}
	defer os.Remove(temp.Name())
	_, err = temp.Write(data)
	err = errors.Join(err, temp.Chmod(0o644), temp.Close())
	if err == nil {
		err = os.Rename(temp.Name(), own)
	}
	return err
}

// removeForeign removes the shard files that the old index names and the new one does not describe alike, and files of
// the new one's names of which nothing is known.
func (s *source) removeForeign(own string) error {
	known := map[string]mdslib.FileInfo{}
	if old, err := mdslib.ReadIndex(own); err == nil {
		for i := range old.Shards {
			for _, f := range shardFiles(&old.Shards[i]) {
				known[f.Basename] = f
			}
		}
	} else if errors.Is(err, fs.ErrNotExist) {
		return nil // a folder of shards that was not ours yet: each file is checked when it is used
	}
	for i := range s.index.Shards {
		for _, f := range shardFiles(&s.index.Shards[i]) {
			if old, ok := known[f.Basename]; ok && len(f.Hashes) > 0 && reflect.DeepEqual(old, f) {
				delete(known, f.Basename)
			}
		}
	}
	for name := range known {
		if err := os.Remove(filepath.Join(s.dir, filepath.FromSlash(name))); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

// removeLeftovers removes temporary files of processes that died long ago.
func (s *source) removeLeftovers() {
	entries, err := os.ReadDir(s.dir)
	if err != nil {
		return // tidiness only
	}
	for _, e := range entries {
		name := e.Name()
		if !store.IsTemp(name) || name == lockName {
			continue
		}
		if info, err := e.Info(); err == nil && time.Since(info.ModTime()) > 24*time.Hour {
			os.Remove(filepath.Join(s.dir, name))
		}
	}
}

// shardFiles are all files a shard may have, raw and compressed.
func shardFiles(info *mdslib.ShardInfo) []mdslib.FileInfo {
	files := []mdslib.FileInfo{info.RawData}
	for _, f := range []*mdslib.FileInfo{info.ZipData, info.RawMeta, info.ZipMeta} {
		if f != nil {
			files = append(files, *f)
		}
	}
	return files
}

// lockFile opens the lock file of dir, which is made if need be.
func (s *source) lockFile() (*lockFile, error) {
	s.locks.Lock()
	defer s.locks.Unlock()
	if s.locks.file == nil {
		if err := os.MkdirAll(s.dir, 0o777); err != nil {
			return nil, err
		}
		file, err := openLockFile(filepath.Join(s.dir, lockName))
		if err != nil {
			return nil, err
		}
		s.locks.file = file
	}
	return s.locks.file, nil
}

func (s *source) close() error {
	s.locks.Lock()
	defer s.locks.Unlock()
	if s.locks.file == nil {
		return nil
	}
	file := s.locks.file
	s.locks.file = nil
	return file.close()
}
