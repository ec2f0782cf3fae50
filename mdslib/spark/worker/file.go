package worker

// Files whose paths stand in for their contents: what Spark's executors can read, a task there can, so that large files need not
// go through Spark's memory.

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
)

// fileLoader puts the bytes of files in the place of their paths.
type fileLoader struct {
	columns []int
	buffers [][]byte // used again for each row
}

func newFileLoader(job *Job) *fileLoader {
	l := &fileLoader{}
	for i, text := range job.Texts {
		if text == TextFile {
			l.columns, l.buffers = append(l.columns, i), append(l.buffers, nil)
		}
	}
	return l
}

// load changes the values of a row.
func (l *fileLoader) load(values []any, job *Job) error {
	for n, i := range l.columns {
		uri, ok := values[i].(string)
		if !ok {
			continue // NULL
		}
		var err error
		if l.buffers[n], err = readFile(l.buffers[n], LocalFile(uri)); err != nil {
			err = fmt.Errorf("column %q: %w", job.Schema.Fields[i].Name, err)
			if errors.Is(err, fs.ErrNotExist) {
				err = finalOf(err)
			}
			return err
		}
		values[i] = l.buffers[n]
	}
	return nil
}

// LocalFile is the path of a file that Spark names by a URI: file:/a/b or file:///a/b.
func LocalFile(uri string) string {
	path, ok := strings.CutPrefix(uri, "file:")
	if ok && strings.HasPrefix(path, "//") {
		path = path[2:]
	}
	return path
}

// readFile reads a file into buffer, or a larger one.
func readFile(buffer []byte, path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return buffer, fmt.Errorf("the file that Spark names: %w", err)
	}
	defer f.Close()
	stat, err := f.Stat()
	if err != nil {
		return buffer, err
	}
	n := int(stat.Size())
	if cap(buffer) < n {
		buffer = make([]byte, n)
	}
	buffer = buffer[:n]
	if _, err := io.ReadFull(f, buffer); err != nil {
		return buffer, fmt.Errorf("%s, of %d bytes: %w", path, n, err)
	}
	return buffer, nil
}
