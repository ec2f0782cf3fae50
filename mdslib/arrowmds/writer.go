package arrowmds

// Writer: the rows of Arrow records as samples.

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"

	"gomosaic/mdslib"
	"gomosaic/mdslib/plan"
)

// encodingKey is the metadata of a field that names its encoding: [Records] sets it, so that what was read is written as it
// was. A field of text or binary that has it holds the column's bytes as they are stored.
const encodingKey = "mds.encoding"

// Columns gives each field its encoding: the one in its metadata "mds.encoding", else uint8 to uint64 for unsigned types,
// ndarray:TYPE for lists of numbers, else what [mdslib.InferColumns] says.
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
		switch f.Type.ID() {
		case arrow.UINT8, arrow.UINT16, arrow.UINT32, arrow.UINT64:
			columns[f.Name] = f.Type.Name()
		case arrow.LIST, arrow.LARGE_LIST, arrow.FIXED_SIZE_LIST:
			if elem := f.Type.(arrow.ListLikeType).Elem(); isNumber(elem) {
				columns[f.Name] = "ndarray:" + elem.Name()
			}
		}
		if encoding, ok := f.Metadata.GetValue(encodingKey); ok {
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
	sampler *mdslib.Sampler
	stored  []bool           // by field: its text or binary is the column's bytes
	skipped []bool           // by field: it is no column
	shapes  map[string][]int // of ndarray columns that name one
	sample  mdslib.Sample
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
	w := &Writer{schema: schema, shapes: map[string][]int{}, sample: mdslib.Sample{}, stored: make([]bool, schema.NumFields()), skipped: make([]bool, schema.NumFields())}
	sampled := mdslib.Columns{}
	for i, f := range schema.Fields() {
		encoding, ok := opts.Columns[f.Name]
		if !ok {
			w.skipped[i] = true
			continue
		}
		noted, _ := f.Metadata.GetValue(encodingKey)
		if noted == encoding && isBytes(f.Type) || f.Type.ID() == arrow.UINT64 && encoding == "uint64" {
			w.stored[i] = true
			continue
		}
		if l, ok := f.Type.(arrow.ListLikeType); !ok || !isNumber(l.Elem()) || !strings.HasPrefix(encoding, "ndarray") {
			sampled[f.Name] = encoding
			continue
		}
		w.stored[i] = true
		if parts := strings.Split(encoding, ":"); len(parts) == 3 {
			for dim := range strings.SplitSeq(parts[2], ",") {
				n, err := strconv.Atoi(dim)
				if err != nil {
					return nil, fmt.Errorf("arrowmds: column %q: encoding %q", f.Name, encoding)
				}
				w.shapes[f.Name] = append(w.shapes[f.Name], n)
			}
		}
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

func isBytes(t arrow.DataType) bool {
	return slices.Contains([]arrow.Type{arrow.STRING, arrow.LARGE_STRING, arrow.BINARY, arrow.LARGE_BINARY, arrow.FIXED_SIZE_BINARY}, t.ID())
}

// WriteRecord writes the rows of a record, which is not kept. A null is refused, with its column, unless NullAs has a value
// for it.
func (w *Writer) WriteRecord(record arrow.Record) error {
	if !record.Schema().Equal(w.schema) {
		return fmt.Errorf("arrowmds: a record of schema %s, the writer's is %s", record.Schema(), w.schema)
	}
	columns := make([]func(int) any, record.NumCols())
	for i := range columns {
		if w.skipped[i] {
			continue
		}
		var err error
		if l, ok := record.Column(i).(array.ListLike); ok && w.stored[i] {
			columns[i], err = arraysOf(l, w.shapes[record.ColumnName(i)])
		} else {
			columns[i], err = Values(record.Column(i))
		}
		if err != nil {
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
			if w.stored[i] {
				switch v := row[i].(type) {
				case string:
					row[i] = []byte(v)
				case plan.DecimalValue: // a uint64, for which package plan has no other type
					row[i] = v.Unscaled
				}
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

func isNumber(t arrow.DataType) bool {
	return arrow.IsInteger(t.ID()) || t.ID() == arrow.FLOAT32 || t.ID() == arrow.FLOAT64
}

// arraysOf gives the lists of a column as arrays of its numbers' own type, of one dimension if shape is nil. They alias the
// record.
func arraysOf(a array.ListLike, shape []int) (func(i int) any, error) {
	values := a.ListValues()
	if values.NullN() > 0 {
		return nil, fmt.Errorf("a list holds a null")
	}
	var part func(first, end int64) any
	switch v := values.(type) {
	case *array.Int8:
		part = func(first, end int64) any { return v.Int8Values()[first:end] }
	case *array.Int16:
		part = func(first, end int64) any { return v.Int16Values()[first:end] }
	case *array.Int32:
		part = func(first, end int64) any { return v.Int32Values()[first:end] }
	case *array.Int64:
		part = func(first, end int64) any { return v.Int64Values()[first:end] }
	case *array.Uint8:
		part = func(first, end int64) any { return v.Uint8Values()[first:end] }
	case *array.Uint16:
		part = func(first, end int64) any { return v.Uint16Values()[first:end] }
	case *array.Uint32:
		part = func(first, end int64) any { return v.Uint32Values()[first:end] }
	case *array.Uint64:
		part = func(first, end int64) any { return v.Uint64Values()[first:end] }
	case *array.Float32:
		part = func(first, end int64) any { return v.Float32Values()[first:end] }
	case *array.Float64:
		part = func(first, end int64) any { return v.Float64Values()[first:end] }
	default:
		return nil, fmt.Errorf("lists of %s", values.DataType())
	}
	return func(i int) any {
		if a.IsNull(i) {
			return nil
		}
		first, end := a.ValueOffsets(i)
		out := mdslib.Array{Shape: shape, Data: part(first, end)}
		if shape == nil {
			out.Shape = []int{int(end - first)}
		}
		return out
	}, nil
}
