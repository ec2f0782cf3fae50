package mdslib

// Reading index.json strictly: what the reference would choke on later (a missing member, another version, a file
// outside the folder) is an error here that names the shard and the member.

import (
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// ReadIndex reads the index.json of a folder, or the index file itself if path names one. An index that is not there is
// an error that wraps fs.ErrNotExist.
func ReadIndex(path string) (*Index, error) {
	if stat, err := os.Stat(path); err == nil && stat.IsDir() {
		path = filepath.Join(path, IndexName)
	}
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("mdslib: no data set there, or it was not finished: %w", err)
	}
	if err != nil {
		return nil, fmt.Errorf("mdslib: %w", err)
	}
	x, err := ParseIndex(data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return x, nil
}

// ParseIndex parses the text of an index.json. Both versions in it must be 2, members must be those of their format, and
// no file may lie outside the index's folder; errors wrap [ErrFormat].
func ParseIndex(data []byte) (*Index, error) { return parseIndex(data, nil) }

func parseIndex(data []byte, spans *indexSpans) (*Index, error) {
	p := indexParser{s: jsonScanner{data: data, strings: map[string]string{}}, spans: spans}
	x, err := p.index()
	if err != nil {
		return nil, fmt.Errorf("mdslib: %w index: %w", ErrFormat, err)
	}
	return x, nil
}

type indexParser struct {
	s     jsonScanner // keeps strings: an index of 100,000 shards repeats its names
	last  ShardInfo   // its slices are shared by the shards that are alike
	seen  []string    // names of the members of the objects being read, innermost last
	texts []string    // scratch
	sizes []int       // scratch
	spans *indexSpans // filled if not nil
}

// indexSpans says where in its text an index has what merging takes from it.
type indexSpans struct {
	shards    []span
	basenames []span // without their quotes
}

type span struct{ from, to int }

// members reads an object whose members must be known and unrepeated; each returns false for an unknown name.
func (p *indexParser) members(each func(name string) (known bool, err error)) error {
	outer := len(p.seen)
	defer func() { p.seen = p.seen[:outer] }()
	return p.s.object(func(name string) error {
		if slices.Contains(p.seen[outer:], name) {
			return p.s.errorf("member %q twice", name)
		}
		p.seen = append(p.seen, name)
		known, err := each(name)
		if err != nil {
			return fmt.Errorf("member %q: %w", name, err)
		}
		if !known {
			return p.s.errorf("unknown member %q", name)
		}
		return nil
	})
}

func (p *indexParser) index() (*Index, error) {
	x := &Index{Shards: []ShardInfo{}}
	var hasShards, hasVersion bool
	err := p.members(func(name string) (bool, error) {
		switch name {
		case "version":
			hasVersion = true
			return true, p.version()
		case "shards":
			hasShards = true
			return true, p.s.array(func() error {
				p.s.space()
				from := p.s.pos
				info, err := p.shard()
				if p.spans != nil {
					p.spans.shards = append(p.spans.shards, span{from, p.s.pos})
				}
				if err != nil {
					return fmt.Errorf("shard %d: %w", len(x.Shards), err)
				}
				x.Shards = append(x.Shards, info)
				return nil
			})
		}
		return false, nil
	})
	if err != nil {
		return nil, err
	}
	if !hasVersion || !hasShards {
		return nil, errors.New(`want the members "shards" and "version"`)
	}
	return x, p.s.end()
}

func (p *indexParser) version() error {
	n, err := p.s.whole(math.MaxInt32)
	if err == nil && n != formatVersion {
		err = fmt.Errorf("version %d, only %d is known", n, formatVersion)
	}
	return err
}

// shardMembers reads the members of a shard's entry, or of its configuration, and returns their names.
func (p *indexParser) shardMembers(info *ShardInfo) (has []string, err error) {
	has = make([]string, 0, 14)
	err = p.members(func(name string) (known bool, err error) {
		known = true
		has = append(has, name)
		switch name {
		case "column_encodings":
			info.ColumnEncodings, err = p.textList(p.last.ColumnEncodings)
		case "column_names":
			info.ColumnNames, err = p.textList(p.last.ColumnNames)
		case "column_sizes":
			info.ColumnSizes, err = p.sizeList(p.last.ColumnSizes)
		case "columns":
			err = p.s.object(func(column string) error {
				encoding, err := p.text()
				info.ColumnNames = append(info.ColumnNames, column)
				info.ColumnEncodings = append(info.ColumnEncodings, encoding)
				return err
			})
		case "compression":
			if !p.s.word("null") {
				if info.Compression, err = p.text(); err == nil {
					_, err = parseCompression(info.Compression)
				}
			}
		case "format":
			info.Format, err = p.text()
		case "hashes":
			info.Hashes, err = p.textList(p.last.Hashes)
		case "newline":
			info.Newline, err = p.text()
		case "separator":
			info.Separator, err = p.text()
		case "raw_data":
			if p.s.word("null") {
				err = errors.New("want a file, got null")
			} else {
				err = p.file(&info.RawData)
			}
		case "raw_meta":
			info.RawMeta, err = p.fileOrNull()
		case "zip_data":
			info.ZipData, err = p.fileOrNull()
		case "zip_meta":
			info.ZipMeta, err = p.fileOrNull()
		case "samples":
			var n int64
			n, err = p.s.whole(maxOffset)
			info.Samples = int(n)
		case "size_limit":
			if !p.s.word("null") {
				info.SizeLimit, err = p.s.whole(math.MaxInt64)
			}
		case "version":
			err = p.version()
		default:
			known = false
		}
		return known, err
	})
	return has, err
}

func (p *indexParser) shard() (ShardInfo, error) {
	var info ShardInfo
	has, err := p.shardMembers(&info)
	if err == nil {
		err = info.check(has)
	}
	p.last = info
	return info, err
}

// members a format's entry must have.
var (
	mdsMembers = []string{"column_encodings", "column_names", "column_sizes", "compression", "format", "hashes", "raw_data",
		"samples", "size_limit", "version", "zip_data"}
	csvMembers = []string{"column_encodings", "column_names", "compression", "format", "hashes", "newline", "raw_data",
		"raw_meta", "samples", "size_limit", "version", "zip_data", "zip_meta"}
	jsonMembers = []string{"columns", "compression", "format", "hashes", "newline", "raw_data",
		"raw_meta", "samples", "size_limit", "version", "zip_data", "zip_meta"}
)

// members returns the names that the entries of the shard's format have.
func (s *ShardInfo) members() ([]string, error) {
	switch s.Format {
	case "mds":
		return mdsMembers, nil
	case "csv", "tsv":
		return csvMembers, nil
	case "xsv":
		return append(slices.Clone(csvMembers), "separator"), nil
	case "json":
		return jsonMembers, nil
	}
	return nil, fmt.Errorf("unknown format %q", s.Format)
}

// check compares the members found with those of the format, and the columns with each other.
func (s *ShardInfo) check(has []string) error {
	want, err := s.members()
	if err != nil {
		return err
	}
	if err := sameMembers(s.Format, has, want); err != nil {
		return err
	}
	if err := s.checkColumns(); err != nil {
		return err
	}
	if (s.Compression == "") != (s.ZipData == nil) {
		return fmt.Errorf("compression %q does not go with zip_data", s.Compression)
	}
	if s.Format != "mds" && (s.RawMeta == nil || (s.Compression == "") != (s.ZipMeta == nil)) {
		return fmt.Errorf("compression %q does not go with raw_meta and zip_meta", s.Compression)
	}
	return nil
}

func sameMembers(format string, has, want []string) error {
	for _, name := range want {
		if !slices.Contains(has, name) {
			return fmt.Errorf("no member %q, which format %s needs", name, format)
		}
	}
	for _, name := range has {
		if !slices.Contains(want, name) {
			return fmt.Errorf("member %q does not belong to format %s", name, format)
		}
	}
	return nil
}

// checkColumns compares the lists of columns with each other.
func (s *ShardInfo) checkColumns() error {
	if len(s.ColumnNames) != len(s.ColumnEncodings) || s.Format == "mds" && len(s.ColumnNames) != len(s.ColumnSizes) {
		return fmt.Errorf("%d column names, %d encodings, %d sizes", len(s.ColumnNames), len(s.ColumnEncodings), len(s.ColumnSizes))
	}
	names := s.ColumnNames
	if !slices.IsSorted(names) { // writers sort them
		names = slices.Sorted(slices.Values(names))
	}
	for i := 1; i < len(names); i++ {
		if names[i] == names[i-1] {
			return fmt.Errorf("column %q twice", names[i])
		}
	}
	return nil
}

func (p *indexParser) fileOrNull() (*FileInfo, error) {
	if p.s.word("null") {
		return nil, nil
	}
	f := new(FileInfo)
	return f, p.file(f)
}

func (p *indexParser) file(f *FileInfo) error {
	has := 0
	err := p.members(func(name string) (known bool, err error) {
		has++
		switch name {
		case "basename":
			p.s.space()
			from := p.s.pos
			if f.Basename, err = p.s.text(); err == nil {
				err = checkBasename(f.Basename)
			}
			if p.spans != nil {
				p.spans.basenames = append(p.spans.basenames, span{from + 1, p.s.pos - 1})
			}
		case "bytes":
			f.Bytes, err = p.s.whole(math.MaxInt64)
		case "hashes":
			f.Hashes = map[string]string{}
			err = p.s.object(func(algo string) error {
				digest, err := p.s.text()
				f.Hashes[algo] = digest
				return err
			})
		default:
			return false, nil
		}
		return true, err
	})
	if err == nil && has != 3 {
		err = errors.New(`want the members "basename", "bytes" and "hashes"`)
	}
	return err
}

// checkBasename refuses a file name that could point outside the index's folder.
func checkBasename(name string) error {
	if name == "" || strings.ContainsAny(name, "\\\x00") || path.IsAbs(name) || strings.Contains(name, "://") || filepath.VolumeName(name) != "" {
		return fmt.Errorf("basename %q is no relative path", name)
	}
	for part := range strings.SplitSeq(name, "/") {
		if part == ".." {
			return fmt.Errorf("basename %q leaves the data set's folder", name)
		}
	}
	return nil
}

func (p *indexParser) text() (string, error) {
	raw, err := p.s.rawText()
	return p.s.one(raw), err
}

// textList reads an array of strings; if it equals the last shard's, that one is returned.
func (p *indexParser) textList(last []string) ([]string, error) {
	p.texts = p.texts[:0]
	err := p.s.array(func() error {
		s, err := p.text()
		p.texts = append(p.texts, s)
		return err
	})
	if last != nil && slices.Equal(p.texts, last) {
		return last, err
	}
	return append([]string{}, p.texts...), err
}

// sizeList reads an array of integers, null as 0; if it equals the last shard's, that one is returned.
func (p *indexParser) sizeList(last []int) ([]int, error) {
	p.sizes = p.sizes[:0]
	err := p.s.array(func() error {
		if p.s.word("null") {
			p.sizes = append(p.sizes, 0)
			return nil
		}
		n, err := p.s.whole(maxOffset)
		p.sizes = append(p.sizes, int(n))
		return err
	})
	if last != nil && slices.Equal(p.sizes, last) {
		return last, err
	}
	return append([]int{}, p.sizes...), err
}

// parseConfig parses the configuration in an mds shard's header or a text shard's meta file.
func parseConfig(data []byte) (*ShardInfo, error) {
	p := indexParser{s: jsonScanner{data: data, strings: map[string]string{}}}
	var info ShardInfo
	has, err := p.shardMembers(&info)
	if err == nil {
		err = p.s.end()
	}
	if err != nil {
		return nil, err
	}
	members, err := info.members()
	if err != nil {
		return nil, err
	}
	want := slices.DeleteFunc(slices.Clone(members), func(name string) bool { return slices.Contains(ownMembers, name) })
	if err := sameMembers(info.Format, has, want); err != nil {
		return nil, err
	}
	return &info, info.checkColumns()
}
