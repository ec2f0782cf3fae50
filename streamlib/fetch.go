package streamlib

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"time"

	"gomosaic/mdslib"
)

// fetch makes the raw files of shard i complete and sound on this machine and has them opened, by the folder that they
// lie in, before another goroutine or process may evict them again. Only one goroutine at a time may fetch the same shard;
// other processes are kept out by a lock.
//
// A file that is there but damaged is made anew once, from its compressed form or from the remote, if there is either.
func (s *source) fetch(ctx context.Context, i int, space *space, open func(dir string) error) error {
	info := &s.index.Shards[i]
	// ready opens the shard if its files are sound; again means that they have to be made.
	ready := func(dir string) (again bool, err error) {
		if err = s.whole(ctx, dir, info); err == nil {
			err = open(dir) // it may be evicted right here
		}
		return err != nil && s.replaceable(i, err), err
	}
	if s.from != "" {
		if again, err := ready(s.from); !again {
			return err
		}
	}
	if again, err := ready(s.dir); !again {
		return err
	}
	locks, err := s.lockFile()
	if err != nil {
		return err
	}
	if err := locks.lock(ctx, shardLock+i); err != nil {
		return err
	}
	defer locks.unlock(shardLock + i)
	again, err := ready(s.dir)
	if !again { // another process was faster
		return err
	}
	if errors.Is(err, mdslib.ErrFormat) { // nothing but its contents tells that it is damaged
		if err := s.removeShard(i); err != nil {
			return err
		}
	}
	release, err := space.reserve(ctx, s, i)
	if err != nil {
		return err
	}
	defer release()
	for _, part := range shardParts(info) {
		if err := s.makeRaw(ctx, info.Compression, part); err != nil {
			return err
		}
	}
	return open(s.dir)
}

// part is one of the files of a raw shard, with its compressed form if it has one.
type part struct {
	raw mdslib.FileInfo
	zip *mdslib.FileInfo
}

// shardParts lists the parts, the offsets of a split format before its data.
func shardParts(info *mdslib.ShardInfo) []part {
	parts := []part{{info.RawData, info.ZipData}}
	if info.RawMeta != nil {
		parts = slices.Insert(parts, 0, part{*info.RawMeta, info.ZipMeta})
	}
	return parts
}

// whole returns nil if all raw files of a shard lie in dir as the index describes them.
func (s *source) whole(ctx context.Context, dir string, info *mdslib.ShardInfo) error {
	for _, p := range shardParts(info) {
		if err := s.verify(ctx, dir, p.raw); err != nil {
			return err
		}
	}
	return nil
}

// verify compares a file with its size and hash in the index.
func (s *source) verify(ctx context.Context, dir string, file mdslib.FileInfo) error {
	path := pathOf(dir, file)
	algo := s.ValidateHash
	switch algo {
	case "":
		for _, fast := range fastHashes {
			if _, ok := file.Hashes[fast]; ok {
				algo = fast
				break
			}
		}
		if algo != "" {
			break
		}
		fallthrough
	case "none":
		// VerifyFile without a hash named takes them all; of this copy there are none, so it compares sizes.
		return mdslib.VerifyFile(ctx, path, mdslib.FileInfo{Basename: file.Basename, Bytes: file.Bytes})
	}
	return mdslib.VerifyFile(ctx, path, file, algo)
}

// fastHashes are the index's hashes in the order in which one is chosen, fastest first.
var fastHashes = [...]string{"xxh3_64", "xxh3_128", "xxh128", "xxh64", "xxh32", "sha1", "md5", "sha256", "sha224", "blake2b", "sha512", "sha384",
	"blake2s", "sha3_224", "sha3_256", "sha3_384", "sha3_512"}

// replaceable tells whether a missing or damaged raw file of shard i can be made again.
func (s *source) replaceable(i int, err error) bool {
	if !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, mdslib.ErrChecksum) && !errors.Is(err, mdslib.ErrFormat) {
		return false
	}
	return s.remote != nil || s.index.Shards[i].ZipData != nil
}

// makeRaw makes one raw file in dir, by decompressing or by downloading.
func (s *source) makeRaw(ctx context.Context, compression string, p part) error {
	if s.verify(ctx, s.dir, p.raw) == nil {
		return nil
	}
	raw := pathOf(s.dir, p.raw)
	if err := os.MkdirAll(filepath.Dir(raw), 0o777); err != nil {
		return err
	}
	if p.zip == nil {
		return s.bring(ctx, p.raw)
	}
	dir := s.dir
	if s.from != "" {
		dir = s.from
	}
	zip := pathOf(dir, *p.zip)
	if err := s.verify(ctx, dir, *p.zip); err != nil {
		if s.remote == nil {
			if errors.Is(err, fs.ErrNotExist) {
				return fmt.Errorf("neither %s nor %s is in %s, and there is no remote: %w", p.raw.Basename, p.zip.Basename, dir, err)
			}
			return err
		}
		if err := s.bring(ctx, *p.zip); err != nil {
			return err
		}
	}
	if err := mdslib.Decompress(ctx, raw, zip, compression, p.raw.Bytes); err != nil {
		return err
	}
	if len(p.zip.Hashes) == 0 {
		// Without hashes of the compressed file its damage may show in the raw one only.
		if err := s.verify(ctx, s.dir, p.raw); err != nil {
			return err
		}
	}
	if s.remote != nil && !s.KeepZip {
		return os.Remove(zip)
	}
	return nil
}

// bring downloads a file of the remote to dir, and once more if what arrives is damaged.
func (s *source) bring(ctx context.Context, file mdslib.FileInfo) error {
	if s.remote == nil {
		return fmt.Errorf("%s is not in %s, and there is no remote", file.Basename, s.dir)
	}
	path := pathOf(s.dir, file)
	for attempt := range 2 {
		if err := s.download(ctx, file.Basename, path); err != nil {
			return err
		}
		err := s.verify(ctx, s.dir, file)
		if err == nil {
			return nil
		}
		os.Remove(path) // it must not be taken for the file by anyone
		if attempt > 0 || !errors.Is(err, mdslib.ErrChecksum) {
			return fmt.Errorf("downloaded twice from %s: %w", s.name(), err)
		}
	}
	return nil
}

// download gets a file of the remote, in as many attempts as the stream allows. A file that does not exist is not asked
// for twice.
func (s *source) download(ctx context.Context, key, path string) error {
	for attempt := 1; ; attempt++ {
		err := s.downloadOnce(ctx, key, path)
		if err == nil {
			return nil
		}
		if errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission) || ctx.Err() != nil || attempt >= s.DownloadRetry {
			return fmt.Errorf("download %s, attempt %d: %w", key, attempt, err)
		}
		// As the reference: 1, 2, 4 … seconds and up to half a second more, so that ranks do not return together.
		pause := time.Second<<(attempt-1) + rand.N(500*time.Millisecond)
		select {
		case <-ctx.Done():
			return fmt.Errorf("download %s, attempt %d: %w", key, attempt, errors.Join(err, context.Cause(ctx)))
		case <-time.After(pause):
		}
	}
}

func (s *source) downloadOnce(ctx context.Context, key, path string) error {
	limit := time.Duration(s.DownloadTimeoutSeconds * float64(time.Second))
	ctx, cancel := context.WithTimeoutCause(ctx, limit, fmt.Errorf("timed out after %g s (DownloadTimeoutSeconds)", s.DownloadTimeoutSeconds))
	defer cancel()
	err := s.remote.Get(ctx, key, path)
	if err != nil && ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}

func pathOf(dir string, file mdslib.FileInfo) string {
	return filepath.Join(dir, filepath.FromSlash(file.Basename))
}
