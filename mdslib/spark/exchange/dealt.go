package exchange

// A file of dealt rows: blocks, each of rows of one partition, and after them the index that says where each partition's lie.

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"

	"gomosaic/mdslib/plan"
)

// block is a run of a partition's rows in a file.
type block struct {
	At    int64 `json:"at"`
	Bytes int64 `json:"bytes"`
	Rows  int64 `json:"rows"`
}

// fileMark ends a file, after eight bytes with the length of the index, in little endian.
const fileMark = "mosaic-dealt-rows"

// Blocks of all partitions together take so much memory, more where there are very many partitions or large rows.
const (
	blocksBytes = 16 << 20
	leastBlock  = 16 << 10
	mostBlock   = 1 << 20
)

// dealtWriter writes a file of dealt rows. It is not safe for concurrent use.
type dealtWriter struct {
	file  *os.File
	at    int64
	full  int      // bytes that make a block
	open  [][]byte // a block of each partition
	rows  []int64  // in the open blocks
	index [][]block
}

// newDealtWriter makes a file, which must not be there, for the rows of so many partitions.
func newDealtWriter(name string, partitions int) (*dealtWriter, error) {
	file, err := os.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o666)
	if err != nil {
		return nil, err
	}
	full := max(leastBlock, min(mostBlock, blocksBytes/partitions))
	return &dealtWriter{file: file, full: full, open: make([][]byte, partitions), rows: make([]int64, partitions), index: make([][]block, partitions)}, nil
}

// row appends a row to a partition: put appends its values to the bytes that it is given.
func (w *dealtWriter) row(partition int, put func(rows []byte) []byte) error {
	w.open[partition] = put(w.open[partition])
	w.rows[partition]++
	if len(w.open[partition]) >= w.full {
		return w.flush(partition)
	}
	return nil
}

func (w *dealtWriter) flush(partition int) error {
	b := w.open[partition]
	if len(b) == 0 {
		return nil
	}
	if _, err := w.file.Write(b); err != nil {
		return err
	}
	w.index[partition] = append(w.index[partition], block{w.at, int64(len(b)), w.rows[partition]})
	w.at += int64(len(b))
	w.open[partition], w.rows[partition] = b[:0], 0
	if cap(b) > 2*w.full { // a large row's
		w.open[partition] = nil
	}
	return nil
}

// end completes the file; after an error, which it returns, it removes it.
func (w *dealtWriter) end(err error) error {
	for p := range w.open {
		if err == nil {
			err = w.flush(p)
		}
	}
	if err == nil {
		var index []byte
		if index, err = json.Marshal(w.index); err == nil {
			index = binary.LittleEndian.AppendUint64(index, uint64(len(index)))
			_, err = w.file.Write(append(index, fileMark...))
		}
	}
	err = errors.Join(err, w.file.Close())
	if err != nil {
		_ = os.Remove(w.file.Name())
	}
	return err
}

// dealtReader reads the rows of one partition from a file. It is not safe for concurrent use.
type dealtReader struct {
	in     io.ReaderAt
	types  []plan.Type
	blocks []block
	buffer []byte
	rows   []byte // of the block at hand
	left   int64  // rows of it
}

// newDealtReader finds a partition's rows, whose values are of these types, in a file of so many bytes.
func newDealtReader(in io.ReaderAt, size int64, partition int, types []plan.Type) (*dealtReader, error) {
	end := make([]byte, 8+len(fileMark))
	if size < int64(len(end)) {
		return nil, fmt.Errorf("%d bytes are no file of dealt rows", size)
	}
	if _, err := in.ReadAt(end, size-int64(len(end))); err != nil {
		return nil, err
	}
	n := binary.LittleEndian.Uint64(end)
	if string(end[8:]) != fileMark || n > uint64(size)-uint64(len(end)) {
		return nil, errors.New("it does not end as files of dealt rows do")
	}
	rows := size - int64(len(end)) - int64(n)
	text := make([]byte, n)
	if _, err := in.ReadAt(text, rows); err != nil {
		return nil, err
	}
	var index [][]block
	if err := json.Unmarshal(text, &index); err != nil {
		return nil, fmt.Errorf("its index: %w", err)
	}
	if partition >= len(index) {
		return nil, fmt.Errorf("it has rows of %d partitions, and none of number %d", len(index), partition)
	}
	for _, b := range index[partition] {
		if b.At < 0 || b.Bytes < 0 || b.At > rows || b.Bytes > rows-b.At {
			return nil, fmt.Errorf("its index has a block at %d of %d bytes, and the rows end at %d", b.At, b.Bytes, rows)
		}
	}
	return &dealtReader{in: in, types: types, blocks: index[partition]}, nil
}

// next puts the next row into values, at places; io.EOF after the last. Bytes are good until the next call.
func (r *dealtReader) next(values []any, places []int) error {
	for len(r.rows) == 0 {
		if r.left != 0 {
			return errShort
		}
		if len(r.blocks) == 0 {
			return io.EOF
		}
		b := r.blocks[0]
		r.blocks = r.blocks[1:]
		r.buffer = slices.Grow(r.buffer[:0], int(b.Bytes))[:b.Bytes]
		if _, err := r.in.ReadAt(r.buffer, b.At); err != nil {
			return err
		}
		r.rows, r.left = r.buffer, b.Rows
	}
	r.left--
	var err error
	for i, t := range r.types {
		if values[places[i]], r.rows, err = takeValue(r.rows, t); err != nil {
			return err
		}
	}
	return nil
}
