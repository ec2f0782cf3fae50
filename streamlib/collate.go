package streamlib

import (
	"fmt"
	"reflect"
	"slices"

	"gomosaic/mdslib"
	"gomosaic/streamlib/transforms"
)

// collate makes a batch of samples. Numbers become columns of shape [samples], arrays of one shape columns of shape
// [samples, …]; everything else (strings, bytes, images, arrays of differing shapes, values of differing types) goes to
// Values. All samples must have the same columns.
func collate(samples []mdslib.Sample, ids []int64) (*Batch, error) {
	b := &Batch{Samples: len(samples), IDs: ids, Columns: map[string]Column{}, Values: map[string][]any{}}
	for name := range samples[0] {
		values := make([]any, len(samples))
		for i, s := range samples {
			v, ok := s[name]
			if !ok || len(s) != len(samples[0]) {
				return nil, fmt.Errorf("streamlib: samples %d and %d of a batch have different columns: %v and %v",
					ids[0], ids[i], columnNames(samples[0]), columnNames(s))
			}
			values[i] = v
		}
		if c, ok := stack(values); ok {
			b.Columns[name] = c
		} else {
			b.Values[name] = values
		}
	}
	return b, nil
}

func columnNames(s mdslib.Sample) []string {
	names := make([]string, 0, len(s))
	for name := range s {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

func stack(values []any) (Column, bool) {
	switch values[0].(type) {
	case transforms.Array:
		return stackArrays(values)
	case mdslib.Array:
		return stackDense(values)
	case int64:
		return scalars[int64](values)
	case int32:
		return scalars[int32](values)
	case int16:
		return scalars[int16](values)
	case int8:
		return scalars[int8](values)
	case uint64:
		return scalars[uint64](values)
	case uint32:
		return scalars[uint32](values)
	case uint16:
		return scalars[uint16](values)
	case uint8:
		return scalars[uint8](values)
	case float64:
		return scalars[float64](values)
	case float32:
		return scalars[float32](values)
	case bool:
		return scalars[bool](values)
	case int:
		data := make([]int64, len(values))
		for i, v := range values {
			n, ok := v.(int)
			if !ok {
				return Column{}, false
			}
			data[i] = int64(n)
		}
		return Column{Shape: []int{len(data)}, Data: data}, true
	}
	return Column{}, false
}

func scalars[T any](values []any) (Column, bool) {
	data := make([]T, len(values))
	for i, v := range values {
		var ok bool
		if data[i], ok = v.(T); !ok {
			return Column{}, false
		}
	}
	return Column{Shape: []int{len(data)}, Data: data}, true
}

func stackArrays(values []any) (Column, bool) {
	first := values[0].(transforms.Array)
	for _, v := range values[1:] {
		if a, ok := v.(transforms.Array); !ok || !slices.Equal(a.Shape, first.Shape) || len(a.Data) != len(first.Data) {
			return Column{}, false
		}
	}
	n := len(first.Data)
	data := make([]float32, n*len(values))
	for i, v := range values {
		copy(data[i*n:(i+1)*n], v.(transforms.Array).Data)
	}
	return Column{Shape: append([]int{len(values)}, first.Shape...), Data: data}, true
}

// stackDense stacks decoded ndarray columns of one type and shape.
func stackDense(values []any) (Column, bool) {
	first := values[0].(mdslib.Array)
	kind := reflect.TypeOf(first.Data)
	if kind == nil || kind.Kind() != reflect.Slice {
		return Column{}, false
	}
	n := reflect.ValueOf(first.Data).Len()
	for _, v := range values[1:] {
		a, ok := v.(mdslib.Array)
		if !ok || !slices.Equal(a.Shape, first.Shape) || reflect.TypeOf(a.Data) != kind || reflect.ValueOf(a.Data).Len() != n {
			return Column{}, false
		}
	}
	data := reflect.MakeSlice(kind, n*len(values), n*len(values))
	for i, v := range values {
		reflect.Copy(data.Slice(i*n, (i+1)*n), reflect.ValueOf(v.(mdslib.Array).Data))
	}
	return Column{Shape: append([]int{len(values)}, first.Shape...), Data: data.Interface()}, true
}
