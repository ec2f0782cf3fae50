package mdslib

// The pkl encoding: Python's pickles of plain data, which package pickle reads and writes; here are the names beyond it:
// numpy's arrays (pickle_numpy.go), datetime and decimal (pickle_time.go). No other name is ever taken, so that reading
// runs nothing, whatever the file says.

import (
	"errors"
	"fmt"
	"maps"

	"gomosaic/mdslib/pickle"
)

// Python's containers as a pkl column holds them. A list is a []any.
type (
	// PyTuple is a Python tuple.
	PyTuple = pickle.Tuple
	// PyDict is a Python dict: keys of any type, in order.
	PyDict = pickle.Dict
	// PySet is a Python set or frozenset.
	PySet = pickle.Set
)

// pickleNames are what a pickle may refer to beside plain data.
var pickleNames = func() map[string]any {
	names := map[string]any{}
	maps.Copy(names, numpyNames)
	maps.Copy(names, timeNames)
	names["decimal.Decimal"] = pickle.Func(newPickledDecimal)
	return names
}()

var pickleDecoder = pickle.Decoder{
	Global: func(name pickle.Global) (any, bool) {
		v, ok := pickleNames[name.String()]
		return v, ok
	},
	Build: func(object, state any) error {
		if b, ok := object.(interface{ setState(state any) error }); ok {
			return b.setState(state)
		}
		return fmt.Errorf("BUILD of a %T", object)
	},
}

func decodePickle(data []byte) (any, error) {
	v, _, err := pickleDecoder.Decode(data) // Python ignores what stands behind too
	if err == nil {
		v, err = (&pickled{done: map[any]any{}, busy: map[any]bool{}}).value(v)
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrFormat, err)
	}
	return v, nil
}

// verifyPickle reads a pickle without making values of it. A name that is no plain data is no damage: it ends the reading.
func verifyPickle(data []byte) error {
	_, _, err := pickleDecoder.Decode(data)
	var format *pickle.FormatError
	if errors.As(err, &format) && format.Refused != (pickle.Global{}) {
		return nil
	}
	return err
}

func appendPickle(dst []byte, v any) ([]byte, error) {
	r := pickleReducer{dtypes: map[string]*pickle.Call{}, arrays: map[arrayKey]*pickle.Call{}, zones: map[int]*pickle.Call{}}
	return (&pickle.Encoder{Reduce: r.reduce}).Append(dst, v)
}

// pickled turns what was read into Go's values. What a pickle holds twice is turned once: nested references would
// otherwise grow exponentially.
type pickled struct {
	done map[any]any
	busy map[any]bool
}

func (p *pickled) value(v any) (any, error) {
	var id any
	switch v := v.(type) {
	case *pickle.List, *pickle.Dict, *pickle.Set, *numpyArray:
		id = v
	case pickle.Tuple:
		if len(v) == 0 {
			return v, nil
		}
		id = &v[0]
	case pickle.Function:
		return nil, fmt.Errorf("pickle: %s as a value, which is no plain data", v.Name)
	case numpyClass, *numpyDType, timeZone:
		return nil, fmt.Errorf("pickle: a %T as a value, which is no plain data", v)
	default:
		return v, nil
	}
	if done, ok := p.done[id]; ok {
		return done, nil
	}
	if p.busy[id] {
		return nil, fmt.Errorf("pickle: a value that contains itself")
	}
	p.busy[id] = true
	defer delete(p.busy, id)
	if len(p.busy) > maxJSONDepth {
		return nil, fmt.Errorf("pickle: a value that nests deeper than %d", maxJSONDepth)
	}
	var out any
	var err error
	switch v := v.(type) {
	case *numpyArray:
		out, err = v.array()
	case *pickle.List:
		out, err = p.values(v.Items)
	case pickle.Tuple:
		var items []any
		items, err = p.values(v)
		out = pickle.Tuple(items)
	case *pickle.Set:
		set := &pickle.Set{Frozen: v.Frozen}
		set.Items, err = p.values(v.Items)
		out = set
	case *pickle.Dict:
		dict := &pickle.Dict{}
		if dict.Keys, err = p.values(v.Keys); err == nil {
			dict.Values, err = p.values(v.Values)
		}
		out = dict
	}
	if err != nil {
		return nil, err
	}
	p.done[id] = out
	return out, nil
}

func (p *pickled) values(items []any) ([]any, error) {
	out := make([]any, len(items))
	for i, item := range items {
		var err error
		if out[i], err = p.value(item); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func newPickledDecimal(args pickle.Tuple) (any, error) {
	if len(args) != 1 {
		return nil, fmt.Errorf("%d arguments", len(args))
	}
	text, ok := args[0].(string)
	if !ok {
		return nil, fmt.Errorf("want text, got %T", args[0])
	}
	return ParseDecimal(text)
}
