package pickle

// The values of a pickle, where Go has none of its own:
//
//	None → nil          bool → bool         int → int64, *big.Int beyond   float → float64
//	str → string        bytes, bytearray → []byte                          tuple → Tuple
//	list → *List        dict, OrderedDict → *Dict                          set, frozenset → *Set
//
// Everything else in a pickle is a name with arguments, which [Decoder.Global] may know.

import (
	"fmt"
	"iter"
)

// Tuple is a Python tuple.
type Tuple []any

// List is a Python list. It is a pointer's target, because several values may hold the same list, even itself.
type List struct{ Items []any }

// Dict is a Python dict or OrderedDict: entries in order, keys of any type that Python can hash.
type Dict struct {
	Keys   []any
	Values []any
}

// Get returns the value of a string key.
func (d *Dict) Get(key string) (value any, ok bool) {
	for i := len(d.Keys) - 1; i >= 0; i-- { // of equal keys the last one counts
		if k, ok := d.Keys[i].(string); ok && k == key {
			return d.Values[i], true
		}
	}
	return nil, false
}

// Set appends an entry. A key must be given once.
func (d *Dict) Set(key, value any) {
	d.Keys, d.Values = append(d.Keys, key), append(d.Values, value)
}

// All yields the entries in order.
func (d *Dict) All() iter.Seq2[any, any] {
	return func(yield func(any, any) bool) {
		for i, k := range d.Keys {
			if !yield(k, d.Values[i]) {
				return
			}
		}
	}
}

// Set is a Python set or frozenset; Items come in the order of the pickle, which Python leaves open.
type Set struct {
	Items  []any
	Frozen bool
}

// Global is a name in a Python module.
type Global struct{ Module, Name string }

func (g Global) String() string { return g.Module + "." + g.Name }

// Call is how Python pickles any other object: Func(*Args), and a State for its __setstate__ if HasState is set. Two values
// that hold the same *Call share one object.
type Call struct {
	Func     Global
	Args     Tuple
	State    any
	HasState bool
}

// Fresh is a string or []byte that Python makes anew whenever it pickles the object: equal ones are not one.
type Fresh struct{ Value any }

// Func makes an object of the arguments that a pickle gives.
type Func func(args Tuple) (any, error)

// FormatError locates what is wrong in a pickle.
type FormatError struct {
	Offset  int // in the pickle
	Msg     string
	Refused Global // the name that was refused; zero where the pickle is damaged
}

func (e *FormatError) Error() string { return fmt.Sprintf("pickle: byte %d: %s", e.Offset, e.Msg) }
