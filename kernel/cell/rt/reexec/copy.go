package reexec

// A copy of the program with values behind it, which the system's loader does not look at: executable, values, their length
// as eight bytes, little endian, mark.

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
)

// mark ends a copy.
const mark = "\ngomosaic values\n"

// writeCopy writes a copy of an executable.
func writeCopy(path, executable string, values []byte) (err error) {
	in, err := os.Open(executable)
	if err != nil {
		return err
	}
	defer in.Close()
	size, err := in.Seek(0, io.SeekEnd)
	if err != nil {
		return err
	}
	if old, _, err := valuesIn(in); err == nil { // this process is a copy
		size -= int64(old) + 8 + int64(len(mark))
	}
	out, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o700)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, out.Close()) }()
	if _, err := io.Copy(out, io.NewSectionReader(in, 0, size)); err != nil {
		return err
	}
	tail := binary.LittleEndian.AppendUint64(values, uint64(len(values)))
	_, err = out.Write(append(tail, mark...))
	return err
}

// heldValues are the values that the executable of this process holds.
func heldValues() ([]byte, error) {
	path, err := os.Executable()
	if err != nil {
		return nil, err
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	length, start, err := valuesIn(f)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	values := make([]byte, length)
	_, err = f.ReadAt(values, start)
	return values, err
}

// valuesIn finds the values of a copy.
func valuesIn(f *os.File) (length int, start int64, err error) {
	size, err := f.Seek(0, io.SeekEnd)
	if err != nil {
		return 0, 0, err
	}
	tail := make([]byte, 8+len(mark))
	end := size - int64(len(tail))
	if end < 0 {
		return 0, 0, errors.New("it holds no values")
	}
	if _, err := f.ReadAt(tail, end); err != nil {
		return 0, 0, err
	}
	n := binary.LittleEndian.Uint64(tail)
	if string(tail[8:]) != mark || n > uint64(end) {
		return 0, 0, errors.New("it holds no values")
	}
	return int(n), end - int64(n), nil
}
