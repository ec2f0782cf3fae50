package local

// Large text files read in chunks, side by side: each has the lines that begin in it.

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"sync"
)

// textChunk is a run of lines of a file: those that begin from one offset on and before another.
type textChunk struct {
	file     *File
	from, to int64      // to is 0 for all that follows
	before   *lineCount // nil at the file's beginning
}

// minChunkBytes is the least that a file is split for.
const minChunkBytes = 4 << 20

// textChunks splits files, if they may be split and aren't compressed, and packs the chunks. Like PackFiles it is a function of
// the files alone, where chunkBytes is 0.
func textChunks(files []File, chunkBytes int64, split bool) ([]textChunk, []Split) {
	if chunkBytes == 0 {
		var total int64
		for _, f := range files {
			total += f.Bytes
		}
		chunkBytes = min(max(total/splitsWanted, minChunkBytes), maxSplitBytes)
	}
	var chunks []textChunk
	var weights []File
	for i := range files {
		f := &files[i]
		n := int64(1)
		if split && !compressed(f.Path) {
			n = max((f.Bytes+chunkBytes/2)/chunkBytes, 1)
		}
		for k := range n {
			c := textChunk{file: f, from: f.Bytes * k / n}
			if k < n-1 {
				c.to = f.Bytes * (k + 1) / n
			}
			if k > 0 {
				c.before = &lineCount{path: f.Path, bytes: c.from}
			}
			chunks = append(chunks, c)
			weights = append(weights, File{Bytes: f.Bytes / n})
		}
	}
	return chunks, PackFiles(weights)
}

// open returns the lines of a chunk, which the file must be closed after. end is what ends a line.
func (c textChunk) open(ctx context.Context, end string) (*textFile, *lineReader, error) {
	offset := max(c.from-1, 0)
	f, err := openText(ctx, c.file, offset)
	if err != nil {
		return nil, nil, err
	}
	lines := &lineReader{r: f.Reader, end: end, at: offset}
	if c.from > 0 { // the line that the byte before belongs to is the chunk's before
		if _, err := lines.next(); err != nil && err != io.EOF {
			f.Close()
			return nil, nil, err
		}
		lines.line = 0
	}
	lines.stop = c.to
	return f, lines, nil
}

// origin is that of a line of the chunk. The lines before a chunk are counted for an error, but not those of a file at a store.
func (c textChunk) origin(line int64) Origin {
	if c.file.Remote() && c.from > 0 {
		return Origin{c.file.Path, line, fmt.Sprintf("after byte %d, line", c.from), nil}
	}
	return Origin{c.file.Path, line, "line", c.before}
}

// lineCount counts the lines that begin before an offset of a file, when an error asks for them.
type lineCount struct {
	path  string
	bytes int64
	once  sync.Once
	count int64
}

func (l *lineCount) lines() int64 {
	l.once.Do(func() {
		f, err := os.Open(l.path)
		if err != nil {
			return // the file is gone: the line is counted from the chunk's first
		}
		defer f.Close()
		buf := make([]byte, 1<<20)
		last := byte('\n')
		for r := io.LimitReader(f, l.bytes); ; {
			n, err := r.Read(buf)
			l.count += int64(bytes.Count(buf[:n], []byte{'\n'}))
			if n > 0 {
				last = buf[n-1]
			}
			if err != nil {
				break
			}
		}
		if last != '\n' { // the line that goes on in the chunk began before it
			l.count++
		}
	})
	return l.count
}
