package mdslib

// index.json: which shards a data set has, how they are encoded, their sizes and hashes. The shard writer and the merge
// make it, every reader starts from it. The text is exactly Python's json.dump(obj, sort_keys=True).

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
)

// IndexName is the name of a data set's index within its folder.
const IndexName = "index.json"

// formatVersion is the version of index.json and of the shards' own configuration.
const formatVersion = 2

// Index is a data set's table of shards. A parsed Index has passed the checks of [ParseIndex]; it must not be changed
// while shared.
type Index struct {
	Shards []ShardInfo
}

// NumSamples returns the number of samples in all shards.
func (x *Index) NumSamples() int {
	n := 0
	for i := range x.Shards {
		n += x.Shards[i].Samples
	}
	return n
}

// RawBytes returns the size of all shards when decompressed.
func (x *Index) RawBytes() int64 {
	var n int64
	for i := range x.Shards {
		n += x.Shards[i].RawData.Bytes
		if m := x.Shards[i].RawMeta; m != nil {
			n += m.Bytes
		}
	}
	return n
}

// StoredBytes returns the size of all shards as they lie in the folder.
func (x *Index) StoredBytes() int64 {
	var n int64
	for i := range x.Shards {
		for _, f := range x.Shards[i].Files() {
			n += f.Bytes
		}
	}
	return n
}

// CheckSafe returns an error that names the first column of encoding pkl, if there is one: readers want AllowUnsafeTypes
// for it.
func (x *Index) CheckSafe() error {
	var checked []string
	for i := range x.Shards {
		encodings := x.Shards[i].ColumnEncodings
		if len(encodings) == 0 || len(checked) == len(encodings) && &checked[0] == &encodings[0] {
			continue // the same slice as the last shard's
		}
		checked = encodings
		if at := slices.Index(encodings, "pkl"); at >= 0 {
			return fmt.Errorf("mdslib: column %q contains an unsafe type: pkl; set AllowUnsafeTypes to read it all the same", x.Shards[i].ColumnNames[at])
		}
	}
	return nil
}

// ShardInfo is one shard's entry of the index.
type ShardInfo struct {
	Format          string   // "mds", "json", "csv", "tsv" or "xsv"
	Compression     string   // as given to the writer, for example "zstd:3"; "" for none
	Hashes          []string // names of the hashes each file has
	Samples         int
	SizeLimit       int64    // bytes; 0 for none
	ColumnNames     []string // in stored order
	ColumnEncodings []string
	ColumnSizes     []int     // bytes, 0 for variable; mds only
	RawData         FileInfo  // the decompressed shard
	ZipData         *FileInfo // the compressed shard; nil without compression
	RawMeta         *FileInfo // json, csv, tsv, xsv: the offsets file; nil for mds
	ZipMeta         *FileInfo // its compressed form, if any
	Newline         string    // json, csv, tsv, xsv
	Separator       string    // xsv
}

// FileInfo is one file of a shard.
type FileInfo struct {
	Basename string            // path below the index's folder, with slashes; it never leaves the folder
	Bytes    int64             // size
	Hashes   map[string]string // name → lower-case hexadecimal digest
}

// Files returns the shard's files as they lie in the folder: the compressed ones where there are any.
func (s *ShardInfo) Files() []FileInfo {
	var files []FileInfo
	pick := func(raw, zip *FileInfo) {
		if zip != nil {
			files = append(files, *zip)
		} else if raw != nil {
			files = append(files, *raw)
		}
	}
	pick(s.RawMeta, s.ZipMeta)
	pick(&s.RawData, s.ZipData)
	return files
}

// shardPart is one of the files of a raw shard, with its compressed form if it has one.
type shardPart struct {
	raw FileInfo
	zip *FileInfo
}

// parts returns the shard's files, that of a text format's offsets first.
func (s *ShardInfo) parts() []shardPart {
	if s.RawMeta != nil {
		return []shardPart{{*s.RawMeta, s.ZipMeta}, {s.RawData, s.ZipData}}
	}
	return []shardPart{{s.RawData, s.ZipData}}
}

// Columns returns the shard's columns as the map a writer takes.
func (s *ShardInfo) Columns() Columns {
	c := make(Columns, len(s.ColumnNames))
	for i, name := range s.ColumnNames {
		c[name] = s.ColumnEncodings[i]
	}
	return c
}

// AppendJSON appends the text of index.json.
func (x *Index) AppendJSON(dst []byte) ([]byte, error) {
	dst = append(dst, `{"shards": [`...)
	for i := range x.Shards {
		if i > 0 {
			dst = append(dst, ", "...)
		}
		o, err := x.Shards[i].object()
		if err != nil {
			return nil, fmt.Errorf("mdslib: index: shard %d: %w", i, err)
		}
		if dst, err = appendPyJSON(dst, o); err != nil {
			return nil, fmt.Errorf("mdslib: index: shard %d: %w", i, err)
		}
	}
	return append(append(dst, `], "version": `...), strconv.Itoa(formatVersion)+"}"...), nil
}

// object returns the entry's members in sorted order, as each format has them.
func (s *ShardInfo) object() (Object, error) {
	o := Object{}
	add := func(name string, value any) { o = append(o, Member{name, value}) }
	if s.Format == "json" {
		columns := Object{} // of a writer in sorted order
		for i, name := range s.ColumnNames {
			columns = append(columns, Member{name, s.ColumnEncodings[i]})
		}
		add("columns", columns)
	} else {
		add("column_encodings", s.ColumnEncodings)
		add("column_names", s.ColumnNames)
	}
	if s.Format == "mds" {
		add("column_sizes", s.sizes())
	}
	add("compression", orNull(s.Compression))
	add("format", s.Format)
	add("hashes", s.Hashes)
	if s.Format != "mds" {
		add("newline", s.Newline)
	}
	add("raw_data", s.RawData.object())
	if s.Format != "mds" {
		add("raw_meta", fileObject(s.RawMeta))
	}
	add("samples", s.Samples)
	if s.Format == "xsv" {
		add("separator", s.Separator)
	}
	add("size_limit", limitOrNull(s.SizeLimit))
	add("version", formatVersion)
	add("zip_data", fileObject(s.ZipData))
	switch s.Format {
	case "mds":
	case "json", "csv", "tsv", "xsv":
		add("zip_meta", fileObject(s.ZipMeta))
	default:
		return nil, fmt.Errorf("unknown format %q", s.Format)
	}
	return o, nil
}

// config returns the text of the configuration that each shard holds, in its header or its meta file: the entry without
// what concerns this shard alone.
func (s *ShardInfo) config() ([]byte, error) {
	o, err := s.object()
	if err != nil {
		return nil, err
	}
	return appendPyJSON(nil, slices.DeleteFunc(o, func(m Member) bool { return slices.Contains(ownMembers, m.Name) }))
}

// ownMembers are what a shard's entry has beside its configuration.
var ownMembers = []string{"raw_data", "raw_meta", "samples", "zip_data", "zip_meta"}

func (s *ShardInfo) sizes() []any {
	sizes := make([]any, len(s.ColumnSizes))
	for i, n := range s.ColumnSizes {
		if n != 0 {
			sizes[i] = n
		}
	}
	return sizes
}

func orNull(s string) any {
	if s == "" {
		return nil
	}
	return s
}

func limitOrNull(n int64) any {
	if n == 0 {
		return nil
	}
	return n
}

func fileObject(f *FileInfo) any {
	if f == nil {
		return nil
	}
	return f.object()
}

func (f *FileInfo) object() Object {
	digests := Object{}
	for _, name := range slices.Sorted(maps.Keys(f.Hashes)) {
		digests = append(digests, Member{name, f.Hashes[name]})
	}
	return Object{{"basename", f.Basename}, {"bytes", f.Bytes}, {"hashes", digests}}
}
