package plan

import (
	"math/big"
	"strings"
	"time"
)

// Values of each type, as rows and batches hold them. nil is SQL's NULL.
//
//	boolean bool   tinyint int8   smallint int16   int int32   bigint int64   float float32   double float64
//	string string  binary []byte  decimal DecimalValue   date DateValue   timestamp, timestamp_ntz TimestampValue
//	array []any    struct StructValue   map MapValue

// DateValue counts days since 1970-01-01.
type DateValue int32

// TimestampValue counts microseconds since 1970-01-01 00:00 UTC.
type TimestampValue int64

// DecimalValue is Unscaled × 10^-Scale. Unscaled is never changed once made.
type DecimalValue struct {
	Unscaled *big.Int
	Scale    int
}

// StructValue holds the members in the order of the type's Fields.
type StructValue []any

// MapValue holds the entries in the order they were made.
type MapValue []MapEntry

// MapEntry is one entry of a [MapValue].
type MapEntry struct{ Key, Value any }

// Time returns midnight UTC of the day.
func (d DateValue) Time() time.Time { return time.Unix(int64(d)*86400, 0).UTC() }

// String writes the day as 2006-01-02.
func (d DateValue) String() string { return d.Time().Format("2006-01-02") }

// DateOf returns the calendar day of t in t's own location.
func DateOf(t time.Time) DateValue {
	y, m, d := t.Date()
	return DateValue(floorDiv(time.Date(y, m, d, 0, 0, 0, 0, time.UTC).Unix(), 86400))
}

// Time returns the instant, in UTC.
func (t TimestampValue) Time() time.Time { return time.UnixMicro(int64(t)).UTC() }

// String writes the instant in UTC.
func (t TimestampValue) String() string { return t.In(time.UTC) }

// In writes the instant as Spark shows it in a session of that time zone: no trailing zeros of the fraction.
func (t TimestampValue) In(loc *time.Location) string {
	return t.Time().In(loc).Format("2006-01-02 15:04:05.999999")
}

// TimestampOf returns the instant in whole microseconds.
func TimestampOf(t time.Time) TimestampValue { return TimestampValue(t.UnixMicro()) }

// String writes all Scale digits, never an exponent.
func (d DecimalValue) String() string {
	s := d.Unscaled.String()
	if d.Scale <= 0 {
		return s + strings.Repeat("0", -d.Scale)
	}
	sign := ""
	if s[0] == '-' {
		sign, s = "-", s[1:]
	}
	if len(s) <= d.Scale {
		s = strings.Repeat("0", d.Scale-len(s)+1) + s
	}
	return sign + s[:len(s)-d.Scale] + "." + s[len(s)-d.Scale:]
}

// MarshalText writes the digits, so that JSON carries them exactly.
func (d DecimalValue) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b != 0 && (a < 0) != (b < 0) {
		q--
	}
	return q
}
