package checkpoint

import (
	"archive/zip"
	"bufio"
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io"
	"math"
	"sort"
	"strconv"

	"gomosaic/trainlib/torch"
)

// ptWriter turns a value into data.pkl (pickle protocol 2, as torch.save) and the list of storages.
type ptWriter struct {
	pickle   bytes.Buffer
	tensors  []*torch.Tensor // by key
	sharing  map[share]int   // tensors that share all their elements are stored once
	visiting map[any]bool
}

// share identifies the elements of a contiguous tensor.
type share struct {
	address uintptr
	dtype   torch.DType
	numel   int
}

// writePT writes a value as a zip file that torch.load(weights_only=True, mmap=True) reads.
func writePT(w io.Writer, v any) error {
	p := &ptWriter{sharing: map[share]int{}}
	p.pickle.WriteString("\x80\x02")
	if err := p.value("", v); err != nil {
		return err
	}
	p.pickle.WriteByte('.')
	out := &counter{w: bufio.NewWriterSize(w, 1<<20)}
	z := zip.NewWriter(out)
	entry := func(name string, b []byte) error {
		if err := z.Flush(); err != nil {
			return err
		}
		// PyTorch maps storages into memory: each begins at a multiple of 64 bytes, by an extra field "FB" that pads
		const localHeader, extraHeader, align = 30, 4, 64
		full := "archive/" + name
		pad := (align - (out.n+localHeader+int64(len(full))+extraHeader)%align) % align
		h := &zip.FileHeader{
			Name: full, Method: zip.Store, CRC32: crc32.ChecksumIEEE(b),
			CompressedSize64: uint64(len(b)), UncompressedSize64: uint64(len(b)),
			Extra: append([]byte{'F', 'B', byte(pad), 0}, make([]byte, pad)...),
		}
		e, err := z.CreateRaw(h)
		if err != nil {
			return err
		}
		_, err = e.Write(b)
		return err
	}
	if err := entry("data.pkl", p.pickle.Bytes()); err != nil {
		return err
	}
	if err := entry("byteorder", []byte("little")); err != nil {
		return err
	}
	for i, t := range p.tensors {
		if err := entry("data/"+strconv.Itoa(i), t.RawBytes()); err != nil {
			return err
		}
	}
	if err := entry("version", []byte("3\n")); err != nil {
		return err
	}
	if err := z.Close(); err != nil {
		return err
	}
	return out.w.Flush()
}

// counter knows how far the file has come.
type counter struct {
	w *bufio.Writer
	n int64
}

func (c *counter) Write(b []byte) (int, error) {
	n, err := c.w.Write(b)
	c.n += int64(n)
	return n, err
}

func (p *ptWriter) op(c byte, v any) {
	p.pickle.WriteByte(c)
	binary.Write(&p.pickle, binary.LittleEndian, v) // a bytes.Buffer takes everything
}

func (p *ptWriter) string(s string) {
	p.op('X', uint32(len(s)))
	p.pickle.WriteString(s)
}

func (p *ptWriter) int(n int64) {
	switch {
	case n >= 0 && n <= math.MaxUint8:
		p.op('K', uint8(n))
	case n >= math.MinInt32 && n <= math.MaxInt32:
		p.op('J', int32(n))
	default:
		p.pickle.WriteByte(0x8a)
		p.op(8, n)
	}
}

func (p *ptWriter) float(f float64) {
	p.pickle.WriteByte('G')
	binary.Write(&p.pickle, binary.BigEndian, f)
}

func (p *ptWriter) bool(b bool) {
	if b {
		p.pickle.WriteByte(0x88)
	} else {
		p.pickle.WriteByte(0x89)
	}
}

// value writes any value that a checkpoint can hold; path names it in errors.
func (p *ptWriter) value(path string, v any) error {
	if leave, err := p.enter(path, v); err != nil {
		return err
	} else if leave != nil {
		defer leave()
	}
	switch x := v.(type) {
	case nil:
		p.pickle.WriteByte('N')
	case bool:
		p.bool(x)
	case int:
		p.int(int64(x))
	case int64:
		p.int(x)
	case int32:
		p.int(int64(x))
	case float64:
		p.float(x)
	case float32:
		p.float(float64(x))
	case string:
		p.string(x)
	case *torch.Tensor:
		return p.tensor(path, x)
	case *torch.StateDict:
		p.pickle.WriteString("ccollections\nOrderedDict\n)R(")
		for name, t := range x.All() {
			p.string(name)
			if err := p.tensor(join(path, name), t); err != nil {
				return err
			}
		}
		p.pickle.WriteByte('u')
	case map[string]any:
		keys := make([]string, 0, len(x))
		for k := range x {
			keys = append(keys, k)
		}
		sort.Strings(keys)
		p.pickle.WriteString("}(")
		for _, k := range keys {
			p.string(k)
			if err := p.value(join(path, k), x[k]); err != nil {
				return err
			}
		}
		p.pickle.WriteByte('u')
	case map[int64]any:
		keys := make([]int64, 0, len(x))
		for k := range x {
			keys = append(keys, k)
		}
		sort.Slice(keys, func(i, j int) bool { return keys[i] < keys[j] })
		p.pickle.WriteString("}(")
		for _, k := range keys {
			p.int(k)
			if err := p.value(join(path, strconv.FormatInt(k, 10)), x[k]); err != nil {
				return err
			}
		}
		p.pickle.WriteByte('u')
	case []any:
		return p.sequence(path, "](", 'e', len(x), func(i int) any { return x[i] })
	case Tuple:
		return p.sequence(path, "(", 't', len(x), func(i int) any { return x[i] })
	case []int:
		return p.sequence(path, "](", 'e', len(x), func(i int) any { return x[i] })
	case []int64:
		return p.sequence(path, "](", 'e', len(x), func(i int) any { return x[i] })
	case []float64:
		return p.sequence(path, "](", 'e', len(x), func(i int) any { return x[i] })
	case []string:
		return p.sequence(path, "](", 'e', len(x), func(i int) any { return x[i] })
	default:
		return fmt.Errorf("%s: a value of type %T cannot be saved (tensors, state dicts, numbers, strings, bools, nil, and maps and slices of any of these can)", orTop(path), v)
	}
	return nil
}

func (p *ptWriter) sequence(path, begin string, end byte, n int, at func(i int) any) error {
	p.pickle.WriteString(begin)
	for i := range n {
		if err := p.value(join(path, strconv.Itoa(i)), at(i)); err != nil {
			return err
		}
	}
	p.pickle.WriteByte(end)
	return nil
}

// enter refuses a map or slice that contains itself.
func (p *ptWriter) enter(path string, v any) (leave func(), err error) {
	var id any
	switch x := v.(type) {
	case map[string]any:
		id = fmt.Sprintf("%p", x)
	case map[int64]any:
		id = fmt.Sprintf("%p", x)
	case []any:
		if len(x) == 0 {
			return nil, nil
		}
		id = &x[0]
	default:
		return nil, nil
	}
	if p.visiting == nil {
		p.visiting = map[any]bool{}
	}
	if p.visiting[id] {
		return nil, fmt.Errorf("%s: the value contains itself", orTop(path))
	}
	p.visiting[id] = true
	return func() { delete(p.visiting, id) }, nil
}

// storageNames are the classes by which a pickle names element types, without "torch.".
func storageName(d torch.DType) string {
	for name, dtype := range storageTypes {
		if dtype == d {
			return name[len("torch."):]
		}
	}
	return ""
}

// tensor writes torch._utils._rebuild_tensor_v2(storage, 0, size, stride, False, OrderedDict()); elements are stored
// contiguously, whatever the tensor's own strides, and from whatever device as "cpu".
func (p *ptWriter) tensor(path string, t *torch.Tensor) error {
	if t == nil {
		p.pickle.WriteByte('N')
		return nil
	}
	if t.Freed() {
		return fmt.Errorf("%s: the tensor has been freed", orTop(path))
	}
	class := storageName(t.DType())
	if class == "" {
		return fmt.Errorf("%s: tensors of %v cannot be saved", orTop(path), t.DType())
	}
	key := len(p.tensors)
	if a := t.DataAddress(); a != 0 && t.IsContiguous() {
		id := share{a, t.DType(), t.Numel()}
		if k, ok := p.sharing[id]; ok {
			key = k
		} else {
			p.sharing[id] = key
		}
	}
	if key == len(p.tensors) {
		p.tensors = append(p.tensors, t)
	}
	shape := t.Shape()
	p.pickle.WriteString("ctorch._utils\n_rebuild_tensor_v2\n((")
	p.string("storage")
	p.pickle.WriteString("ctorch\n" + class + "\n")
	p.string(strconv.Itoa(key))
	p.string("cpu")
	p.int(int64(t.Numel()))
	p.pickle.WriteString("tQ")
	p.int(0)
	strides := make([]int, len(shape))
	step := 1
	for i := len(shape) - 1; i >= 0; i-- {
		strides[i] = step
		step *= max(shape[i], 1)
	}
	for _, v := range [][]int{shape, strides} {
		p.pickle.WriteByte('(')
		for _, n := range v {
			p.int(int64(n))
		}
		p.pickle.WriteByte('t')
	}
	p.bool(false)
	p.pickle.WriteString("ccollections\nOrderedDict\n)RtR")
	return nil
}

func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}

func orTop(path string) string {
	if path == "" {
		return "the value"
	}
	return path
}
