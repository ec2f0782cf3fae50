package exchange

// Rows as bytes, on their way from the task that read them to the one that writes them.

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"

	"gomosaic/mdslib/plan"
)

// A value is a byte that is 0 for NULL and 1 else, and its bytes: whole numbers and floating-point ones in little endian, as wide as
// their type; of text and bytes the length, as a uvarint, before them.

// widths are the bytes of values whose types have one width.
var widths = map[plan.Kind]int{plan.Boolean: 1, plan.Byte: 1, plan.Short: 2, plan.Int: 4, plan.Long: 8, plan.Float: 4, plan.Double: 8}

var errShort = errors.New("the rows end in the middle of one")

// takeValue takes a value off the front of rows, which go on being used by it where it is bytes.
func takeValue(rows []byte, t plan.Type) (value any, rest []byte, err error) {
	if len(rows) == 0 {
		return nil, nil, errShort
	}
	there := rows[0]
	rows = rows[1:]
	if there == 0 {
		return nil, rows, nil
	}
	if there != 1 {
		return nil, nil, fmt.Errorf("a value begins with %d", there)
	}
	width := widths[t.Kind]
	if t.Kind == plan.Binary || t.Kind == plan.String {
		n, k := binary.Uvarint(rows)
		if k <= 0 || n > uint64(len(rows)-k) {
			return nil, nil, errShort
		}
		rows, width = rows[k:], int(n)
	}
	if len(rows) < width {
		return nil, nil, errShort
	}
	b, rest := rows[:width:width], rows[width:]
	le := binary.LittleEndian
	switch t.Kind {
	case plan.Boolean:
		value = b[0] != 0
	case plan.Byte:
		value = int8(b[0])
	case plan.Short:
		value = int16(le.Uint16(b))
	case plan.Int:
		value = int32(le.Uint32(b))
	case plan.Long:
		value = int64(le.Uint64(b))
	case plan.Float:
		value = math.Float32frombits(le.Uint32(b))
	case plan.Double:
		value = math.Float64frombits(le.Uint64(b))
	case plan.Binary:
		value = b
	case plan.String:
		value = string(b)
	default:
		return nil, nil, fmt.Errorf("no rows have values of type %s", t)
	}
	return value, rest, nil
}
