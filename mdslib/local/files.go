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
	Path       string // absolute, or a URL without what is secret in it
	Bytes      int64
	Modified   time.Time // zero where its store doesn't say
	Partitions []any     // values of the partition columns, from folders named key=value

	store store.Store // nil for a file of this machine
	key   string      // in the store
}

// URI spells the path as Spark's binaryFile does: a URL as it was given, else "file:" and the path, nothing escaped.
func (f *File) URI() string {
	if f.Remote() {
		return f.Path
	}
	return "file:" + filepath.ToSlash(f.Path)
}

// Remote tells whether the file lies at a store: reading it takes requests over a network.
func (f *File) Remote() bool { return f.store != nil }

// Open opens the file; one at a store is read piece by piece. ctx is that of all reads.
func (f *File) Open(ctx context.Context) (store.File, error) {
	if !f.Remote() {
		return os.Open(f.Path)
	}
	return store.OpenFile(ctx, f.store, f.key)
}

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
		if local, ok := store.LocalPath(base); !ok {
			l.base = shownURL(base)
		} else if l.base, err = filepath.Abs(local); err != nil {
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
	passed        []passed
}

// passed is a folder that wasn't entered.
type passed struct {
	tree
	path string
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
	if p == "" {
		return errors.New("empty path")
	}
	local, ok := store.LocalPath(p)
	if !ok {
		return l.url(p)
	}
	abs, err := filepath.Abs(local)
	if err != nil {
		return err
	}
	if _, err := os.Lstat(abs); err == nil || !hasGlob(local) { // a name that is there wins over the pattern it might be
		return l.root(machine{}, abs)
	}
	some := false
	for _, pattern := range expandBraces(abs) {
		top := filepath.VolumeName(pattern) + string(filepath.Separator)
		n, err := l.matches(machine{}, top, strings.Split(strings.TrimPrefix(pattern, top), string(filepath.Separator)))
		if err != nil {
			return err
		}
		some = some || n > 0
	}
	if !some {
		return fmt.Errorf("path %s: nothing matches", p)
	}
	return nil
}

// url adds what a URL leads to. A web address is none of a pattern: nothing can be listed there.
func (l *lister) url(url string) error {
	scheme, patterns := store.Scheme(url), []string{url}
	web := scheme == "http" || scheme == "https"
	if !web {
		patterns = expandBraces(url)
	}
	some := false
	for _, pattern := range patterns {
		folder, parts := pattern, []string(nil)
		if !web {
			folder, parts = splitPattern(pattern)
		}
		head := ""
		if len(parts) > 0 {
			head = parts[0][:strings.IndexAny(parts[0], globCharacters)]
		}
		at, top, err := openBucket(l.ctx, folder, head)
		if err != nil {
			return err
		}
		if len(parts) == 0 {
			some = true
			if err := l.root(at, top); err != nil {
				return err
			}
			continue
		}
		n, err := l.matches(at, top, parts)
		if err != nil {
			return err
		}
		some = some || n > 0
	}
	if !some {
		return fmt.Errorf("path %s: nothing matches", shownURL(url))
	}
	return nil
}

// matches adds what a pattern below a folder leads to, and tells how many that are.
func (l *lister) matches(at tree, top string, parts []string) (int, error) {
	some := []string{top}
	for _, part := range parts {
		var err error
		if some, err = expand(at, some, part); err != nil {
			return 0, err
		}
	}
	for _, m := range some {
		if err := l.root(at, m); err != nil {
			return 0, err
		}
	}
	return len(some), nil
}

// expand goes one segment of a pattern down.
func expand(at tree, folders []string, part string) ([]string, error) {
	var next []string
	if !hasGlob(part) {
		for _, d := range folders {
			if p := at.join(d, part); exists(at, p) {
				next = append(next, p)
			}
		}
		return next, nil
	}
	re, err := compileGlob(part)
	if err != nil {
		return nil, err
	}
	for _, d := range folders {
		if e, err := at.stat(d); err != nil || !e.folder {
			continue
		}
		entries, err := at.list(d)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
		for _, e := range entries {
			if re.MatchString(e.name) {
				next = append(next, at.join(d, e.name))
			}
		}
	}
	return next, nil
}

func exists(at tree, path string) bool {
	_, err := at.stat(path)
	return err == nil
}

// hidden is Spark's rule for names that aren't data: "_" and "." first, but for partition folders such as _id=1, and what
// Hadoop is still copying.
func hidden(name string) bool {
	return strings.HasPrefix(name, ".") || strings.HasPrefix(name, "_") && !strings.Contains(name, "=") || strings.HasSuffix(name, "._COPYING_")
}

// root adds the file at a path, or those of the folder there.
func (l *lister) root(at tree, path string) error {
	e, err := at.stat(path)
	if err != nil {
		return err
	}
	var keys []string
	if l.base != "" && !l.recursive {
		folder := path
		if !e.folder {
			folder = at.parent(path)
		}
		names, ok := at.below(l.base, folder)
		if !ok {
			return fmt.Errorf("path %s doesn't lie below the option basePath, %s", path, l.base)
		}
		for _, name := range names {
			if strings.Contains(name, "=") {
				keys = append(keys, name)
			}
		}
	}
	if !e.folder {
		return l.add(at, path, e, keys)
	}
	if l.tables && exists(at, at.join(path, "_delta_log")) {
		return fmt.Errorf("%s is a Delta table: its files hold rows that were deleted or changed since, and only its log knows which. Read it with Spark", path)
	}
	return l.folder(at, path, keys, 0)
}

func (l *lister) add(at tree, path string, e entry, keys []string) error {
	if e.modified.IsZero() && !(l.after.IsZero() && l.before.IsZero()) {
		return fmt.Errorf("%s: options modifiedAfter and modifiedBefore: this store doesn't say when its files were stored", path)
	}
	if !l.after.IsZero() && !e.modified.After(l.after) || !l.before.IsZero() && !e.modified.Before(l.before) {
		return nil
	}
	if !e.special && (l.filter == nil || l.filter.MatchString(filepath.Base(path))) {
		l.found = append(l.found, found{at.file(path, e), slices.Clone(keys)})
	}
	return nil
}

func (l *lister) folder(at tree, dir string, keys []string, depth int) error {
	if err := l.ctx.Err(); err != nil {
		return err
	}
	if depth > maxDepth {
		return fmt.Errorf("folder %s: more than %d folders deep, or a ring of links", dir, maxDepth)
	}
	entries, err := at.list(dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		path := at.join(dir, e.name)
		switch key, _, isKey := strings.Cut(e.name, "="); {
		case !e.folder:
			err = l.add(at, path, e, keys)
		case l.recursive:
			err = l.folder(at, path, nil, depth+1)
		case isKey && key != "":
			err = l.folder(at, path, append(keys[:len(keys):len(keys)], e.name), depth+1)
		default:
			l.passed = append(l.passed, passed{at, path})
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// holdsFiles tells whether there is a file of data in a folder or below it.
func (p passed) holdsFiles(depth int) bool {
	entries, err := p.list(p.path)
	return err == nil && depth <= maxDepth && slices.ContainsFunc(entries, func(e entry) bool {
		return !e.folder || passed{p.tree, p.join(p.path, e.name)}.holdsFiles(depth+1)
	})
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
