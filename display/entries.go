package display

// The first entries of a map, in the order of its keys. Used by the describer.

import (
	"cmp"
	"reflect"
	"slices"
	"strconv"
)

// sortedEntries bounds how many entries are looked at for those with the smallest keys; of a larger map any are shown.
const sortedEntries = 1_000_000

type entry struct{ key, value reflect.Value }

// firstEntries gives the n entries of a map with the smallest keys, sorted.
func firstEntries(v reflect.Value, n int) []entry {
	var first []entry
	key := reflect.New(v.Type().Key()).Elem() // one for all: most are only looked at
	it := v.MapRange()
	for range min(v.Len(), sortedEntries) {
		if !it.Next() {
			break
		}
		if v.CanInterface() {
			key.SetIterKey(it)
		} else { // of an unexported field
			key = it.Key()
		}
		if len(first) == n && compareKeys(key, first[n-1].key) >= 0 {
			continue
		}
		at, _ := slices.BinarySearchFunc(first, key, func(e entry, key reflect.Value) int { return compareKeys(e.key, key) })
		first = slices.Insert(first, at, entry{it.Key(), it.Value()})
		first = first[:min(len(first), n)]
	}
	return first
}

// compareKeys orders the keys of a map as fmt does, as far as they have an order.
func compareKeys(a, b reflect.Value) int {
	switch a.Kind() {
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return cmp.Compare(a.Int(), b.Int())
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uintptr:
		return cmp.Compare(a.Uint(), b.Uint())
	case reflect.String:
		return cmp.Compare(a.String(), b.String())
	case reflect.Float32, reflect.Float64:
		return cmp.Compare(a.Float(), b.Float())
	case reflect.Bool:
		return cmp.Compare(strconv.FormatBool(a.Bool()), strconv.FormatBool(b.Bool()))
	case reflect.Array:
		for i := range a.Len() {
			if c := compareKeys(a.Index(i), b.Index(i)); c != 0 {
				return c
			}
		}
	case reflect.Struct:
		for i := range a.NumField() {
			if c := compareKeys(a.Field(i), b.Field(i)); c != 0 {
				return c
			}
		}
	case reflect.Interface:
		x, y := a.Elem(), b.Elem()
		if !x.IsValid() || !y.IsValid() {
			return cmp.Compare(strconv.FormatBool(x.IsValid()), strconv.FormatBool(y.IsValid()))
		}
		if x.Type() != y.Type() {
			return cmp.Compare(x.Type().String(), y.Type().String())
		}
		return compareKeys(x, y)
	}
	return 0
}
