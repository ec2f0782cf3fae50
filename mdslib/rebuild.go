package mdslib

// RebuildIndex: an index.json that was lost, made anew from the shards' own headers; and what a writer that died left, for
// the one that goes on.

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sync/errgroup"
)

// RebuildOptions says how strict [RebuildIndex] is.
type RebuildOptions struct {
	// SkipDamaged leaves out shards that are damaged or missing between others; without it they are an error.
	SkipDamaged bool
}

// RebuildIndex writes the index.json of a local folder anew, from the headers of the shards in it and below it; the folders
// come in the order of their names, the shards in that of their numbers. Sizes and hashes are computed from the files, on
// all cores. Every damaged shard and every gap in the numbers is named by the error, and nothing is written then. A shard
// that is missing at the end of a folder cannot be noticed: nothing in the others tells of it.
func RebuildIndex(ctx context.Context, dir string, opts RebuildOptions) (*Index, error) {
	found, err := findShards(dir)
	if err != nil {
		return nil, err
	}
	if len(found) == 0 {
		return nil, fmt.Errorf("mdslib: rebuild: no shards in %s (%w)", dir, fs.ErrNotExist)
	}
	var errs []error
	next := map[string]int{}
	for _, s := range found {
		for ; next[s.folder] < s.number; next[s.folder]++ {
			errs = append(errs, fmt.Errorf("mdslib: rebuild: shard %d of %s is missing: its number comes before %s", next[s.folder], filepath.Join(dir, s.folder), s.name()))
		}
		next[s.folder]++
	}
	infos, problems := rebuildShards(ctx, dir, found)
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	index := &Index{Shards: []ShardInfo{}}
	for i, problem := range problems {
		if problem != nil {
			errs = append(errs, fmt.Errorf("mdslib: rebuild: %s: %w", filepath.Join(dir, found[i].folder, found[i].name()), problem))
			continue
		}
		index.Shards = append(index.Shards, *infos[i])
	}
	if len(errs) > 0 && !opts.SkipDamaged || len(index.Shards) == 0 {
		return nil, errors.Join(errs...)
	}
	text, err := index.AppendJSON(nil)
	if err != nil {
		return nil, err
	}
	return index, writeFile(filepath.Join(dir, IndexName), text)
}

// foundShard is the files of one shard in a folder.
type foundShard struct {
	folder string // below the root, with slashes; "" for the root
	number int
	format string
	files  []string // names
}

func (s *foundShard) name() string { return fmt.Sprintf("shard.%05d.%s", s.number, s.format) }

// findShards lists the shards of a folder and of those below it.
func findShards(dir string) ([]*foundShard, error) {
	all := map[string]*foundShard{}
	err := filepath.WalkDir(dir, func(file string, entry fs.DirEntry, err error) error {
		name := entry.Name()
		if err != nil {
			return err
		}
		if entry.IsDir() {
			if file != dir && strings.HasPrefix(name, "_") || strings.HasPrefix(name, ".") && file != dir {
				return fs.SkipDir // attempts that were broken off
			}
			return nil
		}
		if name == IndexName || !isFinishedFile(name) || !entry.Type().IsRegular() {
			return nil
		}
		parts := strings.SplitN(name, ".", 4)
		number, err := strconv.Atoi(parts[1])
		if err != nil {
			return fmt.Errorf("shard %s: %w", name, err)
		}
		folder, err := filepath.Rel(dir, filepath.Dir(file))
		if err != nil {
			return err
		}
		if folder = filepath.ToSlash(folder); folder == "." {
			folder = ""
		}
		key := path.Join(folder, strings.Join(parts[:3], "."))
		if all[key] == nil {
			all[key] = &foundShard{folder: folder, number: number, format: parts[2]}
		}
		all[key].files = append(all[key].files, name)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("mdslib: %w", err)
	}
	found := make([]*foundShard, 0, len(all))
	for _, s := range all {
		found = append(found, s)
	}
	slices.SortFunc(found, func(a, b *foundShard) int {
		return cmp.Or(strings.Compare(a.folder, b.folder), cmp.Compare(a.number, b.number), strings.Compare(a.format, b.format))
	})
	return found, nil
}

// rebuildShards makes the entries of the shards, or says what is wrong with each.
func rebuildShards(ctx context.Context, dir string, found []*foundShard) (infos []*ShardInfo, problems []error) {
	infos, problems = make([]*ShardInfo, len(found)), make([]error, len(found))
	var group errgroup.Group
	group.SetLimit(runtime.GOMAXPROCS(0))
	for i, s := range found {
		group.Go(func() error {
			infos[i], problems[i] = s.rebuild(ctx, dir)
			return nil
		})
	}
	group.Wait() // its functions return nothing
	return infos, problems
}

// rebuild makes the shard's entry from its files.
func (s *foundShard) rebuild(ctx context.Context, dir string) (*ShardInfo, error) {
	head := s.name()
	if s.format != "mds" {
		head += metaSuffix
	}
	headZip, headCodec, err := s.stored(head)
	if err != nil {
		return nil, err
	}
	n, last, info, err := readHeadOf(ctx, filepath.Join(dir, filepath.FromSlash(s.folder), cmp.Or(headZip, head)), headCodec)
	if err != nil {
		return nil, err
	}
	if info.Format != s.format {
		return nil, fmt.Errorf("%w: its header says format %s", ErrFormat, info.Format)
	}
	codec, err := parseCompression(info.Compression)
	if err != nil {
		return nil, err
	}
	if headZip == "" {
		info.Compression = "" // what lies there is decompressed
	} else if codec.name != headCodec.name {
		return nil, fmt.Errorf("%w: its header says compression %q", ErrFormat, info.Compression)
	}
	info.Samples = n
	if info.RawData, info.ZipData, err = s.fileInfos(ctx, dir, s.name(), codec, info.Hashes); err != nil {
		return nil, err
	}
	if info.RawData.Bytes != last {
		return nil, fmt.Errorf("%w: %d bytes, its header says %d", ErrChecksum, info.RawData.Bytes, last)
	}
	if s.format != "mds" {
		meta, zip, err := s.fileInfos(ctx, dir, head, codec, info.Hashes)
		if err != nil {
			return nil, err
		}
		info.RawMeta, info.ZipMeta = &meta, zip
	}
	if headZip != "" && info.ZipData == nil || headZip == "" && info.ZipData != nil {
		return nil, fmt.Errorf("%w: one of its files is compressed, the other is not", ErrFormat)
	}
	d := Dataset{dir: dir}
	shard, err := d.openNow(info) // what the index promises holds
	if err != nil {
		return nil, err
	}
	defer shard.Close()
	return info, guard(shard.checkOffsets)
}

// stored tells in which form a file of the shard is there: the name of the compressed one with its codec, or "".
func (s *foundShard) stored(raw string) (zip string, codec compression, err error) {
	for _, name := range s.files {
		if extension, ok := strings.CutPrefix(name, raw+"."); ok && extension != "meta" && !strings.Contains(extension, ".") {
			codec, err := parseCompression(extension)
			return name, codec, err
		}
	}
	if !slices.Contains(s.files, raw) {
		return "", codec, fmt.Errorf("its file %s is not there (%w)", raw, fs.ErrNotExist)
	}
	return "", codec, nil
}

// fileInfos measures and hashes one of the shard's files and what it holds.
func (s *foundShard) fileInfos(ctx context.Context, dir, base string, codec compression, algos []string) (raw FileInfo, zip *FileInfo, err error) {
	name, stored, err := s.stored(base)
	if err != nil {
		return raw, nil, err
	}
	for _, algo := range algos {
		if hashes[algo] == nil {
			return raw, nil, fmt.Errorf("unknown hash %q", algo)
		}
	}
	measure := func(name string, codec compression) (FileInfo, error) {
		f, err := os.Open(filepath.Join(dir, filepath.FromSlash(s.folder), name))
		if err != nil {
			return FileInfo{}, err
		}
		defer f.Close()
		d := newDigests(algos)
		var size counter
		err = decompressTo(ctx, io.MultiWriter(d, &size), f, codec, -1)
		return FileInfo{Bytes: size.n, Hashes: d.hex()}, err
	}
	if name != "" {
		packed, err := measure(name, compression{})
		if err != nil {
			return raw, nil, err
		}
		packed.Basename = path.Join(s.folder, name)
		zip = &packed
	} else {
		name = base
	}
	raw, err = measure(name, stored)
	raw.Basename = path.Join(s.folder, base)
	return raw, zip, err
}

// readHeadOf reads the number of samples, the end of the last one and the configuration from an mds shard or a meta file.
func readHeadOf(ctx context.Context, file string, codec compression) (samples int, last int64, info *ShardInfo, err error) {
	f, err := os.Open(file)
	if err != nil {
		return 0, 0, nil, err
	}
	defer f.Close()
	r, err := codec.decompressor(&contextReader{ctx, f}, -1)
	if err != nil {
		return 0, 0, nil, err
	}
	defer r.Close()
	meta := strings.Contains(filepath.Base(file), metaSuffix)
	count := make([]byte, shardCountBytes)
	if _, err := io.ReadFull(r, count); err != nil {
		return 0, 0, nil, fmt.Errorf("%w: it ends within its header: %w", ErrFormat, err)
	}
	n := int64(getUint32(count))
	offsets := make([]byte, 2*shardOffsetBytes) // the first and the last: the others are not kept, whatever the count says
	_, err = io.ReadFull(r, offsets[:shardOffsetBytes])
	if err == nil && n > 1 {
		_, err = io.CopyN(io.Discard, r, shardOffsetBytes*(n-1))
	}
	if err == nil && n > 0 {
		_, err = io.ReadFull(r, offsets[shardOffsetBytes:])
	}
	if err != nil {
		return 0, 0, nil, fmt.Errorf("%w: it ends within the offsets of its %d samples (%v)", ErrFormat, n, err)
	}
	first, end := int64(getUint32(offsets)), int64(getUint32(offsets[shardOffsetBytes:]))
	if n == 0 {
		end = first
	}
	configBytes := int64(mostConfigBytes)
	if !meta {
		configBytes = first - headBytes(int(n), 0)
	}
	if configBytes < 0 || configBytes > mostConfigBytes {
		return 0, 0, nil, fmt.Errorf("%w: a configuration of %d bytes", ErrFormat, configBytes)
	}
	config, err := io.ReadAll(io.LimitReader(r, configBytes))
	if err != nil {
		return 0, 0, nil, fmt.Errorf("%w: %w", ErrFormat, err)
	}
	if info, err = parseConfig(config); err != nil {
		return 0, 0, nil, fmt.Errorf("%w header: %w", ErrFormat, err)
	}
	return int(n), end, info, nil
}
