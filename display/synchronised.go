package display

// Values that goroutines share, described by what they hold: atomics and sync.Map. Used by describer.

import (
	"reflect"
	"sync"
)

// synchronised describes a value of package sync/atomic, or a sync.Map, or a pointer to one; ok is false for any other.
func (d *describer) synchronised(v reflect.Value, depth int) (n node, ok bool) {
	t := v.Type()
	if t.Kind() == reflect.Pointer {
		if v.IsNil() {
			return node{}, false
		}
		t = t.Elem()
	}
	if !v.CanInterface() || t.PkgPath() != "sync/atomic" && t != reflect.TypeFor[sync.Map]() {
		return node{}, false
	}
	if v.Kind() != reflect.Pointer {
		v = pointerTo(v)
	}
	n = node{open: typeName(t) + "(", close: ")"}
	if m, ok := v.Interface().(*sync.Map); ok {
		entries := map[any]any{}
		m.Range(func(key, value any) bool {
			entries[key] = value
			return len(entries) < sortedEntries
		})
		n.items = []node{d.describe(reflect.ValueOf(entries), max(depth, 1))}
		return n, true
	}
	load := v.MethodByName("Load")
	if !load.IsValid() {
		return node{}, false
	}
	n.items = []node{d.describe(load.Call(nil)[0], max(depth, 1))}
	return n, true
}
