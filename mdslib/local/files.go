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
	texts      [][]string // of each partition column, the text of its value for each file
}

// maxDepth bounds the folders within folders, as links may form a ring.
const maxDepth = 64

// ListFiles finds the files of a Read by Spark's rules: a path may be a file, a folder or a Hadoop glob; names that start
// with "_" or "." are skipped; pathGlobFilter picks by file name, modifiedBefore and modifiedAfter by time; folders named
// key=value below a path, or below the option basePath, make partition columns; other folders are entered only with
// recursiveFileLookup, which makes no partition columns. A file that several paths lead to is read once (Spark reads it so
// many times).
func ListFiles(ctx context.Context, read *plan.Read, opts *Options) (*Files, error) {
	recursive, err := opts.Bool("recursiveFileLookup", false)
	if err != nil {
		return nil, err
	}
	l := &lister{ctx: ctx, recursive: recursive, tables: !strings.EqualFold(read.Format, "binaryFile")}
	if filter := opts.Text("pathGlobFilter", ""); filter != "" {
		if l.filter, err = compileGlob(filter); err != nil {
			return nil, fmt.Errorf("option pathGlobFilter: %w", err)
		}
	}
	if l.after, err = timeOption(opts, "modifiedAfter"); err != nil {
		return nil, err
	}
	if l.before, err = timeOption(opts, "modifiedBefore"); err != nil {
		return nil, err
	}
	if base := opts.Text("basePath", ""); base != "" {
		local, ok := store.LocalPath(base)
		if !ok {
			return nil, fmt.Errorf("option basePath: %s: the local engine reads files of this machine only", store.Redacted(base))
		}
		if l.base, err = filepath.Abs(local); err != nil {
			return nil, fmt.Errorf("option basePath: %w", err)
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
	ctx           context.Context
	recursive     bool
	tables        bool // the files are those of tables
	filter        *regexp.Regexp
	before, after time.Time
	base          string // the option basePath, absolute
	found         []found
	passed        []string // folders that weren't entered
}

// timeOption reads an option that is a time in the session's zone.
func timeOption(opts *Options, name string) (time.Time, error) {
	text := opts.Text(name, "")
	if text == "" {
		return time.Time{}, nil
	}
	parse, err := expr.FromText(plan.Of(plan.Timestamp), expr.Env{Location: time.Local})
	if err != nil {
		return time.Time{}, err
	}
	v, err := parse(text)
	if err != nil {
		return time.Time{}, fmt.Errorf("option %s is %q, want a time such as 2024-06-01T13:00:00", name, text)
	}
	return v.(plan.TimestampValue).Time(), nil
}

// path adds what one path of Load leads to.
func (l *lister) path(p string) error {
	local, ok := store.LocalPath(p)
	if !ok || strings.Contains(p, "://") && !strings.HasPrefix(p, "file:") {
		return fmt.Errorf("path %s: the local engine reads files of this machine only; gomosaic mds convert fetches tables and images at URLs", store.Redacted(p))
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
	var matches []string
	for _, pattern := range expandBraces(abs) {
		top := filepath.VolumeName(pattern) + string(filepath.Separator)
		some := []string{top}
		for part := range strings.SplitSeq(strings.TrimPrefix(pattern, top), string(filepath.Separator)) {
			if some, err = expand(some, part); err != nil {
				return err
			}
		}
		matches = append(matches, some...)
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

// hidden is Spark's rule for names that aren't data: "_" and "." first, but for partition folders such as _id=1, and what
// Hadoop is still copying.
func hidden(name string) bool {
	return strings.HasPrefix(name, ".") || strings.HasPrefix(name, "_") && !strings.Contains(name, "=") || strings.HasSuffix(name, "._COPYING_")
}

func (l *lister) root(path string) error {
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	var keys []string
	if l.base != "" && !l.recursive {
		dir := path
		if !info.IsDir() {
			dir = filepath.Dir(path)
		}
		below, err := filepath.Rel(l.base, dir)
		if err != nil || !filepath.IsLocal(below) {
			return fmt.Errorf("path %s doesn't lie below the option basePath, %s", path, l.base)
		}
		for part := range strings.SplitSeq(below, string(filepath.Separator)) {
			if strings.Contains(part, "=") {
				keys = append(keys, part)
			}
		}
	}
	if !info.IsDir() {
		l.add(path, info, keys)
		return nil
	}
	if l.tables && exists(filepath.Join(path, "_delta_log")) {
		return fmt.Errorf("%s is a Delta table: its files hold rows that were deleted or changed since, and only its log knows which. Read it with Spark", path)
	}
	return l.folder(path, keys, 0)
}

func (l *lister) add(path string, info fs.FileInfo, keys []string) {
	at := info.ModTime()
	if !l.after.IsZero() && !at.After(l.after) || !l.before.IsZero() && !at.Before(l.before) {
		return
	}
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
		default:
			l.passed = append(l.passed, path)
		}
		if err != nil {
			return err
		}
	}
	return nil
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
