package arrowmds

// Writer: the rows of Arrow records as samples.

import (
	"fmt"
	"slices"
	"strings"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"

	"gomosaic/mdslib"
	"gomosaic/mdslib/plan"
)

// encodingKey is the metadata of a field that names its encoding: [Records] sets it, so that what was read is written as it
// was. A field of text or binary that has it holds the column's bytes as they are stored, a list of binary the images of one.
const encodingKey = "mds.encoding"

// Columns gives each field its encoding: the one in its metadata "mds.encoding", else uint8 to uint64 for unsigned types,
// float16 for half floats, ndarray:TYPE for lists of numbers and arrow.variable_shape_tensor, ndarray:TYPE:SHAPE for
// arrow.fixed_shape_tensor, else what [mdslib.InferColumns] says.
func Columns(schema *arrow.Schema) (mdslib.Columns, error) {
	_, columns, err := resolve(schema)
	return columns, err
}

func resolve(schema *arrow.Schema) (plan.Schema, mdslib.Columns, error) {
	var own plan.Schema
	for _, f := range schema.Fields() {
		t, err := TypeOf(f.Type)
		if err != nil {
			return own, nil, fmt.Errorf("arrowmds: column %q: %w", f.Name, err)
		}
		own.Fields = append(own.Fields, plan.Field{Name: f.Name, Type: t, Nullable: f.Nullable})
	}
	columns, err := mdslib.InferColumns(own)
	if err != nil {
		return own, nil, err
	}
	for _, f := range schema.Fields() {
		switch t := f.Type.(type) {
		case *arrow.Uint8Type, *arrow.Uint16Type, *arrow.Uint32Type, *arrow.Uint64Type, *arrow.Float16Type:
			columns[f.Name], _ = dtypeOf(t)
		case *arrow.ListType, *arrow.LargeListType, *arrow.FixedSizeListType:
			if elem, ok := dtypeOf(t.(arrow.ListLikeType).Elem()); ok {
				columns[f.Name] = "ndarray:" + elem
			}
		}
		encoding, err := tensorEncoding(f)
		if err != nil {
			return own, nil, fmt.Errorf("arrowmds: column %q: %w", f.Name, err)
		}
		if noted, ok := f.Metadata.GetValue(encodingKey); ok {
			encoding = noted
		}
		if encoding != "" {
			columns[f.Name] = encoding
		}
	}
	return own, columns, nil
}

// Writer writes Arrow records as one data set. Its methods are called from one goroutine at a time; see [mdslib.MDSWriter]
// for the others.
type Writer struct {
	*mdslib.MDSWriter
	schema  *arrow.Schema
	fields  []field
	sampler *mdslib.Sampler
	sample  mdslib.Sample
}

// field is how a field's values become those of its column.
type field struct {
	skipped bool                                       // it is no column
	direct  func(arrow.Array) (func(i int) any, error) // gives what the encoding takes; nil leaves that to the sampler
}

// NewWriter is [mdslib.NewMDSWriter] for records of a schema. opts.Columns left out are those of [Columns]; a field that they
// do not name is not written.
func NewWriter(schema *arrow.Schema, opts mdslib.MDSOptions) (*Writer, error) {
	own, columns, err := resolve(schema)
	if err != nil {
		return nil, err
	}
	if opts.Columns == nil {
		opts.Columns = columns
	}
	w := &Writer{schema: schema, sample: mdslib.Sample{}}
	sampled := mdslib.Columns{}
	for _, f := range schema.Fields() {
		encoding, ok := opts.Columns[f.Name]
		to := field{skipped: !ok}
		if ok {
			if to.direct = directly(f, encoding); to.direct == nil {
				sampled[f.Name] = encoding
			}
		}
		w.fields = append(w.fields, to)
	}
	for name := range opts.Columns {
		if _, ok := schema.FieldsByName(name); !ok {
			return nil, fmt.Errorf("arrowmds: the schema has no field %q", name)
		}
	}
	if len(sampled) > 0 {
		if w.sampler, err = mdslib.NewSampler(own, sampled, opts.NullAs); err != nil {
			return nil, err
		}
	}
	w.MDSWriter, err = mdslib.NewMDSWriter(opts)
	return w, err
}

// directly returns how the values of a field become those of an encoding where package plan has no type between them, or
// nil.
func directly(f arrow.Field, encoding string) func(arrow.Array) (func(i int) any, error) {
	noted, _ := f.Metadata.GetValue(encodingKey)
	isBytes := func(t arrow.DataType) bool {
		return slices.Contains([]arrow.Type{arrow.STRING, arrow.LARGE_STRING, arrow.BINARY, arrow.LARGE_BINARY, arrow.FIXED_SIZE_BINARY}, t.ID())
	}
	switch t := f.Type.(type) {
	case *arrow.Uint64Type, *arrow.Float16Type:
		if name, _ := dtypeOf(t); encoding != name {
			return nil
		}
		return storedOf
	case *arrow.StructType:
		if _, ok := tensorData(t); !ok || !strings.HasPrefix(encoding, "ndarray") {
			return nil
		}
	case arrow.ListLikeType:
		if isBytes(t.Elem()) && isImageList(encoding) {
			return filesOf
		}
		if _, ok := dtypeOf(t.Elem()); !ok || !strings.HasPrefix(encoding, "ndarray") {
			return nil
		}
	default:
		if noted == encoding && isBytes(t) {
			return storedOf
		}
		return nil
	}
	_, shape, _ := ndarray(encoding)
	return func(a arrow.Array) (func(i int) any, error) { return tensorsOf(a, shape) }
}

// WriteRecord writes the rows of a record, which is not kept. A null is refused, with its column, unless NullAs has a value
// for it.
func (w *Writer) WriteRecord(record arrow.Record) error {
	if !record.Schema().Equal(w.schema) {
		return fmt.Errorf("arrowmds: a record of schema %s, the writer's is %s", record.Schema(), w.schema)
	}
	columns := make([]func(int) any, record.NumCols())
	for i, f := range w.fields {
		if f.skipped {
			continue
		}
		values := f.direct
		if values == nil {
			values = Values
		}
		var err error
		if columns[i], err = values(record.Column(i)); err != nil {
			return fmt.Errorf("arrowmds: column %q: %w", record.ColumnName(i), err)
		}
	}
	row := make([]any, len(columns))
	for r := range int(record.NumRows()) {
		for i, get := range columns {
			if get == nil {
				continue
			}
			row[i] = get(r)
			if w.fields[i].direct != nil {
				w.sample[record.ColumnName(i)] = row[i]
			}
		}
		if w.sampler != nil {
			if err := w.sampler.Fill(w.sample, row); err != nil {
				return fmt.Errorf("arrowmds: row %d: %w", r, err)
			}
		}
		if err := w.Write(w.sample); err != nil {
			return err
		}
	}
	return nil
}

// storedOf gives the bytes of a column that lie there as its encoding stores them, or a number that package plan has no type
// for. They alias the record.
func storedOf(a arrow.Array) (func(i int) any, error) {
	var get func(i int) any
	switch a := a.(type) {
	case *array.Uint64:
		get = func(i int) any { return a.Value(i) }
	case *array.Float16:
		get = func(i int) any { return a.Value(i).ToLEBytes() }
	case *array.String:
		get = func(i int) any { return []byte(a.Value(i)) }
	case *array.LargeString:
		get = func(i int) any { return []byte(a.Value(i)) }
	case *array.Binary:
		get = func(i int) any { return notNil(a.Value(i)) }
	case *array.LargeBinary:
		get = func(i int) any { return notNil(a.Value(i)) }
	case *array.FixedSizeBinary:
		get = func(i int) any { return notNil(a.Value(i)) }
	default:
		return nil, fmt.Errorf("%s holds no bytes", a.DataType())
	}
	return func(i int) any {
		if a.IsNull(i) {
			return nil
		}
		return get(i)
	}, nil
}

// notNil is b, which is empty and not nil where Arrow has no bytes at all: nil would be a null.
func notNil(b []byte) []byte {
	if b == nil {
		return []byte{}
	}
	return b
}

// filesOf gives the lists of a column whose elements are encoded images. They alias the record.
func filesOf(a arrow.Array) (func(i int) any, error) {
	l, ok := a.(array.ListLike)
	if !ok {
		return nil, fmt.Errorf("%s holds no lists", a.DataType())
	}
	file, err := storedOf(l.ListValues())
	if err != nil {
		return nil, err
	}
	if l.ListValues().NullN() > 0 {
		return nil, fmt.Errorf("a list holds a null")
	}
	return func(i int) any {
		if a.IsNull(i) {
			return nil
		}
		first, end := l.ValueOffsets(i)
		files := make([][]byte, 0, end-first)
		for j := first; j < end; j++ {
			files = append(files, file(int(j)).([]byte))
		}
		return files
	}, nil
}
