package worker

// A file that Spark names, as Spark reads it: where Hadoop's file system for local files left checksums beside it, what is read must
// have them.

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// LocalFile is a file that is open for reading by ReadAt. It is not safe for concurrent use.
type LocalFile struct {
	path string
	file *os.File
	size int64

	chunk  int64 // bytes that a checksum is of; 0 where there are none
	sums   []byte
	buffer []byte
}

// OpenLocalFile opens a file that Spark names by a URI: file:/a/b or file:///a/b.
func OpenLocalFile(uri string) (*LocalFile, error) {
	path, ok := strings.CutPrefix(uri, "file:")
	if ok && strings.HasPrefix(path, "//") {
		path = path[2:]
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("the file that Spark names: %w", err)
	}
	stat, err := file.Stat()
	if err != nil {
		_ = file.Close()
		return nil, err
	}
	f := &LocalFile{path: path, file: file, size: stat.Size()}
	// "crc\0", how many bytes a checksum is of, and the checksums, all in big endian. Like Hadoop, we take other files, and those
	// that can't be read, for none.
	const head = "crc\x00"
	dir, name := filepath.Split(path)
	text, err := os.ReadFile(dir + "." + name + ".crc")
	if err == nil && len(text) >= len(head)+4 && string(text[:len(head)]) == head {
		f.chunk, f.sums = int64(binary.BigEndian.Uint32(text[len(head):])), text[len(head)+4:]
	}
	return f, nil
}

// Size is how many bytes the file had when it was opened.
func (f *LocalFile) Size() int64 { return f.size }

// Close closes the file.
func (f *LocalFile) Close() error { return f.file.Close() }

// Seek is that of an *os.File. ReadAt does not depend on it.
func (f *LocalFile) Seek(offset int64, whence int) (int64, error) {
	return f.file.Seek(offset, whence)
}

// ReadAt implements io.ReaderAt. Bytes that do not have their checksum are an error.
func (f *LocalFile) ReadAt(p []byte, at int64) (int, error) {
	if f.chunk == 0 || len(p) == 0 {
		return f.file.ReadAt(p, at)
	}
	if at < 0 || at >= f.size {
		return 0, io.EOF
	}
	end := min(at+int64(len(p)), f.size)
	first, last := at/f.chunk, (end-1)/f.chunk
	from, to := first*f.chunk, min((last+1)*f.chunk, f.size)
	whole := p[:end-at]
	if from != at || to != end {
		f.buffer = slices.Grow(f.buffer[:0], int(to-from))[:to-from]
		whole = f.buffer
	}
	if n, err := f.file.ReadAt(whole, from); n < len(whole) {
		return 0, err
	}
	for i := first; i <= last; i++ {
		b := whole[i*f.chunk-from : min((i+1)*f.chunk, to)-from]
		if 4*(i+1) > int64(len(f.sums)) || crc32.ChecksumIEEE(b) != binary.BigEndian.Uint32(f.sums[4*i:]) {
			return 0, fmt.Errorf("%s, from byte %d: the checksum in .%s.crc is of other bytes", f.path, i*f.chunk, filepath.Base(f.path))
		}
	}
	if from != at || to != end {
		copy(p, whole[at-from:])
	}
	if n := int(end - at); n < len(p) {
		return n, io.EOF
	}
	return len(p), nil
}
