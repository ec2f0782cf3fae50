package mdslib

// Merging the index.json of partitions into one, locally or at a remote. The text is the reference's: top-level "version"
// before "shards", the members of each shard in the order of the source, file names extended by the partition's folder.
// DataFrameToMDS calls it after its partitions are written.

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"

	"golang.org/x/sync/errgroup"

	"gomosaic/mdslib/store"
)

// MergeOptions says how indexes are merged. The zero value merges where the partitions are.
type MergeOptions struct {
	// Remote is a folder or URL that also receives the merged index. Partitions that are not in the local folder are read
	// from there.
	Remote string
	// RemoveLocal removes the merged index from the local folder once it is at Remote. (The reference's keep_local=False
	// removes the whole local folder, shards included.)
	RemoveLocal bool
}

// MergeIndex merges the index.json of every folder below root, at any depth, into root/index.json; root's own old index
// is replaced. What a conversion that was killed left (_attempt-…) is passed by. root is a local folder or a URL. Partitions come in the order of their paths as text (0, 1, 10, 2), as in the
// reference; to keep the order they were written in, name them with leading zeros or use [MergeIndexFiles]. A root without
// partitions is an error that wraps fs.ErrNotExist.
func MergeIndex(ctx context.Context, root string, opts MergeOptions) error {
	m, err := newMerger(ctx, root, opts)
	if err != nil {
		return err
	}
	var keys []string
	if m.dir != "" {
		if keys, err = localIndexes(ctx, m.dir); err != nil {
			return fmt.Errorf("mdslib: merge: %w", err)
		}
	}
	if m.remote != nil {
		for o, err := range m.remote.List(ctx, "") {
			if err != nil {
				return fmt.Errorf("mdslib: merge: %w", err)
			}
			if path.Base(o.Key) == IndexName && o.Key != IndexName && !strings.Contains("/"+o.Key, "/"+attemptPrefix) {
				keys = append(keys, o.Key)
			}
		}
	}
	slices.Sort(keys)
	return m.merge(ctx, dropMerged(slices.Compact(keys)))
}

// localIndexes lists the indexes below a folder, which may be missing. It reads the folders side by side and looks at no
// file: a data set has few indexes among many shards.
func localIndexes(ctx context.Context, root string) ([]string, error) {
	var mu sync.Mutex
	var keys []string
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(2 * runtime.GOMAXPROCS(0))
	var walk func(folder string) error
	walk = func(folder string) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		entries, err := os.ReadDir(filepath.Join(root, filepath.FromSlash(folder)))
		if errors.Is(err, fs.ErrNotExist) {
			return nil // the root, or a folder deleted meanwhile
		}
		if err != nil {
			return err
		}
		for _, entry := range entries {
			key := path.Join(folder, entry.Name())
			switch {
			case entry.IsDir() && !strings.HasPrefix(entry.Name(), attemptPrefix):
				if !group.TryGo(func() error { return walk(key) }) {
					if err := walk(key); err != nil {
						return err
					}
				}
			case entry.Name() == IndexName && !entry.IsDir() && folder != "":
				mu.Lock()
				keys = append(keys, key)
				mu.Unlock()
			}
		}
		return nil
	}
	group.Go(func() error { return walk("") })
	err := group.Wait()
	return keys, err
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
// into out/index.json; all are local, or all URLs. Every partition must lie below out, so that the merged index finds its
// shards; the reference takes any and loses them. An index without shards adds none.
func MergeIndexFiles(ctx context.Context, indexes []string, out string, opts MergeOptions) error {
	m, err := newMerger(ctx, out, opts)
	if err != nil {
		return err
	}
	var keys []string
	seen := map[string]bool{}
	for _, index := range indexes {
		key, err := m.key(strings.TrimRight(strings.TrimSpace(index), "/"))
		if err != nil {
			return err
		}
		if !seen[key] {
			seen[key], keys = true, append(keys, key)
		}
	}
	return m.merge(ctx, keys)
}

// merger is one merge at work.
type merger struct {
	out    string      // as given
	dir    string      // out as a local folder; "" for a URL
	remote store.Store // out as a URL, or the options' Remote; nil for none
	opts   MergeOptions
}

func newMerger(ctx context.Context, out string, opts MergeOptions) (*merger, error) {
	m := &merger{out: out, opts: opts}
	dir, local := store.LocalPath(out)
	var err error
	if local {
		m.dir = dir
	} else if opts.Remote != "" {
		return nil, fmt.Errorf("mdslib: merge: with Remote %s set, %s must be a local folder", store.Redacted(opts.Remote), store.Redacted(out))
	} else {
		m.remote, err = store.Open(ctx, out)
	}
	if err == nil && opts.Remote != "" {
		m.remote, err = store.Open(ctx, opts.Remote)
	}
	if err != nil {
		return nil, fmt.Errorf("mdslib: merge: %w", err)
	}
	return m, nil
}

// key returns the path below out of a partition's index.
func (m *merger) key(index string) (string, error) {
	if m.dir == "" {
		key, ok := strings.CutPrefix(index, strings.TrimRight(m.out, "/")+"/")
		if path.Base(key) != IndexName {
			key = path.Join(key, IndexName)
		}
		if !ok || key == IndexName || store.CheckKey(key) != nil {
			return "", notBelow(index, m.out)
		}
		return key, nil
	}
	file, ok := store.LocalPath(index)
	if !ok {
		return "", fmt.Errorf("mdslib: merge: %s is no local file", store.Redacted(index))
	}
	if stat, err := os.Stat(file); err == nil && stat.IsDir() || err != nil && filepath.Base(file) != IndexName {
		file = filepath.Join(file, IndexName)
	}
	absOut, err := filepath.Abs(m.dir)
	if err != nil {
		return "", fmt.Errorf("mdslib: merge: %w", err)
	}
	absFile, err := filepath.Abs(file)
	if err != nil {
		return "", fmt.Errorf("mdslib: merge: %w", err)
	}
	relative, err := filepath.Rel(absOut, absFile)
	if err != nil || relative == IndexName || !filepath.IsLocal(relative) {
		return "", notBelow(file, m.out)
	}
	return filepath.ToSlash(relative), nil
}

func notBelow(index, out string) error {
	return fmt.Errorf("mdslib: merge: partition %s does not lie below %s: the merged index could not name its shards", store.Redacted(index), store.Redacted(out))
}

// merge reads the partitions side by side and publishes their shards in the order of the keys.
func (m *merger) merge(ctx context.Context, keys []string) error {
	if len(keys) == 0 {
		return fmt.Errorf("mdslib: merge into %s: no partition with an %s (%w)", store.Redacted(m.out), IndexName, fs.ErrNotExist)
	}
	texts := make([][]byte, len(keys))
	group, groupCtx := errgroup.WithContext(ctx)
	side := 2 * runtime.GOMAXPROCS(0)
	if m.remote != nil {
		side = max(32, side) // remote ones mostly wait
	}
	group.SetLimit(side)
	for i, key := range keys {
		group.Go(func() error {
			data, err := m.read(groupCtx, key)
			if err == nil {
				texts[i], err = partitionShards(data, path.Dir(key))
			}
			if err != nil {
				return fmt.Errorf("mdslib: merge: %s: %w", store.Redacted(store.Join(m.out, key)), err)
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return err
	}
	text := fmt.Appendf(nil, `{"version": %d, "shards": [`, formatVersion)
	first := true
	for _, shards := range texts {
		if len(shards) == 0 {
			continue
		}
		if !first {
			text = append(text, ", "...)
		}
		text, first = append(text, shards...), false
	}
	return m.publish(ctx, append(text, "]}"...))
}

// read returns the text of a partition's index, from the local folder if it is there.
func (m *merger) read(ctx context.Context, key string) ([]byte, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if m.dir != "" {
		data, err := os.ReadFile(filepath.Join(m.dir, filepath.FromSlash(key)))
		if m.remote == nil || !errors.Is(err, fs.ErrNotExist) {
			return data, err
		}
	}
	temp, err := os.CreateTemp("", "mds-index-")
	if err != nil {
		return nil, err
	}
	temp.Close()
	defer os.Remove(temp.Name())
	if err := retry(ctx, 2, func() error { return m.remote.Get(ctx, key, temp.Name()) }); err != nil {
		return nil, err
	}
	return os.ReadFile(temp.Name())
}

// partitionShards returns the text of the entries of a partition's index with the prefix before every basename. The index
// must parse strictly; its text is kept member by member.
func partitionShards(data []byte, prefix string) ([]byte, error) {
	var spans indexSpans
	if _, err := parseIndex(data, &spans); err != nil {
		return nil, err
	}
	if !asDumped(data) || !plainText(prefix) {
		return rewrittenShards(data, prefix)
	}
	text := make([]byte, 0, len(data)+len(spans.basenames)*(len(prefix)+1))
	names := spans.basenames
	for i, shard := range spans.shards {
		if i > 0 {
			text = append(text, ", "...)
		}
		at := shard.from
		for ; len(names) > 0 && names[0].from < shard.to; names = names[1:] {
			text = append(text, data[at:names[0].from]...)
			text = append(text, path.Join(prefix, string(data[names[0].from:names[0].to]))...)
			at = names[0].to
		}
		text = append(text, data[at:shard.to]...)
	}
	return text, nil
}

// asDumped reports whether JSON text is spaced as json.dumps does and its strings are plain, so that pieces of it can be
// copied: every index that the reference or this package writes for names in ASCII.
func asDumped(data []byte) bool {
	inText := false
	for i, c := range data {
		switch {
		case c == '"':
			inText = !inText
		case inText:
			if !plainByte(c) {
				return false
			}
		case c == ',' || c == ':':
			if i+1 == len(data) || data[i+1] != ' ' {
				return false
			}
		case c == ' ':
			if i == 0 || data[i-1] != ',' && data[i-1] != ':' {
				return false
			}
		case c < ' ':
			return false
		}
	}
	return true
}

// plainByte reports whether json.dumps writes a byte of a text as it is.
func plainByte(c byte) bool { return c >= ' ' && c < 0x7f && c != '"' && c != '\\' }

func plainText(s string) bool {
	for i := range len(s) {
		if !plainByte(s[i]) {
			return false
		}
	}
	return true
}

// rewrittenShards is partitionShards for text of any form.
func rewrittenShards(data []byte, prefix string) ([]byte, error) {
	scanner := jsonScanner{data: data, strings: map[string]string{}}
	parsed, err := scanner.value()
	if err != nil {
		return nil, err
	}
	shards, _ := parsed.(Object).member("shards").([]any)
	text := make([]byte, 0, len(data)+len(shards)*(len(prefix)+1))
	for i, shard := range shards {
		for _, name := range []string{"raw_data", "zip_data", "raw_meta", "zip_meta"} {
			if f, ok := shard.(Object).member(name).(Object); ok {
				for i := range f {
					if f[i].Name == "basename" {
						f[i].Value = path.Join(prefix, f[i].Value.(string))
					}
				}
			}
		}
		if i > 0 {
			text = append(text, ", "...)
		}
		if text, err = appendPyJSON(text, shard); err != nil {
			return nil, err
		}
	}
	return text, nil
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

// publish writes the merged index, at the remote first.
func (m *merger) publish(ctx context.Context, text []byte) error {
	dir := m.dir
	if dir == "" {
		var err error
		if dir, err = os.MkdirTemp("", "mds-index-"); err != nil {
			return fmt.Errorf("mdslib: merge: %w", err)
		}
		defer os.RemoveAll(dir)
	} else if err := os.MkdirAll(dir, 0o777); err != nil {
		return fmt.Errorf("mdslib: merge: %w", err)
	}
	name := filepath.Join(dir, IndexName)
	f, err := createTemp(name)
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	if err == nil && m.remote != nil {
		err = retry(ctx, 2, func() error { return m.remote.Put(ctx, f.Name(), IndexName) })
	}
	if err != nil || m.dir == "" || m.remote != nil && m.opts.RemoveLocal {
		if err = errors.Join(err, f.Close(), os.Remove(f.Name())); err != nil {
			return fmt.Errorf("mdslib: merge: %w", err)
		}
		return nil
	}
	return publish(f, name)
}
