package nn

import (
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"unicode"
	"unsafe"

	"gomosaic/trainlib/torch"
)

// A module's parts are the fields of its struct, exported or not, in their order:
//
//	*torch.Tensor               a parameter; a buffer when tagged `nn:",buffer"`
//	something that embeds Base  a sub-module
//	a slice of such             sub-modules name.0, name.1, …; with `nn:",inline"` 0, 1, …
//	anything else, nil,
//	and what is tagged `nn:"-"` nothing
//
// The first word of the tag is the name; without one it is the field's in snake case: Conv1 → conv1, NumBatchesTracked →
// num_batches_tracked.

// tensorField is a parameter or buffer of one module.
type tensorField struct {
	name   string
	tensor *torch.Tensor
	buffer bool
}

// childField is a sub-module.
type childField struct {
	name   string
	module *Base
}

var (
	tensorType = reflect.TypeFor[*torch.Tensor]()
	memberType = reflect.TypeFor[member]()
	baseType   = reflect.TypeFor[Base]()
)

// fields calls f for each field of the struct that may hold a part.
func (b *Base) fields(f func(name string, options []string, v reflect.Value)) {
	if b.self == nil {
		panic("nn: a module is used before its constructor called Init(m)")
	}
	s := reflect.ValueOf(b.self).Elem()
	for i := range s.NumField() {
		t := s.Type().Field(i)
		if t.Type == baseType {
			continue
		}
		tag := t.Tag.Get("nn")
		if tag == "-" {
			continue
		}
		words := strings.Split(tag, ",")
		name := words[0]
		if name == "" {
			name = snake(t.Name)
		}
		v := s.Field(i)
		if !t.IsExported() { // reflection reads an unexported field only through its address
			v = reflect.NewAt(v.Type(), unsafe.Pointer(v.UnsafeAddr())).Elem()
		}
		f(name, words[1:], v)
	}
}

func has(options []string, name string) bool {
	for _, o := range options {
		if o == name {
			return true
		}
	}
	return false
}

// tensors are the parameters and buffers of this module alone: parameters first, as Python lists them.
func (b *Base) tensors() []tensorField {
	var params, buffers []tensorField
	b.fields(func(name string, options []string, v reflect.Value) {
		if v.Type() != tensorType || v.IsNil() {
			return
		}
		f := tensorField{name: name, tensor: v.Interface().(*torch.Tensor), buffer: has(options, "buffer")}
		if f.buffer {
			buffers = append(buffers, f)
		} else {
			params = append(params, f)
		}
	})
	return append(params, buffers...)
}

// children are the sub-modules of this module.
func (b *Base) children() []childField {
	var all []childField
	add := func(name string, v reflect.Value) {
		if (v.Kind() == reflect.Pointer || v.Kind() == reflect.Interface) && v.IsNil() {
			return
		}
		m, ok := v.Interface().(member)
		if !ok {
			return
		}
		c := m.base()
		if c.self == nil {
			panic(fmt.Sprintf("nn: field %s of %T: the constructor of %T did not call Init", name, b.self, v.Interface()))
		}
		all = append(all, childField{name, c})
	}
	b.fields(func(name string, options []string, v reflect.Value) {
		t := v.Type()
		switch {
		case t.Implements(memberType):
			add(name, v)
		case t.Kind() == reflect.Struct && reflect.PointerTo(t).Implements(memberType):
			add(name, v.Addr())
		case (t.Kind() == reflect.Slice || t.Kind() == reflect.Array) && t.Elem().Implements(memberType):
			for i := range v.Len() {
				n := strconv.Itoa(i)
				if !has(options, "inline") {
					n = name + "." + n
				}
				add(n, v.Index(i))
			}
		}
	})
	return all
}

// walk calls f for this module and all below it, outer first, with the prefix of their names.
func (b *Base) walk(prefix string, f func(prefix string, m *Base)) {
	f(prefix, b)
	for _, c := range b.children() {
		c.module.walk(prefix+c.name+".", f)
	}
}

// snake turns a Go name into Python's: RunningMean → running_mean, FC1 → fc1, BNMomentum → bn_momentum.
func snake(name string) string {
	r := []rune(name)
	var s strings.Builder
	for i, c := range r {
		if unicode.IsUpper(c) && i > 0 && (unicode.IsLower(r[i-1]) || unicode.IsUpper(r[i-1]) && i+1 < len(r) && unicode.IsLower(r[i+1])) {
			s.WriteByte('_')
		}
		s.WriteRune(unicode.ToLower(c))
	}
	return s.String()
}
