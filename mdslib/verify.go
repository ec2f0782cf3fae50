package mdslib

// Verify: everything index.json promises, checked against the files.

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"sync"

	"golang.org/x/sync/errgroup"
)

// Problem is one thing [Verify] found wrong.
type Problem struct {
	Shard    int    // number in the index
	Basename string // raw file name in the index
	Sample   int    // position in the shard, -1 if the whole shard is meant
	Err      error
}

func (p Problem) Error() string {
	if p.Sample >= 0 {
		return fmt.Sprintf("shard %d (%s): sample %d: %v", p.Shard, p.Basename, p.Sample, p.Err)
	}
	return fmt.Sprintf("shard %d (%s): %v", p.Shard, p.Basename, p.Err)
}

func (p Problem) Unwrap() error { return p.Err }

// VerifyOptions says how [Verify] reports what it does. The zero value doesn't.
type VerifyOptions struct {
	// Progress is called with the number of shards that were read, from one goroutine at a time. It must be quick.
	Progress func(shards int)
}

// VerifyReport is what [Verify] read and found.
type VerifyReport struct {
	Shards   int       // in the index
	Samples  int64     // decoded
	Bytes    int64     // of raw shards read
	Problems []Problem // in the order of shards and samples; none if the data set is sound
}

// Err returns all problems as one error, or nil.
func (r *VerifyReport) Err() error {
	errs := make([]error, len(r.Problems))
	for i, p := range r.Problems {
		errs[i] = p
	}
	return errors.Join(errs...)
}

// mostProblems bounds the samples reported of one shard.
const mostProblems = 100

// Verify re-reads the data set in a local folder on all cores: sizes and all hashes of every file, the contents of
// compressed ones, each shard's header and offsets, and every sample and value (a pickle up to the first name in it that is no
// plain data), also of a shard whose hash is another one, as far as it can be read. What is wrong with the data is in the report; the error is for an index that cannot be read, or the context's.
func Verify(ctx context.Context, dir string, opts VerifyOptions) (*VerifyReport, error) {
	index, err := ReadIndex(filepath.Join(dir, IndexName))
	if err != nil {
		return nil, err
	}
	results := make([]shardResult, len(index.Shards))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(runtime.GOMAXPROCS(0))
	var mu sync.Mutex
	done := 0
	for i := range index.Shards {
		group.Go(func() error {
			results[i].verify(ctx, dir, i, &index.Shards[i])
			mu.Lock()
			defer mu.Unlock()
			if done++; opts.Progress != nil {
				opts.Progress(done)
			}
			return ctx.Err()
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	report := &VerifyReport{Shards: len(index.Shards)}
	for _, r := range results {
		report.Samples += r.samples
		report.Bytes += r.bytes
		report.Problems = append(report.Problems, r.problems...)
	}
	return report, nil
}

type shardResult struct {
	samples, bytes int64
	problems       []Problem
}

func (r *shardResult) verify(ctx context.Context, dir string, number int, info *ShardInfo) {
	found := func(sample int, err error) {
		r.problems = append(r.problems, Problem{number, info.RawData.Basename, sample, err})
	}
	for _, part := range info.parts() {
		if err := verifyPart(ctx, dir, info.Compression, part); err != nil {
			found(-1, err)
		}
	}
	d := Dataset{dir: dir}
	s, err := d.openNow(info)
	if err != nil {
		if len(r.problems) == 0 { // else it is what was found already
			found(-1, err)
		}
		return
	}
	defer s.Close()
	r.bytes = s.Bytes()
	if err := guard(s.checkOffsets); err != nil {
		found(-1, err)
	}
	var raw []byte
	for i := range s.Len() {
		if ctx.Err() != nil {
			return
		}
		if len(r.problems) >= mostProblems {
			found(-1, fmt.Errorf("so many of its samples are damaged that the last %d were not looked at", s.Len()-i))
			return
		}
		if raw, err = s.AppendRaw(raw[:0], i); err == nil {
			err = s.verifySample(raw)
		}
		if err != nil {
			found(i, withoutPlace(err))
			continue
		}
		r.samples++
	}
}

// verifyPart compares the files of one part of a shard, raw and compressed, with the index; one of the two may be missing.
func verifyPart(ctx context.Context, dir, compression string, part shardPart) error {
	stored := false
	for _, f := range []*FileInfo{&part.raw, part.zip} {
		if f == nil {
			continue
		}
		err := VerifyFile(ctx, filepath.Join(dir, filepath.FromSlash(f.Basename)), *f)
		if errors.Is(err, fs.ErrNotExist) && part.zip != nil {
			continue
		}
		if err != nil {
			return err
		}
		stored = true
	}
	if !stored {
		return fmt.Errorf("neither its raw nor its compressed file is there (%w)", fs.ErrNotExist)
	}
	if part.zip == nil {
		return nil
	}
	return verifyContents(ctx, dir, compression, part)
}

// verifyContents compares what a compressed file holds with the raw hashes of the index.
func verifyContents(ctx context.Context, dir, compression string, part shardPart) error {
	f, err := os.Open(filepath.Join(dir, filepath.FromSlash(part.zip.Basename)))
	if errors.Is(err, fs.ErrNotExist) {
		return nil // the raw file is there instead
	}
	if err != nil {
		return err
	}
	defer f.Close()
	codec, err := parseCompression(compression)
	if err != nil {
		return err
	}
	d := newDigests(nil)
	for algo := range part.raw.Hashes {
		if hashes[algo] != nil {
			d[algo] = hashes[algo]()
		}
	}
	if err := decompressTo(ctx, d, f, codec, part.raw.Bytes); err != nil {
		return fmt.Errorf("decompress %s: %w", part.zip.Basename, err)
	}
	for algo, got := range d.hex() {
		if want := part.raw.Hashes[algo]; got != want {
			return fmt.Errorf("%w: %s of the contents of %s is %s, the index says %s", ErrChecksum, algo, part.zip.Basename, got, want)
		}
	}
	return nil
}

// verifySample decodes every value.
func (s *Shard) verifySample(raw []byte) error {
	fields, err := s.schema.fields(nil, raw)
	if err != nil {
		return err
	}
	for i, field := range fields {
		e := s.schema.encodings[i]
		var err error
		if e.Name() == "pkl" {
			err = verifyPickle(field)
		} else {
			_, err = e.Decode(field)
		}
		if err != nil {
			return &SampleError{Sample: -1, Column: s.schema.names[i], Err: err}
		}
	}
	return nil
}

// withoutPlace leaves of an error about a sample what a Problem does not say itself.
func withoutPlace(err error) error {
	e, ok := err.(*SampleError)
	switch {
	case !ok:
		return err
	case e.Column != "":
		return fmt.Errorf("column %q: %w", e.Column, e.Err)
	}
	return e.Err
}
