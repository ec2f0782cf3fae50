package local

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"gomosaic/mdslib/local/expr"
	"gomosaic/mdslib/plan"
	"gomosaic/mdslib/store"
)

// File is one file of a source.
type File struct {
	Path       string // absolute
	Bytes      int64
	Modified   time.Time
	Partitions []any // values of the partition columns, from folders named key=value
}

// URI spells the path as Spark's binaryFile does: "file:" and the path, nothing escaped.
func (f File) URI() string { return "file:" + filepath.ToSlash(f.Path) }

// Files is what the paths of a Read lead to: files in the order of their paths, and the partition columns.
type Files struct {
	List       []File
	Partitions []plan.Field
}

// maxDepth bounds the folders within folders, as links may form a ring.
const maxDepth = 64

// ListFiles finds the files of a Read by Spark's rules: a path may be a file, a folder or a Hadoop glob; names that start
// with "_" or "." are skipped; pathGlobFilter picks by file name; folders named key=value below a path make partition
// columns; other folders are entered only with recursiveFileLookup, which makes no partition columns.
func ListFiles(ctx context.Context, read *plan.Read, opts *Options) (*Files, error) {
	recursive, err := opts.Bool("recursiveFileLookup", false)
	if err != nil {
		return nil, err
	}
	l := &lister{ctx: ctx, recursive: recursive}
	if filter := opts.Text("pathGlobFilter", ""); filter != "" {
		if l.filter, err = compileGlob(filter); err != nil {
			return nil, fmt.Errorf("option pathGlobFilter: %w", err)
		}
	}
	for _, p := range read.Paths {
		if err := l.path(p); err != nil {
			return nil, err
		}
	}
	slices.SortFunc(l.found, func(a, b found) int { return strings.Compare(a.Path, b.Path) })
	l.found = slices.CompactFunc(l.found, func(a, b found) bool { return a.Path == b.Path })
	return l.partitioned()
}

type found struct {
	File
	keys []string // key=value folders between the path given and the file
}

type lister struct {
	ctx       context.Context
	recursive bool
	filter    *regexp.Regexp
	found     []found
}

// path adds what one path of Load leads to.
func (l *lister) path(p string) error {
	local, ok := store.LocalPath(p)
	if !ok || strings.Contains(p, "://") && !strings.HasPrefix(p, "file:") {
		return fmt.Errorf("path %s: the local engine reads files of this machine only", p)
	}
	if local == "" {
		return errors.New("empty path")
	}
	abs, err := filepath.Abs(local)
	if err != nil {
		return err
	}
	if _, err := os.Lstat(abs); err == nil || !hasGlob(local) { // a name that is there wins over the pattern it might be
		return l.root(abs)
	}
	matches := []string{string(filepath.Separator)}
	if v := filepath.VolumeName(abs); v != "" {
		matches[0] = v + string(filepath.Separator)
	}
	for part := range strings.SplitSeq(strings.TrimPrefix(abs, matches[0]), string(filepath.Separator)) {
		if matches, err = expand(matches, part); err != nil {
			return err
		}
	}
	if len(matches) == 0 {
		return fmt.Errorf("path %s: nothing matches", p)
	}
	for _, m := range matches {
		if err := l.root(m); err != nil {
			return err
		}
	}
	return nil
}

// expand goes one segment of a pattern down.
func expand(dirs []string, part string) ([]string, error) {
	var next []string
	if !hasGlob(part) {
		for _, d := range dirs {
			if p := filepath.Join(d, part); exists(p) {
				next = append(next, p)
			}
		}
		return next, nil
	}
	re, err := compileGlob(part)
	if err != nil {
		return nil, err
	}
	for _, d := range dirs {
		entries, err := os.ReadDir(d)
		if err != nil && !errors.Is(err, fs.ErrNotExist) && !strings.Contains(err.Error(), "not a directory") {
			return nil, err
		}
		for _, e := range entries {
			if re.MatchString(e.Name()) && !hidden(e.Name()) {
				next = append(next, filepath.Join(d, e.Name()))
			}
		}
	}
	return next, nil
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// hidden is Spark's rule for names that aren't data: "_" and "." first, but for partition folders such as _id=1.
func hidden(name string) bool {
	return strings.HasPrefix(name, ".") || strings.HasPrefix(name, "_") && !strings.Contains(name, "=")
}

func (l *lister) root(path string) error {
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	if !info.IsDir() {
		l.add(path, info, nil)
		return nil
	}
	return l.folder(path, nil, 0)
}

func (l *lister) add(path string, info fs.FileInfo, keys []string) {
	if info.Mode().IsRegular() && (l.filter == nil || l.filter.MatchString(filepath.Base(path))) {
		l.found = append(l.found, found{File{Path: path, Bytes: info.Size(), Modified: info.ModTime()}, slices.Clone(keys)})
	}
}

func (l *lister) folder(dir string, keys []string, depth int) error {
	if err := l.ctx.Err(); err != nil {
		return err
	}
	if depth > maxDepth {
		return fmt.Errorf("folder %s: more than %d folders deep, or a ring of links", dir, maxDepth)
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if hidden(e.Name()) {
			continue
		}
		path := filepath.Join(dir, e.Name())
		info, err := os.Stat(path) // through links
		if errors.Is(err, fs.ErrNotExist) {
			continue // removed meanwhile, or a link to nowhere
		}
		if err != nil {
			return err
		}
		switch key, _, isKey := strings.Cut(e.Name(), "="); {
		case !info.IsDir():
			l.add(path, info, keys)
		case l.recursive:
			err = l.folder(path, nil, depth+1)
		case isKey && key != "":
			err = l.folder(path, append(keys[:len(keys):len(keys)], e.Name()), depth+1)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// partitioned turns key=value folders into columns.
func (l *lister) partitioned() (*Files, error) {
	files := &Files{}
	var names []string
	var texts [][]string
	for i, f := range l.found {
		var keys, values []string
		for _, k := range f.keys {
			name, value, _ := strings.Cut(k, "=")
			keys, values = append(keys, unescapePath(name)), append(values, unescapePath(value))
		}
		if i == 0 {
			names = keys
		}
		if !slices.Equal(keys, names) {
			return nil, fmt.Errorf("file %s lies in partition folders %v, others in %v: load them separately", f.Path, keys, names)
		}
		files.List = append(files.List, f.File)
		texts = append(texts, values)
	}
	for c, name := range names {
		column := make([]string, len(texts))
		for i := range texts {
			column[i] = texts[i][c]
		}
		t, values := partitionValues(column)
		files.Partitions = append(files.Partitions, plan.Field{Name: name, Type: t, Nullable: true})
		for i := range files.List {
			files.List[i].Partitions = append(files.List[i].Partitions, values[i])
		}
	}
	return files, nil
}

// unescapePath undoes Hive's %XX in folder names.
func unescapePath(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '%' && i+2 < len(s) {
			var c byte
			if n, _ := fmt.Sscanf(s[i+1:i+3], "%02x", &c); n == 1 {
				b.WriteByte(c)
				i += 2
				continue
			}
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

// Split is a run of files that one partition reads.
type Split struct{ First, End int } // List[First:End]

// The packing of files into splits depends on the files alone, never on the machine, so that shards don't either: about
// splitsWanted splits, none of more than maxSplitBytes but by its last file.
const (
	splitsWanted  = 8
	maxSplitBytes = 64 << 20
	minSplitBytes = 1 << 20
	openCostBytes = 64 << 10 // what opening a file counts for
)

// PackFiles deals files to splits, in order.
func PackFiles(files []File) []Split {
	var total int64
	for _, f := range files {
		total += f.Bytes + openCostBytes
	}
	target := min(max(total/splitsWanted, minSplitBytes), maxSplitBytes)
	var splits []Split
	var bytes int64
	for i, f := range files {
		if len(splits) == 0 || bytes >= target {
			splits = append(splits, Split{First: i})
			bytes = 0
		}
		bytes += f.Bytes + openCostBytes
		splits[len(splits)-1].End = i + 1
	}
	return splits
}

// partitionValues gives a partition column the narrowest type that holds all its values: int, bigint, double, date,
// string; Hive's word for NULL aside.
func partitionValues(texts []string) (plan.Type, []any) {
	const null = "__HIVE_DEFAULT_PARTITION__"
	for _, k := range []plan.Kind{plan.Int, plan.Long, plan.Double, plan.Date} {
		values, ok := make([]any, len(texts)), true
		parse, err := expr.FromText(plan.Of(k), expr.Env{})
		for i, s := range texts {
			if s == null || err != nil {
				continue
			}
			if values[i], err = parse(s); err != nil {
				ok = false
				break
			}
		}
		if ok && slices.ContainsFunc(values, func(v any) bool { return v != nil }) {
			return plan.Of(k), values
		}
	}
	values := make([]any, len(texts))
	for i, s := range texts {
		if s != null {
			values[i] = s
		}
	}
	return plan.Of(plan.String), values
}
