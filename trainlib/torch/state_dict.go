package torch

import "iter"

// Named is a tensor with the name it has in a module: "features.0.0.weight".
type Named struct {
	Name   string
	Tensor *Tensor
}

// StateDict is the parameters and buffers of a model by name, in the model's order, as Python's state_dict(). The zero value
// is empty and ready.
type StateDict struct {
	names []string
	at    map[string]*Tensor
}

// NewStateDict makes a state dict of the given entries.
func NewStateDict(entries ...Named) *StateDict {
	sd := &StateDict{}
	for _, e := range entries {
		sd.Set(e.Name, e.Tensor)
	}
	return sd
}

// Set stores a tensor under a name; a new name goes to the end.
func (sd *StateDict) Set(name string, t *Tensor) {
	if sd.at == nil {
		sd.at = map[string]*Tensor{}
	}
	if _, ok := sd.at[name]; !ok {
		sd.names = append(sd.names, name)
	}
	sd.at[name] = t
}

// Get is the tensor of a name, or nil.
func (sd *StateDict) Get(name string) *Tensor { return sd.at[name] }

// Delete removes a name.
func (sd *StateDict) Delete(name string) {
	if _, ok := sd.at[name]; !ok {
		return
	}
	delete(sd.at, name)
	for i, n := range sd.names {
		if n == name {
			sd.names = append(sd.names[:i:i], sd.names[i+1:]...)
			return
		}
	}
}

// Len is the number of entries.
func (sd *StateDict) Len() int { return len(sd.names) }

// Names are the names in order; the slice is the caller's.
func (sd *StateDict) Names() []string { return append([]string(nil), sd.names...) }

// All yields the entries in order.
func (sd *StateDict) All() iter.Seq2[string, *Tensor] {
	return func(yield func(string, *Tensor) bool) {
		for _, n := range sd.names {
			if !yield(n, sd.at[n]) {
				return
			}
		}
	}
}

// Free frees all tensors.
func (sd *StateDict) Free() {
	for _, t := range sd.at {
		t.Free()
	}
}
