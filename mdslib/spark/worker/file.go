package worker

// Files whose paths stand in for their contents: what Spark's executors can read, a task there can, so that large files need not
// go through Spark's memory.

import (
	"errors"
	"fmt"
	"io/fs"
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
		if l.buffers[n], err = readFile(l.buffers[n], uri); err != nil {
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

// readFile reads a file that Spark names into buffer, or a larger one.
func readFile(buffer []byte, uri string) ([]byte, error) {
	f, err := OpenLocalFile(uri)
	if err != nil {
		return buffer, err
	}
	defer f.Close()
	n := int(f.Size())
	if cap(buffer) < n {
		buffer = make([]byte, n)
	}
	buffer = buffer[:n]
	if got, err := f.ReadAt(buffer, 0); got < n {
		return buffer, fmt.Errorf("%s, %d of %d bytes: %w", uri, got, n, err)
	}
	return buffer, nil
}
