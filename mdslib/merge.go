package mdslib

// Merging the index.json of partitions into one. The text is the reference's: top-level "version" before "shards", the
// members of each shard in the order of the source, file names extended by the partition's folder. DataFrameToMDS calls
// it after its partitions are written.

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"gomosaic/mdslib/store"
)

// MergeOptions says how indexes are merged. The zero value merges locally.
type MergeOptions struct {
	// Remote is a folder or URL that also receives the merged index.
	Remote string
	// RemoveLocal removes the merged index from the local folder once it is at Remote. (The reference's keep_local=False
	// removes the whole local folder, shards included.)
	RemoveLocal bool
}

// MergeIndex merges the index.json of every folder below root, at any depth, into root/index.json; root's own old index
// is replaced. Partitions come in the order of their paths as text (0, 1, 10, 2), as in the reference; to keep the order
// they were written in, name them with leading zeros or use [MergeIndexFiles]. A root without partitions is an error that
// wraps fs.ErrNotExist.
func MergeIndex(ctx context.Context, root string, opts MergeOptions) error {
	dir, ok := store.LocalPath(root)
	if !ok {
		return fmt.Errorf("mdslib: merge: %s is no local folder", root)
	}
	s, err := store.Open(ctx, dir)
	if err != nil {
		return fmt.Errorf("mdslib: merge: %w", err)
	}
	var keys []string
	for o, err := range s.List(ctx, "") {
		if err != nil {
			return fmt.Errorf("mdslib: merge: %w", err)
		}
		if path.Base(o.Key) == IndexName && o.Key != IndexName {
			keys = append(keys, o.Key)
		}
	}
	keys = dropMerged(keys)
	files := make([]string, len(keys))
	for i, key := range keys {
		files[i] = filepath.Join(dir, filepath.FromSlash(key))
	}
	return MergeIndexFiles(ctx, files, dir, opts)
}

// dropMerged leaves out an index that has others below it: it is itself the merge of those.
func dropMerged(keys []string) []string {
	folders := map[string]bool{} // folders with an index somewhere below
	for _, key := range keys {
		for f := path.Dir(path.Dir(key)); f != "."; f = path.Dir(f) {
			folders[f] = true
		}
	}
	return slices.DeleteFunc(keys, func(key string) bool { return folders[path.Dir(key)] })
}

// MergeIndexFiles merges the given index.json files (a folder stands for the one in it), in that order and each once,
// into out/index.json. Every partition must lie below out, so that the merged index finds its shards; the reference
// takes any and loses them. An index without shards adds none.
func MergeIndexFiles(ctx context.Context, indexes []string, out string, opts MergeOptions) error {
	if len(indexes) == 0 {
		return fmt.Errorf("mdslib: merge into %s: no partition with an %s (%w)", out, IndexName, fs.ErrNotExist)
	}
	outDir, ok := store.LocalPath(out)
	if !ok {
		return fmt.Errorf("mdslib: merge: %s is no local folder", out)
	}
	text := []byte(fmt.Sprintf(`{"version": %d, "shards": [`, formatVersion))
	var seen []string
	shards := 0
	for _, file := range indexes {
		if err := ctx.Err(); err != nil {
			return err
		}
		file, ok := store.LocalPath(strings.TrimRight(strings.TrimSpace(file), "/"))
		if !ok {
			return fmt.Errorf("mdslib: merge: %s is no local file", file)
		}
		if stat, err := os.Stat(file); err == nil && stat.IsDir() {
			file = filepath.Join(file, IndexName)
		}
		prefix, err := partitionPrefix(outDir, file)
		if err != nil {
			return err
		}
		if slices.Contains(seen, prefix) {
			continue
		}
		seen = append(seen, prefix)
		entries, err := partitionShards(file, prefix)
		if err != nil {
			return fmt.Errorf("mdslib: merge: %s: %w", file, err)
		}
		for _, entry := range entries {
			if shards > 0 {
				text = append(text, ", "...)
			}
			if text, err = appendPyJSON(text, entry); err != nil {
				return fmt.Errorf("mdslib: merge: %s: %w", file, err)
			}
			shards++
		}
	}
	return publishMerged(ctx, append(text, "]}"...), outDir, opts)
}

// partitionPrefix returns the slash path from out to the folder of a partition's index.
func partitionPrefix(out, file string) (string, error) {
	absOut, err := filepath.Abs(out)
	if err != nil {
		return "", fmt.Errorf("mdslib: merge: %w", err)
	}
	absDir, err := filepath.Abs(filepath.Dir(file))
	if err != nil {
		return "", fmt.Errorf("mdslib: merge: %w", err)
	}
	relative, err := filepath.Rel(absOut, absDir)
	if err != nil || relative == "." || !filepath.IsLocal(relative) {
		return "", fmt.Errorf("mdslib: merge: partition %s does not lie below %s: the merged index could not name its shards", file, out)
	}
	return filepath.ToSlash(relative), nil
}

// partitionShards returns the entries of a partition's index with the prefix before every basename. The index must parse
// strictly; its text is kept member by member.
func partitionShards(file, prefix string) ([]any, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	if _, err := ParseIndex(data); err != nil {
		return nil, err
	}
	scanner := jsonScanner{data: data, strings: map[string]string{}}
	parsed, err := scanner.value()
	if err != nil {
		return nil, err
	}
	shards, _ := parsed.(Object).member("shards").([]any)
	for _, shard := range shards {
		for _, name := range []string{"raw_data", "zip_data", "raw_meta", "zip_meta"} {
			if f, ok := shard.(Object).member(name).(Object); ok {
				for i := range f {
					if f[i].Name == "basename" {
						f[i].Value = path.Join(prefix, f[i].Value.(string))
					}
				}
			}
		}
	}
	return shards, nil
}

// member returns the value of the member of that name, or nil.
func (o Object) member(name string) any {
	for _, m := range o {
		if m.Name == name {
			return m.Value
		}
	}
	return nil
}

// publishMerged writes the merged index, at the remote first.
func publishMerged(ctx context.Context, text []byte, dir string, opts MergeOptions) error {
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return fmt.Errorf("mdslib: merge: %w", err)
	}
	name := filepath.Join(dir, IndexName)
	f, err := createTemp(name)
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	if err == nil && opts.Remote != "" {
		var remote store.Store
		if remote, err = store.Open(ctx, opts.Remote); err == nil {
			err = retry(ctx, 2, func() error { return remote.Put(ctx, f.Name(), IndexName) })
		}
	}
	if err != nil || opts.Remote != "" && opts.RemoveLocal {
		removeErr := errors.Join(f.Close(), os.Remove(f.Name()))
		if err = errors.Join(err, removeErr); err != nil {
			return fmt.Errorf("mdslib: merge: %w", err)
		}
		return nil
	}
	return publish(f, name)
}
