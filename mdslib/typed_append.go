package mdslib

// How fields become columns: what each takes is settled when the writer is made, so that samples of numbers, text and bytes
// need no interface values and no memory.

import (
	"encoding/binary"
	"math"
	"reflect"
)

// columnAppender returns a function that appends the columns of a struct, by their number in s. It reads the variable whose
// value it is given, whatever that holds then.
func columnAppender(variable reflect.Value, columns []typedColumn, s *schema) func(dst []byte, column int) ([]byte, error) {
	fields := make([]reflect.Value, len(s.names))
	appenders := make([]func([]byte, reflect.Value) ([]byte, error), len(s.names))
	for i, name := range s.names {
		for _, c := range columns {
			if c.name == name {
				fields[i] = variable.FieldByIndex(c.index)
			}
		}
		var null any
		if s.nulls != nil {
			null = s.nulls[i]
		}
		appenders[i] = fieldAppender(s.encodings[i], fields[i].Type(), null)
	}
	return func(dst []byte, column int) ([]byte, error) { return appenders[column](dst, fields[column]) }
}

// fieldAppender returns how a field of type t is appended as e.
func fieldAppender(e *Encoding, t reflect.Type, null any) func(dst []byte, field reflect.Value) ([]byte, error) {
	general := func(dst []byte, field reflect.Value) ([]byte, error) {
		value := plainValue(field)
		if value == nil {
			value = null
		}
		return e.Append(dst, value)
	}
	whole := e.kind >= reflect.Int8 && e.kind <= reflect.Uint64
	appendWhole := appendUnsignedInteger
	if e.kind <= reflect.Int64 {
		appendWhole = appendSignedInteger
	}
	switch {
	case t == reflect.TypeFor[[]byte]():
		return func(dst []byte, field reflect.Value) ([]byte, error) {
			if b := field.Bytes(); b != nil {
				return e.appendEncoded(dst, b)
			}
			return general(dst, field)
		}
	case t == reflect.TypeFor[Float16](), t == reflect.TypeFor[Decimal](): // numbers that their kinds do not tell of
		return general
	case whole && t.Kind() >= reflect.Int && t.Kind() <= reflect.Int64:
		return func(dst []byte, field reflect.Value) ([]byte, error) {
			return appendWhole(dst, e.name, e.bytes, integerOf(field.Int()))
		}
	case whole && t.Kind() >= reflect.Uint && t.Kind() <= reflect.Uint64:
		return func(dst []byte, field reflect.Value) ([]byte, error) {
			return appendWhole(dst, e.name, e.bytes, integer{magnitude: field.Uint()})
		}
	case whole && t.Kind() == reflect.Bool:
		return func(dst []byte, field reflect.Value) ([]byte, error) {
			if field.Bool() {
				return appendBits(dst, 1, e.bytes), nil
			}
			return appendBits(dst, 0, e.bytes), nil
		}
	case e.kind == reflect.Float32 && t == reflect.TypeFor[float32]():
		return func(dst []byte, field reflect.Value) ([]byte, error) {
			f := field.Addr().Interface().(*float32) // field.Float would change a NaN's bits
			return binary.LittleEndian.AppendUint32(dst, math.Float32bits(*f)), nil
		}
	case e.kind == reflect.Float32 && t.Kind() == reflect.Float64:
		return func(dst []byte, field reflect.Value) ([]byte, error) {
			return binary.LittleEndian.AppendUint32(dst, math.Float32bits(float32(field.Float()))), nil
		}
	case e.kind == reflect.Float64 && (t.Kind() == reflect.Float32 || t.Kind() == reflect.Float64):
		return func(dst []byte, field reflect.Value) ([]byte, error) {
			return appendFloat64Bits(dst, field.Float()), nil
		}
	case e.kind == reflect.String && t.Kind() == reflect.String:
		return func(dst []byte, field reflect.Value) ([]byte, error) { return appendText(dst, field.String()) }
	}
	return general
}
