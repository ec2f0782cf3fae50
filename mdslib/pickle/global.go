package pickle

// The names that plain data needs: older protocols write sets and bytes as calls. Every other name is the Decoder's
// owner's to know, or refused.

import "fmt"

// Function is a name that a pickle may call, as a value.
type Function struct {
	Name Global
	call Func
}

// plain are the callables that need no hook.
var plain = map[Global]Func{
	{"collections", "OrderedDict"}: newDict,
	{"builtins", "dict"}:           newDict,
	{"builtins", "list"}:           newList,
	{"builtins", "tuple"}:          newTuple,
	{"builtins", "set"}:            newSet,
	{"builtins", "frozenset"}:      newFrozenSet,
	{"builtins", "bytes"}:          newBytes,
	{"builtins", "bytearray"}:      newBytes,
	{"_codecs", "encode"}:          encode,
}

// global looks a name up; it is refused here, before anything could be done with it.
func (u *unpickler) global(g Global) any {
	if g.Module == "__builtin__" { // Python 2's name, which protocols 0 to 2 keep
		g.Module = "builtins"
	}
	if f, ok := plain[g]; ok {
		return Function{g, f}
	}
	if u.Global != nil {
		if v, ok := u.Global(g); ok {
			if f, ok := v.(Func); ok {
				return Function{g, f}
			}
			return v
		}
	}
	panic(&FormatError{Offset: u.at, Refused: g, Msg: fmt.Sprintf("it refers to %s, which is no plain data: it may run code, and is refused", g)})
}

func (u *unpickler) call(f Function, args Tuple) any {
	v, err := f.call(args)
	if err != nil {
		u.fail("%s: %v", f.Name, err)
	}
	return v
}

func newDict(args Tuple) (any, error) {
	d := &Dict{}
	if len(args) == 0 {
		return d, nil
	}
	pairs, ok := args[0].(*List)
	if !ok {
		return nil, fmt.Errorf("want a list of pairs, got %T", args[0])
	}
	for _, p := range pairs.Items {
		kv, err := items(Tuple{p})
		if err != nil || len(kv) != 2 {
			return nil, fmt.Errorf("want pairs, got %T", p)
		}
		if err := hashable(kv[0]); err != nil {
			return nil, err
		}
		d.Set(kv[0], kv[1])
	}
	return d, nil
}

// items returns the elements of the list or tuple that is the only argument, if any.
func items(args Tuple) ([]any, error) {
	if len(args) == 0 {
		return nil, nil
	}
	switch v := args[0].(type) {
	case *List:
		return append([]any(nil), v.Items...), nil
	case Tuple:
		return v, nil
	}
	return nil, fmt.Errorf("want a list, got %T", args[0])
}

func newList(args Tuple) (any, error) {
	v, err := items(args)
	return &List{v}, err
}

func newTuple(args Tuple) (any, error) {
	v, err := items(args)
	return Tuple(v), err
}

func newSet(args Tuple) (any, error) {
	v, err := hashables(args)
	return &Set{Items: v}, err
}

func newFrozenSet(args Tuple) (any, error) {
	v, err := hashables(args)
	return &Set{Items: v, Frozen: true}, err
}

func hashables(args Tuple) ([]any, error) {
	v, err := items(args)
	for i := 0; i < len(v) && err == nil; i++ {
		err = hashable(v[i])
	}
	return v, err
}

// newBytes is bytes() or bytearray(b). Text is taken with an encoding, as protocol 2 writes a bytearray.
func newBytes(args Tuple) (any, error) {
	if len(args) == 0 {
		return []byte{}, nil
	}
	switch v := args[0].(type) {
	case []byte:
		return append([]byte{}, v...), nil
	case string:
		return encode(args)
	}
	return nil, fmt.Errorf("want bytes, got %T", args[0])
}

// encode is how protocols 0 to 2 write bytes: as text of the same code points in Latin-1.
func encode(args Tuple) (any, error) {
	if len(args) == 0 {
		return nil, fmt.Errorf("no arguments")
	}
	s, ok := args[0].(string)
	if !ok {
		return nil, fmt.Errorf("want text, got %T", args[0])
	}
	if len(args) > 1 {
		if name, _ := args[1].(string); name != "latin1" && name != "latin-1" {
			return nil, fmt.Errorf("the encoding %v instead of latin1", args[1])
		}
	}
	b := make([]byte, 0, len(s))
	for _, r := range s {
		if r > 0xff {
			return nil, fmt.Errorf("the character %q is not in Latin-1", r)
		}
		b = append(b, byte(r))
	}
	return b, nil
}
