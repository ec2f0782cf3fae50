package nn

import (
	"fmt"
	"reflect"
	"strings"

	"gomosaic/trainlib/torch"
)

// StateDict implements [Module]. The tensors are detached and share the module's memory: training goes on in them. Freeing
// them does the module no harm.
func (b *Base) StateDict() *torch.StateDict {
	sd := torch.NewStateDict()
	torch.NoGrad(func() {
		b.walk("", func(prefix string, m *Base) {
			for _, f := range m.tensors() {
				sd.Set(prefix+f.name, f.tensor.Detach())
			}
		})
	})
	return sd
}

// LoadOptions say how exactly a state dict must fit; the zero value is strict=True.
type LoadOptions struct {
	Partial bool // names that only one side has are passed over; a shape that differs is an error even so
}

// StateDictError tells how a state dict does not fit a module.
type StateDictError struct {
	Missing    []string // names of the module that the state dict lacks
	Unexpected []string // names of the state dict that the module lacks
	Shapes     []string // "classifier.1.weight: [1000, 1280] in the state dict, [5, 1280] in the module"
}

func (e *StateDictError) Error() string {
	var parts []string
	add := func(what string, names []string) {
		const most = 8
		if len(names) == 0 {
			return
		}
		s := what + ": " + strings.Join(names[:min(len(names), most)], ", ")
		if len(names) > most {
			s += fmt.Sprintf(" and %d more", len(names)-most)
		}
		parts = append(parts, s)
	}
	add("shapes differ", e.Shapes)
	add("missing", e.Missing)
	add("unexpected", e.Unexpected)
	return "nn: the state dict does not fit the model: " + strings.Join(parts, "; ")
}

// LoadStateDict implements [Module]: the values are copied into the module's tensors, to their device and type. Nothing is
// changed when the error, a [*StateDictError], is not nil.
func (b *Base) LoadStateDict(sd *torch.StateDict, opts ...LoadOptions) error {
	o := option("LoadStateDict", opts)
	bad := &StateDictError{}
	own := map[string]bool{}
	type pair struct{ to, from *torch.Tensor }
	var pairs []pair
	b.walk("", func(prefix string, m *Base) {
		for _, f := range m.tensors() {
			name := prefix + f.name
			own[name] = true
			from := sd.Get(name)
			if from == nil {
				bad.Missing = append(bad.Missing, name)
				continue
			}
			if have, want := from.Shape(), f.tensor.Shape(); !reflect.DeepEqual(have, want) {
				bad.Shapes = append(bad.Shapes, fmt.Sprintf("%s: %s in the state dict, %s in the module", name, shape(have), shape(want)))
				continue
			}
			pairs = append(pairs, pair{f.tensor, from})
		}
	})
	for name := range sd.All() {
		if !own[name] {
			bad.Unexpected = append(bad.Unexpected, name)
		}
	}
	if len(bad.Shapes) > 0 || !o.Partial && len(bad.Missing)+len(bad.Unexpected) > 0 {
		return bad
	}
	torch.NoGrad(func() {
		for _, p := range pairs {
			p.to.CopyInPlace(p.from)
		}
	})
	return nil
}

// shape prints as Python does: [5, 1280].
func shape(s []int) string { return strings.ReplaceAll(fmt.Sprint(s), " ", ", ") }
