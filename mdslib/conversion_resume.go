package mdslib

// Going on with a conversion that was broken off: its complete partitions stay where the plan, its sources and the options
// are the same ones.

import (
	"crypto/sha256"
	"encoding/hex"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// attemptName is a new name for the folder of an attempt: what tells its identity, and what tells it from others.
func attemptName(identity string) string {
	sum := sha256.Sum256([]byte(identity))
	return attemptPrefix + hex.EncodeToString(sum[:8]) + "-" + strconv.FormatUint(rand.Uint64(), 36)
}

// findAttempt looks for an attempt of the same identity in a folder and returns the other entries.
func (c *Conversion) findAttempt(dir, identity string, entries []fs.DirEntry) (others []fs.DirEntry) {
	sameID := attemptName(identity)
	sameID = sameID[:strings.LastIndexByte(sameID, '-')+1]
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), sameID) && e.IsDir() && !c.resumed {
			c.attempt, c.resumed = filepath.Join(dir, e.Name()), true
		} else {
			others = append(others, e)
		}
	}
	return others
}

// Finished returns the index of a partition that an attempt which was broken off left complete, or nil: it must be written.
func (c *Conversion) Finished(partition int) *Index {
	if !c.resumed {
		return nil
	}
	dir := filepath.Join(c.attempt, partitionDir(partition))
	index, err := ReadIndex(dir)
	if err == nil {
		for i := range index.Shards {
			for _, f := range index.Shards[i].Files() {
				stat, serr := os.Stat(filepath.Join(dir, f.Basename))
				if serr != nil || stat.Size() != f.Bytes {
					err = fs.ErrNotExist
				}
			}
		}
	}
	if err != nil {
		os.RemoveAll(dir) // the writer says so if that fails
		return nil
	}
	c.mu.Lock()
	c.earlier += int64(index.NumSamples())
	c.mu.Unlock()
	if c.opts.Progress != nil || c.bar != nil {
		c.report(partition, WriteProgress{Shards: len(index.Shards), Samples: int64(index.NumSamples()), RawBytes: index.RawBytes(), StoredBytes: index.StoredBytes()})
	}
	return index
}

// keepFinished removes the unfinished partitions of an attempt and counts both sorts, if the options say Resume.
func (c *Conversion) keepFinished() (kept, unfinished int, err error) {
	if !c.opts.Resume {
		return 0, 0, nil
	}
	entries, err := os.ReadDir(c.attempt)
	if err != nil {
		return 0, 0, err
	}
	for _, e := range entries {
		dir := filepath.Join(c.attempt, e.Name())
		if _, err := os.Stat(filepath.Join(dir, IndexName)); err == nil {
			kept++
			continue
		}
		unfinished++
		if err := os.RemoveAll(dir); err != nil {
			return 0, 0, err
		}
	}
	return kept, unfinished, nil
}
