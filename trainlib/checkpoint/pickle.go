package checkpoint

import (
	"fmt"

	"gomosaic/mdslib/pickle"
	"gomosaic/trainlib/torch"
)

// This file reads the pickles of torch.save: package pickle does, with the names that PyTorch needs (globals.go). Values
// beyond plain data are:
//
//	torch.Size → Tuple   dtype → torch.DType   device → string   tensor → *tensorRef

// Tuple is written as a Python tuple.
type Tuple = pickle.Tuple

// Dict is a Python dict or OrderedDict: entries in order, keys of any type.
type Dict = pickle.Dict

// FormatError locates what is wrong in a pickle.
type FormatError = pickle.FormatError

// storageRef is a storage of the file, by its key.
type storageRef struct {
	key      string
	dtype    torch.DType
	elements int64
}

// tensorRef is a tensor as a view of a storage.
type tensorRef struct {
	storage      storageRef
	offset       int64 // in elements
	size, stride []int64
}

var decoder = pickle.Decoder{Global: lookUp, Persistent: persistentStorage, Build: build}

// unpickle runs one pickle at the beginning of in and returns its value and its length.
func unpickle(in []byte) (v any, n int, err error) { return decoder.Decode(in) }

// lookUp knows the names of the lists in globals.go.
func lookUp(g pickle.Global) (any, bool) {
	if d, ok := dtypes[g.String()]; ok {
		return d, true
	}
	if _, ok := storageTypes[g.String()]; ok {
		return g, true
	}
	f, ok := callables[g.String()]
	return f, ok
}

// build takes the state of an OrderedDict (_metadata) or Parameter, which tells nothing about the values.
func build(object, _ any) error {
	switch object.(type) {
	case *Dict, *tensorRef:
		return nil
	}
	return fmt.Errorf("BUILD of a %T", object)
}

// persistentStorage reads a persistent id: ("storage", class, key, location, elements[, view]).
func persistentStorage(id any) (any, error) {
	t, ok := id.(Tuple)
	if !ok || len(t) < 5 || t[0] != "storage" {
		return nil, fmt.Errorf("a persistent id that is no storage")
	}
	class, _ := t[1].(pickle.Global)
	dtype, ok := storageTypes[class.String()]
	if !ok {
		return nil, fmt.Errorf("the storage type %v is not known", t[1])
	}
	key, ok := t[2].(string)
	n, ok2 := t[4].(int64)
	if !ok || !ok2 || n < 0 {
		return nil, fmt.Errorf("a storage without key and number of elements")
	}
	if len(t) > 5 && t[5] != nil {
		return nil, fmt.Errorf("a view of a storage, as PyTorch before 0.4 wrote it")
	}
	return storageRef{key, dtype, n}, nil
}
