package checkpoint

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"sort"

	"gomosaic/trainlib/torch"
)

// This file implements the safetensors format (github.com/huggingface/safetensors, README, "Format"):
//
//	8 bytes  N, little-endian
//	N bytes  JSON {"name": {"dtype": "F32", "shape": [2, 3], "data_offsets": [begin, end]}, "__metadata__": {…}}
//	rest     the elements, little-endian and row-major; offsets count from here, without holes
const (
	safetensorsLengthBytes = 8
	safetensorsMaxHeader   = 100 << 20 // the limit of the reference reader
)

var safetensorsTypes = map[string]torch.DType{
	"F64": torch.Float64, "F32": torch.Float32, "F16": torch.Float16, "BF16": torch.BFloat16, "I64": torch.Int64, "I32": torch.Int32,
	"I16": torch.Int16, "I8": torch.Int8, "U8": torch.Uint8, "BOOL": torch.Bool, "C64": torch.Complex64,
}

// stEntry is one tensor of a safetensors file.
type stEntry struct {
	Entry
	begin, end int64 // in the file
}

// parseSafetensors reads the header of a file of the given size; the entries come in the order of their data.
func parseSafetensors(r io.ReaderAt, size int64) ([]stEntry, error) {
	var head [safetensorsLengthBytes]byte
	if _, err := r.ReadAt(head[:], 0); err != nil {
		return nil, errors.New("safetensors: the file is shorter than its length field")
	}
	n := binary.LittleEndian.Uint64(head[:])
	if n > safetensorsMaxHeader || int64(n) > size-safetensorsLengthBytes {
		return nil, fmt.Errorf("safetensors: a header of %d bytes in a file of %d", n, size)
	}
	header := make([]byte, n)
	if _, err := r.ReadAt(header, safetensorsLengthBytes); err != nil {
		return nil, fmt.Errorf("safetensors: %w", err)
	}
	var raw map[string]json.RawMessage
	if err := json.Unmarshal(header, &raw); err != nil {
		return nil, fmt.Errorf("safetensors: header: %w", err)
	}
	data := size - safetensorsLengthBytes - int64(n)
	var entries []stEntry
	for name, value := range raw {
		if name == "__metadata__" {
			continue
		}
		var v struct {
			DType   string  `json:"dtype"`
			Shape   []int64 `json:"shape"`
			Offsets []int64 `json:"data_offsets"`
		}
		if err := json.Unmarshal(value, &v); err != nil {
			return nil, fmt.Errorf("safetensors: %s: %w", name, err)
		}
		dtype, ok := safetensorsTypes[v.DType]
		if !ok {
			return nil, fmt.Errorf("safetensors: %s: dtype %q is not supported", name, v.DType)
		}
		if len(v.Offsets) != 2 || v.Offsets[0] < 0 || v.Offsets[1] < v.Offsets[0] || v.Offsets[1] > data {
			return nil, fmt.Errorf("safetensors: %s: data_offsets %v do not lie in the %d bytes of data", name, v.Offsets, data)
		}
		e := stEntry{Entry: Entry{Name: name, DType: dtype}, begin: v.Offsets[0], end: v.Offsets[1]}
		want := int64(dtype.ElementBytes())
		for _, s := range v.Shape {
			if s < 0 || s > 0 && want > data/s {
				return nil, fmt.Errorf("safetensors: %s: shape %v does not fit into the %d bytes of data", name, v.Shape, data)
			}
			want *= s
			e.Shape = append(e.Shape, int(s))
		}
		if want != e.end-e.begin {
			return nil, fmt.Errorf("safetensors: %s: shape %v of %s takes %d bytes, data_offsets %v give %d", name, v.Shape, v.DType, want, v.Offsets, e.end-e.begin)
		}
		entries = append(entries, e)
	}
	sort.Slice(entries, func(i, j int) bool {
		if entries[i].begin != entries[j].begin {
			return entries[i].begin < entries[j].begin
		}
		if entries[i].end != entries[j].end {
			return entries[i].end < entries[j].end
		}
		return entries[i].Name < entries[j].Name
	})
	at := int64(0)
	for i := range entries {
		e := &entries[i]
		if e.begin != at {
			return nil, fmt.Errorf("safetensors: %s begins at %d, the data before it ends at %d", e.Name, e.begin, at)
		}
		at = e.end
		e.begin += safetensorsLengthBytes + int64(n)
		e.end += safetensorsLengthBytes + int64(n)
	}
	if at != data {
		return nil, fmt.Errorf("safetensors: %d bytes of data, the tensors take %d", data, at)
	}
	return entries, nil
}

// writeSafetensors writes a state dict, in its order.
func writeSafetensors(w io.Writer, sd *torch.StateDict) error {
	header := []byte(`{"__metadata__":{"format":"pt"}`)
	at := int64(0)
	for name, t := range sd.All() {
		dtype := ""
		for k, d := range safetensorsTypes {
			if d == t.DType() {
				dtype = k
			}
		}
		if dtype == "" {
			return fmt.Errorf("%s: safetensors has no dtype for %v", name, t.DType())
		}
		key, err := json.Marshal(name)
		if err != nil {
			return err
		}
		entry, err := json.Marshal(map[string]any{"dtype": dtype, "shape": t.Shape(), "data_offsets": []int64{at, at + t.Bytes()}})
		if err != nil {
			return err
		}
		at += t.Bytes()
		header = append(append(append(append(header, ','), key...), ':'), entry...)
	}
	header = append(header, '}')
	for len(header)%8 != 0 { // the elements begin at a multiple of eight
		header = append(header, ' ')
	}
	if err := binary.Write(w, binary.LittleEndian, uint64(len(header))); err != nil {
		return err
	}
	if _, err := w.Write(header); err != nil {
		return err
	}
	for _, t := range sd.All() {
		if _, err := w.Write(t.RawBytes()); err != nil {
			return err
		}
	}
	return nil
}
