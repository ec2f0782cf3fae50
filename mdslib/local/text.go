package local

import (
	"bufio"
	"bytes"
	"compress/bzip2"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/klauspost/compress/zstd"
)

// compressed tells whether a file's name ends as that of a compressed one.
func compressed(path string) bool {
	return strings.HasSuffix(path, ".gz") || strings.HasSuffix(path, ".zst") || strings.HasSuffix(path, ".zstd") || strings.HasSuffix(path, ".bz2")
}

// remoteBytes is how much of a file at a store a reader of text asks for at once.
const remoteBytes = 8 << 20

// openText opens a file of text at an offset, decompressed by its name's ending: .gz, .zst or .zstd, .bz2.
func openText(ctx context.Context, file *File, offset int64) (*textFile, error) {
	path := file.Path
	f, err := file.Open(ctx)
	if err != nil {
		return nil, err
	}
	if _, err := f.Seek(offset, io.SeekStart); err != nil {
		f.Close()
		return nil, err
	}
	var r io.Reader = f
	if file.Remote() {
		r = bufio.NewReaderSize(f, int(min(remoteBytes, max(file.Bytes-offset, 1))))
	}
	closers := []func() error{f.Close}
	switch {
	case strings.HasSuffix(path, ".gz"):
		z, zerr := gzip.NewReader(r)
		if r, err = z, zerr; err == nil {
			closers = append(closers, z.Close)
		}
	case strings.HasSuffix(path, ".zst"), strings.HasSuffix(path, ".zstd"):
		z, zerr := zstd.NewReader(r, zstd.WithDecoderConcurrency(1))
		if r, err = z, zerr; err == nil {
			closers = append(closers, func() error { z.Close(); return nil })
		}
	case strings.HasSuffix(path, ".bz2"):
		r = bzip2.NewReader(r)
	}
	if err != nil {
		f.Close()
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return &textFile{bufio.NewReaderSize(r, 256<<10), closers}, nil
}

type textFile struct {
	*bufio.Reader
	closers []func() error
}

// Close closes the file.
func (t *textFile) Close() error {
	var first error
	for i := len(t.closers) - 1; i >= 0; i-- {
		if err := t.closers[i](); err != nil && first == nil {
			first = err
		}
	}
	return first
}

// lineReader yields the lines of a text without their ends; a line may be longer than the buffer. end is what ends a line,
// "" for a line feed with or without a carriage return before it.
type lineReader struct {
	r     *bufio.Reader
	end   string
	line  int64
	ended string // what ended the line
	at    int64  // where the next line begins in the file
	stop  int64  // lines from there on are another reader's; 0 for none
	long  []byte
}

// next returns a line, valid until the next call, and io.EOF after the last.
func (l *lineReader) next() ([]byte, error) {
	l.long = l.long[:0]
	if l.stop > 0 && l.at >= l.stop {
		return nil, io.EOF
	}
	last := byte('\n')
	if l.end != "" {
		last = l.end[len(l.end)-1]
	}
	for {
		part, err := l.r.ReadSlice(last)
		if err == nil && len(l.end) > 1 && !bytes.HasSuffix(part, []byte(l.end)) && !bytes.HasSuffix(append(l.long[:len(l.long):len(l.long)], part...), []byte(l.end)) {
			err = bufio.ErrBufferFull // not the end yet
		}
		if err == bufio.ErrBufferFull {
			l.long = append(l.long, part...)
			continue
		}
		if err == io.EOF && len(part)+len(l.long) == 0 {
			return nil, io.EOF
		}
		if err != nil && err != io.EOF {
			return nil, err
		}
		if len(l.long) > 0 {
			part = append(l.long, part...)
			l.long = part
		}
		l.line++
		l.at += int64(len(part))
		l.ended = l.end
		if l.end == "" {
			if l.ended = "\n"; bytes.HasSuffix(part, []byte("\r\n")) {
				l.ended = "\r\n"
			}
		}
		text, ended := bytes.CutSuffix(part, []byte(l.ended))
		if !ended { // the last line
			l.ended = ""
			if l.end == "" {
				text = bytes.TrimSuffix(text, []byte("\r"))
			}
		}
		return text, nil
	}
}
