package checkpoint

import (
	"errors"
	"fmt"
	"io"
	"math/big"
	"os"
	"path/filepath"
	"strings"

	"gomosaic/mdslib/pickle"
	"gomosaic/trainlib/torch"
)

// Save writes a value to a file: a *torch.StateDict as .pt or, by the file's ending, .safetensors; a nest of maps
// (map[string]any, map[int64]any), slices, numbers, strings, bools, nil and tensors as .pt. The file appears whole or not at
// all: it is written beside its place and renamed. Tensors on a GPU are copied to the CPU.
func Save(path string, value any) error {
	return atomically(path, func(w io.Writer) (err error) {
		if e := torch.Try(func() {
			if strings.HasSuffix(path, ".safetensors") {
				sd, ok := value.(*torch.StateDict)
				if !ok {
					err = fmt.Errorf("a .safetensors file holds a *torch.StateDict, not a %T", value)
					return
				}
				err = writeSafetensors(w, sd)
				return
			}
			err = writePT(w, value)
		}); e != nil {
			return e
		}
		return err
	})
}

// atomically writes a file beside its place and renames it.
func atomically(path string, write func(w io.Writer) error) error {
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*.tmp")
	if err != nil {
		return fmt.Errorf("checkpoint: %w", err)
	}
	defer os.Remove(f.Name()) // of no consequence once renamed
	err = write(f)
	if err == nil {
		err = f.Chmod(0o644)
	}
	if err == nil {
		err = f.Sync()
	}
	if e := f.Close(); err == nil {
		err = e
	}
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return fmt.Errorf("checkpoint: %s: %w", path, err)
	}
	return nil
}

// Load reads a .pt, .pth or .safetensors file. A dict of tensors alone comes as *torch.StateDict, in its order; another with
// string keys as map[string]any, one with int keys as map[int64]any, any other as *[Dict]; lists, tuples and sets as []any, ints
// as int64, floats as float64. Tensors are on the CPU and belong to the caller's scope; views of one storage
// share it.
func Load(path string) (any, error) {
	var v any
	err := open(path, func(f *os.File, size int64) error {
		if strings.HasSuffix(path, ".safetensors") {
			sd, err := loadSafetensors(f, size)
			v = sd
			return err
		}
		p, err := parsePT(f, size)
		if err != nil {
			return err
		}
		v, err = (&loader{file: p, storages: map[string]*torch.Tensor{}, done: map[any]any{}, busy: map[any]bool{}}).load("", p.value)
		return err
	})
	return v, err
}

// LoadStateDict reads the state dict of a file: the file's own value, or the one it keeps under "state_dict", "model" or
// "model_state_dict", as checkpoints of training runs do.
func LoadStateDict(path string) (*torch.StateDict, error) {
	v, err := Load(path)
	if err != nil {
		return nil, err
	}
	if sd, ok := v.(*torch.StateDict); ok {
		return sd, nil
	}
	if m, ok := v.(map[string]any); ok {
		for _, key := range []string{"state_dict", "model", "model_state_dict"} {
			if sd, ok := m[key].(*torch.StateDict); ok {
				return sd, nil
			}
		}
	}
	return nil, fmt.Errorf("checkpoint: %s holds no state dict, neither itself nor as state_dict, model or model_state_dict", path)
}

// Inspect lists the tensors of a file without libtorch.
func Inspect(path string) ([]Entry, error) {
	var entries []Entry
	err := open(path, func(f *os.File, size int64) error {
		if strings.HasSuffix(path, ".safetensors") {
			st, err := parseSafetensors(f, size)
			for _, e := range st {
				entries = append(entries, e.Entry)
			}
			return err
		}
		p, err := parsePT(f, size)
		if err != nil {
			return err
		}
		eachTensor(p.value, func(name string, t *tensorRef) {
			e := Entry{Name: name, DType: t.storage.dtype}
			for _, n := range t.size {
				e.Shape = append(e.Shape, int(n))
			}
			entries = append(entries, e)
		})
		return nil
	})
	return entries, err
}

func open(path string, read func(f *os.File, size int64) error) error {
	f, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("checkpoint: %w", err)
	}
	defer f.Close()
	st, err := f.Stat()
	if err == nil {
		if e := torch.Try(func() { err = read(f, st.Size()) }); e != nil {
			err = e
		}
	}
	if err != nil {
		return fmt.Errorf("checkpoint: %s: %w", path, err)
	}
	return nil
}

func loadSafetensors(r io.ReaderAt, size int64) (*torch.StateDict, error) {
	entries, err := parseSafetensors(r, size)
	if err != nil {
		return nil, err
	}
	sd := torch.NewStateDict()
	for _, e := range entries {
		b := make([]byte, e.end-e.begin)
		if _, err := r.ReadAt(b, e.begin); err != nil && !errors.Is(err, io.EOF) {
			return nil, err
		}
		sd.Set(e.Name, torch.FromBytes(b, e.DType, e.Shape...))
	}
	return sd, nil
}

// loader turns the values of a pickle into what Load returns. A value that is referred to twice is turned once: nested
// references would otherwise grow exponentially.
type loader struct {
	file     *ptFile
	storages map[string]*torch.Tensor
	done     map[any]any
	busy     map[any]bool
}

func (l *loader) load(path string, v any) (any, error) {
	var id any
	switch x := v.(type) {
	case *Dict, *pickle.List, *pickle.Set, *tensorRef:
		id = x
	case Tuple:
		if len(x) == 0 {
			return []any{}, nil
		}
		id = &x[0]
	case pickle.Global, pickle.Function, storageRef, *big.Int:
		return nil, fmt.Errorf("%s: a value of type %T is not supported", orTop(path), v)
	default:
		return v, nil
	}
	if r, ok := l.done[id]; ok {
		return r, nil
	}
	if l.busy[id] {
		return nil, fmt.Errorf("%s: the value contains itself", orTop(path))
	}
	l.busy[id] = true
	defer delete(l.busy, id)
	var r any
	var err error
	switch x := v.(type) {
	case *tensorRef:
		r, err = l.tensor(path, x)
	case *Dict:
		r, err = l.dict(path, x)
	case *pickle.List:
		r, err = l.items(path, x.Items)
	case *pickle.Set:
		r, err = l.items(path, x.Items)
	case Tuple:
		r, err = l.items(path, x)
	}
	if err != nil {
		return nil, err
	}
	l.done[id] = r
	return r, nil
}

func (l *loader) items(path string, items []any) ([]any, error) {
	out := make([]any, len(items))
	for i, x := range items {
		v, err := l.load(join(path, fmt.Sprint(i)), x)
		if err != nil {
			return nil, err
		}
		out[i] = v
	}
	return out, nil
}

func (l *loader) dict(path string, d *Dict) (any, error) {
	values := make([]any, len(d.Values))
	strs, ints, tensors := true, true, len(d.Keys) > 0
	for i, k := range d.Keys {
		v, err := l.load(join(path, fmt.Sprint(k)), d.Values[i])
		if err != nil {
			return nil, err
		}
		values[i] = v
		_, isString := k.(string)
		_, isInt := k.(int64)
		_, isTensor := v.(*torch.Tensor)
		strs, ints, tensors = strs && isString, ints && isInt, tensors && isTensor
	}
	switch {
	case strs && tensors:
		sd := torch.NewStateDict()
		for i, k := range d.Keys {
			sd.Set(k.(string), values[i].(*torch.Tensor))
		}
		return sd, nil
	case strs:
		m := make(map[string]any, len(values))
		for i, k := range d.Keys {
			m[k.(string)] = values[i]
		}
		return m, nil
	case ints:
		m := make(map[int64]any, len(values))
		for i, k := range d.Keys {
			m[k.(int64)] = values[i]
		}
		return m, nil
	}
	return &Dict{Keys: d.Keys, Values: values}, nil
}

// tensor makes a tensor as a view of its storage, which is read once.
func (l *loader) tensor(path string, t *tensorRef) (*torch.Tensor, error) {
	s := l.storages[t.storage.key]
	if s == nil {
		b, err := l.file.storage(t.storage)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", orTop(path), err)
		}
		n := t.storage.elements * int64(t.storage.dtype.ElementBytes())
		s = torch.FromBytes(b[:n], t.storage.dtype, int(t.storage.elements))
		l.storages[t.storage.key] = s
	}
	if s.DType() != t.storage.dtype || int64(s.Numel()) < t.storage.elements {
		return nil, fmt.Errorf("%s: storage %s is referred to with two types or lengths", orTop(path), t.storage.key)
	}
	size, stride := make([]int, len(t.size)), make([]int, len(t.stride))
	for i := range size {
		size[i], stride[i] = int(t.size[i]), int(t.stride[i])
	}
	return s.AsStrided(size, stride, int(t.offset)), nil
}
