package local

// Files in folders named key=value: DataFrame.Write().PartitionBy.

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"gomosaic/mdslib/local/expr"
	"gomosaic/mdslib/plan"
)

// folders says in which folder a row lies, and what of it the file there holds.
type folders struct {
	names []string // of the partition columns
	at    []int    // where the rows have them
	texts []func(any) (any, error)
	rest  []int // the other columns
	own   plan.Schema
}

// foldersOf checks the partition columns of a schema.
func foldersOf(schema plan.Schema, columns []string, env expr.Env) (*folders, error) {
	f := &folders{}
	for _, name := range columns {
		i, unique := schema.Index(name)
		switch {
		case i < 0:
			return nil, fmt.Errorf("PartitionBy: no column %q (%s)", name, plan.Nearest(name, schema.Names()))
		case !unique || slices.Contains(f.at, i):
			return nil, fmt.Errorf("PartitionBy: column %q occurs twice", name)
		}
		field := schema.Fields[i]
		text, ok := expr.Converter(field.Type, plan.Of(plan.String), env)
		if !ok || !field.Type.Atomic() || field.Type.Kind == plan.Binary {
			return nil, fmt.Errorf("PartitionBy: column %q is %s, which names no folder", name, field.Type)
		}
		f.names, f.at, f.texts = append(f.names, field.Name), append(f.at, i), append(f.texts, text)
	}
	for i, field := range schema.Fields {
		if !slices.Contains(f.at, i) {
			f.rest = append(f.rest, i)
			f.own.Fields = append(f.own.Fields, field)
		}
	}
	if len(f.rest) == 0 && len(columns) > 0 {
		return nil, errors.New("PartitionBy: all columns are partition columns, so that files would hold nothing")
	}
	return f, nil
}

// split gives the folder of a row, "" without partition columns, and the values that the file holds.
func (f *folders) split(values []any) (folder string, own []any, err error) {
	if len(f.at) == 0 {
		return "", values, nil
	}
	for k, i := range f.at {
		text := any(hiveNull)
		if v := values[i]; v != nil {
			if text, err = f.texts[k](v); err != nil {
				return "", nil, fmt.Errorf("column %q: %w", f.names[k], err)
			}
			if text == "" {
				text = hiveNull
			}
		}
		folder = filepath.Join(folder, escapePath(f.names[k])+"="+escapePath(text.(string)))
	}
	own = make([]any, len(f.rest))
	for k, i := range f.rest {
		own[k] = values[i]
	}
	return folder, own, nil
}

// escapePath writes as %XX what Hive's folder names can't have; unescapePath undoes it.
func escapePath(s string) string {
	var b strings.Builder
	for i := range len(s) {
		if c := s[i]; c < ' ' || c == 0x7f || strings.IndexByte("\"#%'*/:=?\\{[]^", c) >= 0 {
			fmt.Fprintf(&b, "%%%02X", c)
		} else {
			b.WriteByte(c)
		}
	}
	return b.String()
}

// mostOpen bounds the files that one partition has open: the one that was opened first is closed for a new folder, and a later
// row of its folder starts another file.
const mostOpen = 100

// partFiles are the files that one partition's rows go to.
type partFiles struct {
	sink  Sink
	dir   string
	part  int
	id    string
	open  map[string]*partFile // by folder
	order []string             // folders, those opened first in front
	count map[string]int       // files of a folder
	names []string             // of all files, relative to dir
}

// of is the file for the rows of a folder.
func (p *partFiles) of(folder string) (*partFile, error) {
	if f := p.open[folder]; f != nil {
		return f, nil
	}
	if len(p.order) == mostOpen {
		first := p.order[0]
		p.order = p.order[1:]
		err := p.open[first].close()
		delete(p.open, first)
		if err != nil {
			return nil, err
		}
	}
	name := fmt.Sprintf("part-%05d-%s.%s", p.part, p.id, p.sink.Suffix())
	if n := p.count[folder]; n > 0 {
		name = fmt.Sprintf("part-%05d-%s.c%03d.%s", p.part, p.id, n, p.sink.Suffix())
	}
	if err := os.MkdirAll(filepath.Join(p.dir, folder), 0o777); err != nil {
		return nil, err
	}
	f, err := createPart(p.sink, p.dir, filepath.Join(folder, name))
	if err != nil {
		return nil, err
	}
	if p.open == nil {
		p.open, p.count = map[string]*partFile{}, map[string]int{}
	}
	p.open[folder] = f
	p.order, p.names = append(p.order, folder), append(p.names, f.name)
	p.count[folder]++
	return f, nil
}

func (p *partFiles) close() (err error) {
	for _, f := range p.open {
		err = errors.Join(err, f.close())
	}
	p.open = nil
	return err
}

// written are the files that a Write left in a folder and in folders key=value below it, the file _SUCCESS first. Anything else
// there is an error.
func written(dir string) (names []string, err error) {
	err = filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || path == dir {
			return err
		}
		name, _ := filepath.Rel(dir, path)
		if entry.IsDir() && strings.Contains(entry.Name(), "=") {
			return nil
		}
		if !entry.Type().IsRegular() || !strings.HasPrefix(entry.Name(), "part-") && name != success {
			return fmt.Errorf("%s holds %s, which no Write wrote, so it is not overwritten (%w)", dir, name, fs.ErrExist)
		}
		names = append(names, name)
		return nil
	})
	slices.SortFunc(names, func(a, b string) int {
		if (a == success) != (b == success) {
			return map[bool]int{true: -1, false: 1}[a == success]
		}
		return strings.Compare(a, b)
	})
	return names, err
}
