package mdslib

// Encoding: the byte rule of one column. This file holds the table of names; encoding_*.go the rules by kind.

import (
	"encoding/binary"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strings"
)

// maxOffset is the largest size and offset that MDS, which counts bytes in uint32, can hold.
const maxOffset = math.MaxUint32

func getUint32(b []byte) uint32    { return binary.LittleEndian.Uint32(b) }
func putUint32(b []byte, v uint32) { binary.LittleEndian.PutUint32(b, v) }

// Encoding turns values of one column into bytes and back. It is immutable and safe for concurrent use.
type Encoding struct {
	name   string
	bytes  int          // fixed size, 0 for variable
	kind   reflect.Kind // of the values, where they are plain numbers or text: typed samples then need no interface values
	append func(dst []byte, v any) ([]byte, error)
	decode func(data []byte) (any, error)
	split  func(data []byte) ([][]byte, error) // of lists of images: their files, which alias data
}

// encodings holds every name but the parametrised ndarray:DTYPE and ndarray:DTYPE:SHAPE.
var encodings = map[string]*Encoding{
	"bytes":       {append: appendBytes, decode: decodeBytes},
	"str":         {kind: reflect.String, append: appendStr, decode: decodeStr},
	"int":         {bytes: 8, kind: reflect.Int64, append: appendInt, decode: decodeInt64},
	"uint8":       {bytes: 1, kind: reflect.Uint8, append: appendUnsigned("uint8", 1), decode: decodeUint8},
	"uint16":      {bytes: 2, kind: reflect.Uint16, append: appendUnsigned("uint16", 2), decode: decodeUint16},
	"uint32":      {bytes: 4, kind: reflect.Uint32, append: appendUnsigned("uint32", 4), decode: decodeUint32},
	"uint64":      {bytes: 8, kind: reflect.Uint64, append: appendUnsigned("uint64", 8), decode: decodeUint64},
	"int8":        {bytes: 1, kind: reflect.Int8, append: appendSigned("int8", 1), decode: decodeInt8},
	"int16":       {bytes: 2, kind: reflect.Int16, append: appendSigned("int16", 2), decode: decodeInt16},
	"int32":       {bytes: 4, kind: reflect.Int32, append: appendSigned("int32", 4), decode: decodeInt32},
	"int64":       {bytes: 8, kind: reflect.Int64, append: appendSigned("int64", 8), decode: decodeInt64},
	"float16":     {bytes: 2, append: appendFloat16, decode: decodeFloat16},
	"float32":     {bytes: 4, kind: reflect.Float32, append: appendFloat32, decode: decodeFloat32},
	"float64":     {bytes: 8, kind: reflect.Float64, append: appendFloat64, decode: decodeFloat64},
	"str_int":     {append: appendStrInt, decode: decodeStrInt},
	"str_float":   {append: appendStrFloat, decode: decodeStrFloat},
	"str_decimal": {append: appendStrDecimal, decode: decodeStrDecimal},
	"ndarray":     ndarrayEncoding(nil, nil),
	"json":        {append: appendJSON, decode: decodeJSON},
	"jpeg":        {append: appendJPEG, decode: decodeImage("jpeg").one},
	"png":         {append: appendPNG, decode: decodeImage("png").one},
	"pil":         {append: appendPIL, decode: imageDecoder(decodePIL).one},
	"list[jpeg]":  imageList(appendJPEG, decodeImage("jpeg"), 4),
	"list[png]":   imageList(appendPNG, decodeImage("png"), 4),
	"list[pil]":   imageList(appendPIL, decodePIL, 4),
	"jpeg_array":  imageList(appendJPEG, decodeImage("jpeg"), 0),
	"jpegarray":   imageList(appendJPEG, decodeImage("jpeg"), 0),
	"pkl":         {append: appendPickle, decode: decodePickle},
}

// EncodingNames returns the names [ParseEncoding] knows, sorted; ndarray also comes as "ndarray:DTYPE" and
// "ndarray:DTYPE:DIM,DIM".
func EncodingNames() []string {
	names := make([]string, 0, len(encodings))
	for name := range encodings {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// ParseEncoding returns the encoding of that name, as mosaicml-streaming spells it. Values:
//
//	encoding              bytes  takes                                    gives
//	bytes                 var    []byte                                   []byte
//	str                   var    string                                   string
//	int                   8      any integer                              int64
//	int8 … int64          1…8    integer, whole float, decimal text       int8 … int64
//	uint8 … uint64        1…8    likewise                                 uint8 … uint64
//	float16               2      float, integer, decimal text             float32
//	float32, float64      4, 8   likewise                                 float32, float64
//	str_int               var    any integer, *big.Int                    int64, *big.Int beyond
//	str_float             var    float32, float64                         float64
//	str_decimal           var    [Decimal], string, *big.Int              [Decimal]
//	ndarray               var    [Array], slices of numbers, nested ones  [Array]
//	ndarray:DT            var    likewise, of that type
//	ndarray:DT:a,b        fixed  likewise, of that shape
//	json                  var    what JSON holds, structs, [Object]       map[string]any, []any, string, int64, float64 …
//	jpeg, png             var    image.Image                              image.Image
//	pil                   var    image.Image, [PILImage]                  image.Image
//	list[jpeg|png|pil]    var    []image.Image, [][]byte, []any of them   []image.Image
//	jpeg_array, jpegarray var    likewise                                 []image.Image
//	pkl                   var    plain data: see below                    likewise
//
// Plain data of a pkl column: nil, bool, integers of any size, floats, string, []byte (but as the whole column, which it is
// taken for), []any, [PyTuple], *[PyDict], *[PySet], [Array], [Scalar], [Decimal], time.Time, [NaiveTime], [Date],
// time.Duration; slices and maps of them are written as lists and dicts. Anything else in a pickle is refused by name.
//
// A []byte is taken by every encoding as the column's bytes as they stand (a fixed-size column checks their number), as
// in the reference; an array of uint8 is therefore given as an [Array]. Nulls and bools are refused.
func ParseEncoding(name string) (*Encoding, error) {
	if e, ok := encodings[name]; ok {
		named := *e
		named.name = name
		return &named, nil
	}
	if config, ok := strings.CutPrefix(name, "ndarray:"); ok {
		e, err := parseNDArray(config)
		if err != nil {
			return nil, fmt.Errorf("encoding %q: %w", name, err)
		}
		e.name = name
		return e, nil
	}
	return nil, fmt.Errorf("unknown encoding %q: want one of %s", name, strings.Join(EncodingNames(), ", "))
}

// Name returns the encoding's name as it was given.
func (e *Encoding) Name() string { return e.name }

// Bytes returns the size of every value, or 0 if it varies.
func (e *Encoding) Bytes() int { return e.bytes }

// Fixed reports whether every value has the same size.
func (e *Encoding) Fixed() bool { return e.bytes != 0 }

// IsImageList reports whether values are lists of images.
func (e *Encoding) IsImageList() bool { return e.split != nil }

// Images returns the encoded images of a list of images, whose bytes are data; they alias it. No other encoding has any.
func (e *Encoding) Images(data []byte) ([][]byte, error) {
	if e.split == nil {
		return nil, fmt.Errorf("%s is no list of images", e.name)
	}
	return e.split(data)
}

// Append appends v's bytes to dst; on error dst's bytes are unchanged and the returned slice is nil.
func (e *Encoding) Append(dst []byte, v any) ([]byte, error) {
	if raw, ok := v.([]byte); ok && raw != nil {
		return e.appendEncoded(dst, raw)
	}
	return e.append(dst, v)
}

// appendEncoded appends a value that is encoded already.
func (e *Encoding) appendEncoded(dst, raw []byte) ([]byte, error) {
	if e.bytes != 0 && len(raw) != e.bytes {
		return nil, fmt.Errorf("want %d bytes of encoded %s, got %d", e.bytes, e.name, len(raw))
	}
	return append(dst, raw...), nil
}

// Decode returns the value whose bytes are data. The value of bytes and str may alias data, which must not change after.
func (e *Encoding) Decode(data []byte) (any, error) {
	if e.bytes != 0 && len(data) != e.bytes {
		return nil, fmt.Errorf("%w: want %d bytes of %s, got %d", ErrFormat, e.bytes, e.name, len(data))
	}
	return e.decode(data)
}
