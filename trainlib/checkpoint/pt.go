package checkpoint

import (
	"archive/zip"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/big"
	"strings"

	"gomosaic/mdslib/pickle"
	"gomosaic/trainlib/torch"
)

// This file implements the reading of torch.save's two layouts:
//
//	zip (since 1.6)  <name>/data.pkl     the value; storages by key
//	                 <name>/data/<key>   one storage each, uncompressed
//	                 <name>/byteorder    "little"
//	legacy           five pickles: magic number, protocol 1001, system, the value, the list of keys;
//	                 then for each key int64 elements and the storage

// ptFile is an opened .pt file: the value, whose tensors refer to storages, and how to read those.
type ptFile struct {
	value   any
	storage func(s storageRef) ([]byte, error) // the raw elements, little-endian; each call reads anew
}

// legacyMagic begins files of PyTorch before 1.6.
var legacyMagic, _ = new(big.Int).SetString("1950a86a20f9469cfc6c", 16)

// parsePT opens a file of the given size.
func parsePT(r io.ReaderAt, size int64) (*ptFile, error) {
	z, err := zip.NewReader(r, size)
	if errors.Is(err, zip.ErrFormat) {
		return parseLegacy(r, size)
	}
	if err != nil {
		return nil, err
	}
	files := map[string]*zip.File{}
	prefix, found := "", false
	for _, f := range z.File {
		files[f.Name] = f
		if dir, ok := strings.CutSuffix(f.Name, "data.pkl"); ok && strings.Count(f.Name, "/") <= 1 {
			prefix, found = dir, true
		}
	}
	if !found {
		return nil, errors.New("a zip file without data.pkl: not written by torch.save")
	}
	if files[prefix+"constants.pkl"] != nil {
		return nil, errors.New("a TorchScript archive: save the state_dict() instead")
	}
	read := func(name string) ([]byte, error) {
		f := files[prefix+name]
		if f == nil {
			return nil, fmt.Errorf("%s%s is missing", prefix, name)
		}
		if f.UncompressedSize64 > uint64(size) && f.Method == zip.Store {
			return nil, fmt.Errorf("%s%s claims %d bytes in a file of %d", prefix, name, f.UncompressedSize64, size)
		}
		rc, err := f.Open()
		if err != nil {
			return nil, err
		}
		defer rc.Close()
		return io.ReadAll(rc)
	}
	if files[prefix+"byteorder"] != nil {
		b, err := read("byteorder")
		if err != nil {
			return nil, err
		}
		if string(b) != "little" {
			return nil, fmt.Errorf("byte order %q: only little is supported", b)
		}
	}
	program, err := read("data.pkl")
	if err != nil {
		return nil, err
	}
	v, _, err := unpickle(program)
	if err != nil {
		return nil, fmt.Errorf("%sdata.pkl: %w", prefix, err)
	}
	return &ptFile{value: v, storage: func(s storageRef) ([]byte, error) {
		b, err := read("data/" + s.key)
		if err != nil {
			return nil, err
		}
		return b, fits(s, len(b))
	}}, nil
}

// fits holds a storage's bytes to its declared length.
func fits(s storageRef, n int) error {
	if want := s.elements * int64(s.dtype.ElementBytes()); int64(n) < want {
		return fmt.Errorf("storage %s holds %d bytes, its %d elements of %v take %d", s.key, n, s.elements, s.dtype, want)
	}
	return nil
}

func parseLegacy(r io.ReaderAt, size int64) (*ptFile, error) {
	all := make([]byte, size)
	if _, err := io.ReadFull(io.NewSectionReader(r, 0, size), all); err != nil {
		return nil, err
	}
	at := 0
	next := func() (any, error) {
		v, n, err := unpickle(all[at:])
		at += n
		return v, err
	}
	magic, err := next()
	if m, ok := magic.(*big.Int); err != nil || !ok || m.Cmp(legacyMagic) != 0 {
		return nil, errors.New("neither a zip file nor a legacy file of torch.save")
	}
	if protocol, err := next(); err != nil || protocol != int64(1001) {
		return nil, fmt.Errorf("legacy file of protocol %v, want 1001", protocol)
	}
	system, err := next()
	if err != nil {
		return nil, err
	}
	if d, ok := system.(*Dict); ok {
		if little, ok := d.Get("little_endian"); ok && little != true {
			return nil, errors.New("a big-endian legacy file: only little is supported")
		}
	}
	value, err := next()
	if err != nil {
		return nil, err
	}
	keys, err := next()
	if err != nil {
		return nil, err
	}
	l, ok := keys.(*pickle.List)
	if !ok {
		return nil, fmt.Errorf("legacy file: the storage keys are a %T, want a list", keys)
	}
	sizes := map[string]storageRef{} // the element size is known only from the value
	eachTensor(value, func(_ string, t *tensorRef) { sizes[t.storage.key] = t.storage })
	storages := map[string][]byte{}
	for _, k := range l.Items {
		key, ok := k.(string)
		if !ok || len(all)-at < 8 {
			return nil, errors.New("legacy file: it ends before its storages")
		}
		n := binary.LittleEndian.Uint64(all[at:])
		at += 8
		s, ok := sizes[key]
		if !ok {
			return nil, fmt.Errorf("legacy file: storage %s belongs to no tensor", key)
		}
		bytes := n * uint64(s.dtype.ElementBytes())
		if n > uint64(len(all)) || bytes > uint64(len(all)-at) {
			return nil, fmt.Errorf("legacy file: it ends within storage %s", key)
		}
		storages[key] = all[at : at+int(bytes)]
		at += int(bytes)
	}
	return &ptFile{value: value, storage: func(s storageRef) ([]byte, error) {
		b, ok := storages[s.key]
		if !ok {
			return nil, fmt.Errorf("legacy file: storage %s is missing", s.key)
		}
		return b, fits(s, len(b))
	}}, nil
}

// eachTensor visits the tensors in a value with their paths; what is shared is visited once.
func eachTensor(v any, f func(path string, t *tensorRef)) {
	seen := map[any]bool{}
	var visit func(path string, v any)
	visit = func(path string, v any) {
		join := func(k any) string {
			if path == "" {
				return fmt.Sprint(k)
			}
			return path + "." + fmt.Sprint(k)
		}
		switch x := v.(type) {
		case *tensorRef:
			f(path, x)
		case *Dict:
			if seen[x] {
				return
			}
			seen[x] = true
			for i, k := range x.Keys {
				visit(join(k), x.Values[i])
			}
		case *pickle.List:
			if seen[x] {
				return
			}
			seen[x] = true
			for i, e := range x.Items {
				visit(join(i), e)
			}
		case Tuple:
			if len(x) > 0 {
				if seen[&x[0]] {
					return
				}
				seen[&x[0]] = true
			}
			for i, e := range x {
				visit(join(i), e)
			}
		}
	}
	visit("", v)
}

// Entry describes one tensor of a file.
type Entry struct {
	Name  string // path through the dicts: "model.features.0.0.weight"
	DType torch.DType
	Shape []int
}
