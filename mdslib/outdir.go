package mdslib

// The folder a data set is written to: made, checked and cleared before the first shard.

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"gomosaic/mdslib/store"
)

// isDatasetFile tells whether a file of a data set, finished or not, has such a name.
func isDatasetFile(name string) bool {
	return isFinishedFile(name) || store.IsTemp(name) || isSignName(name)
}

// isFinishedFile accepts index.json, shard.00012.mds, shard.00012.csv.meta.zstd and their like. It is no regular
// expression, because package regexp would be linked into every cell.
func isFinishedFile(name string) bool {
	if name == IndexName {
		return true
	}
	parts := strings.Split(name, ".")
	if len(parts) < 3 || parts[0] != "shard" || !isNumber(parts[1]) {
		return false
	}
	switch parts[2] {
	case "mds", "json", "csv", "tsv", "xsv":
	default:
		return false
	}
	parts = parts[3:]
	if len(parts) > 0 && parts[0] == "meta" {
		parts = parts[1:]
	}
	if len(parts) == 1 {
		_, compressed := algorithms[parts[0]]
		return compressed
	}
	return len(parts) == 0
}

// isNumber tells whether text is a shard's or a partition's number: five digits or more.
func isNumber(text string) bool {
	return len(text) >= 5 && strings.Trim(text, "0123456789") == ""
}

// prepareOut makes dir an empty folder. One that holds something is an error that wraps fs.ErrExist, unless existOK is
// set and all it holds, sub-folders included, are files of data sets: these are removed, index.json first. Where the
// reference would remove whatever lies there, a foreign file is an error and nothing is touched.
func prepareOut(dir string, existOK bool) error {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) || err == nil && len(entries) == 0 {
		if err := os.MkdirAll(dir, 0o777); err != nil {
			return fmt.Errorf("mdslib: %w", err)
		}
		return nil
	}
	if err != nil {
		return fmt.Errorf("mdslib: %w", err)
	}
	if !existOK {
		return fmt.Errorf("mdslib: out folder %s is not empty (%w): choose another or set ExistOK to replace the data set in it", dir, fs.ErrExist)
	}
	err = filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() && (!entry.Type().IsRegular() || !isDatasetFile(entry.Name())) {
			return fmt.Errorf("out folder %s holds %s, which is no part of a data set, so nothing was removed (%w)", dir, path, fs.ErrExist)
		}
		return err
	})
	if err == nil {
		if err = os.Remove(filepath.Join(dir, IndexName)); errors.Is(err, fs.ErrNotExist) {
			err = nil
		}
	}
	for _, entry := range entries {
		if err == nil {
			err = os.RemoveAll(filepath.Join(dir, entry.Name()))
		}
	}
	if err != nil {
		return fmt.Errorf("mdslib: %w", err)
	}
	return nil
}

// openWritable opens a remote to write a data set to; one that can only be read is refused before anything is written.
func openWritable(ctx context.Context, url string) (store.Store, error) {
	remote, err := store.Open(ctx, url)
	if err != nil {
		return nil, fmt.Errorf("mdslib: %w", err)
	}
	if store.ReadOnly(remote) {
		return nil, fmt.Errorf("mdslib: %s can only be read (%w): write to another store", store.Redacted(url), errors.ErrUnsupported)
	}
	return remote, nil
}

// prepareRemote makes sure that no data set lies at the root of a remote: one that does is an error that wraps
// fs.ErrExist, or with existOK its files are deleted, index.json first. Other objects are left alone.
func prepareRemote(ctx context.Context, remote store.Store, url string, existOK bool) error {
	var keys []string
	for o, err := range remote.List(ctx, "") {
		if err != nil {
			return fmt.Errorf("mdslib: %w", err)
		}
		if isFinishedFile(o.Key) { // a key with a slash is a partition's, not the root's
			keys = append(keys, o.Key)
		}
	}
	if len(keys) == 0 {
		return nil
	}
	if !existOK {
		return fmt.Errorf("mdslib: remote %s holds a data set already (%w): choose another or set ExistOK to replace it", store.Redacted(url), fs.ErrExist)
	}
	for _, key := range keys { // in key order: index.json comes first
		if err := remote.Delete(ctx, key); err != nil {
			return fmt.Errorf("mdslib: %w", err)
		}
	}
	return nil
}
