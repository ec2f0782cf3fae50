package mdslib

// The hashes index.json may hold: mosaicml-streaming's list (hashlib and xxhash), hexadecimal, xxhash in its canonical
// big-endian form with seed 0.

import (
	"context"
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha3"
	"crypto/sha512"
	"encoding/hex"
	"fmt"
	"hash"
	"io"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/cespare/xxhash/v2"
	"github.com/zeebo/xxh3"
	"golang.org/x/crypto/blake2b"
	"golang.org/x/crypto/blake2s"
)

var hashes = map[string]func() hash.Hash{
	"blake2b":  func() hash.Hash { h, _ := blake2b.New512(nil); return h }, // no key: no error
	"blake2s":  func() hash.Hash { h, _ := blake2s.New256(nil); return h },
	"md5":      md5.New,
	"sha1":     sha1.New,
	"sha224":   sha256.New224,
	"sha256":   sha256.New,
	"sha384":   sha512.New384,
	"sha512":   sha512.New,
	"sha3_224": func() hash.Hash { return sha3.New224() },
	"sha3_256": func() hash.Hash { return sha3.New256() },
	"sha3_384": func() hash.Hash { return sha3.New384() },
	"sha3_512": func() hash.Hash { return sha3.New512() },
	"xxh32":    func() hash.Hash { return newXXH32() },
	"xxh64":    func() hash.Hash { return xxhash.New() },
	"xxh128":   func() hash.Hash { return xxh3.New128() },
	"xxh3_64":  func() hash.Hash { return xxh3.New() },
	"xxh3_128": func() hash.Hash { return xxh3.New128() },
}

// HashNames returns the names MDSOptions.Hashes may hold, sorted.
func HashNames() []string { return slices.Sorted(maps.Keys(hashes)) }

// checkHashes applies the reference's rule: known names in sorted order.
func checkHashes(names []string) error {
	for _, name := range names {
		if hashes[name] == nil {
			return fmt.Errorf("mdslib: unknown hash %q: want some of %s", name, strings.Join(HashNames(), ", "))
		}
	}
	if !slices.IsSorted(names) {
		return fmt.Errorf("mdslib: hashes %q must be in sorted order", names)
	}
	return nil
}

// digests is a set of running hashes.
type digests map[string]hash.Hash

func newDigests(names []string) digests {
	d := make(digests, len(names))
	for _, name := range names {
		d[name] = hashes[name]()
	}
	return d
}

// Write adds p to every hash.
func (d digests) Write(p []byte) (int, error) {
	for _, h := range d {
		h.Write(p)
	}
	return len(p), nil
}

// hex returns the digests as index.json holds them.
func (d digests) hex() map[string]string {
	out := make(map[string]string, len(d))
	for name, h := range d {
		out[name] = hex.EncodeToString(h.Sum(nil))
	}
	return out
}

// VerifyFile compares a file with its entry in the index: its size and the hashes named by algos, or all the entry has
// when none is named. A difference is an error that wraps [ErrChecksum]; a hash the entry or this package lacks is an
// error too.
func VerifyFile(ctx context.Context, path string, info FileInfo, algos ...string) error {
	if len(algos) == 0 {
		algos = slices.Sorted(maps.Keys(info.Hashes))
	}
	for _, algo := range algos {
		if hashes[algo] == nil {
			return fmt.Errorf("mdslib: %s: unknown hash %q", info.Basename, algo)
		}
		if _, ok := info.Hashes[algo]; !ok {
			return fmt.Errorf("mdslib: %s: the index has no %s of this file, only %q", info.Basename, algo, slices.Sorted(maps.Keys(info.Hashes)))
		}
	}
	f, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("mdslib: %w", err)
	}
	defer f.Close()
	stat, err := f.Stat()
	if err != nil {
		return fmt.Errorf("mdslib: %w", err)
	}
	if stat.Size() != info.Bytes {
		return fmt.Errorf("mdslib: %s: %w: %d bytes, the index says %d", path, ErrChecksum, stat.Size(), info.Bytes)
	}
	if len(algos) == 0 {
		return nil
	}
	d := newDigests(algos)
	if _, err := io.Copy(d, &contextReader{ctx, f}); err != nil {
		return fmt.Errorf("mdslib: %s: %w", path, err)
	}
	sums := d.hex()
	for _, algo := range algos { // the same one in every run
		if got, want := sums[algo], strings.ToLower(info.Hashes[algo]); got != want {
			return fmt.Errorf("mdslib: %s: %w: %s is %s, the index says %s", path, ErrChecksum, algo, got, want)
		}
	}
	return nil
}

// contextReader ends with the context's error once that is done.
type contextReader struct {
	ctx context.Context
	r   io.Reader
}

func (c *contextReader) Read(p []byte) (int, error) {
	if err := c.ctx.Err(); err != nil {
		return 0, err
	}
	return c.r.Read(p)
}
