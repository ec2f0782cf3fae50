package mdslib

// Python's datetime in a pickle. A datetime is datetime(bytes[, timezone]), its ten bytes year (2, big-endian), month, day,
// hour, minute, second, microsecond (3); a date is date(bytes) of the first four; a timedelta is timedelta(days, seconds,
// microseconds); a timezone is timezone(timedelta[, name]).

import (
	"fmt"
	"math"
	"time"

	"gomosaic/mdslib/pickle"
)

// NaiveTime is a datetime without a time zone in a pkl column; its Time is in UTC. A time.Time is one with a zone, which
// pickles hold as an offset.
type NaiveTime struct{ time.Time }

// Date is a day of the calendar in a pkl column: Python's date.
type Date struct {
	Year  int
	Month time.Month
	Day   int
}

// String gives the date as Python's isoformat does.
func (d Date) String() string { return fmt.Sprintf("%04d-%02d-%02d", d.Year, d.Month, d.Day) }

// timeZone is a Python timezone, which occurs in datetimes alone.
type timeZone struct{ *time.Location }

var timeNames = map[string]any{
	"datetime.datetime":  pickle.Func(newDateTime),
	"datetime.date":      pickle.Func(newDate),
	"datetime.timedelta": pickle.Func(newTimeDelta),
	"datetime.timezone":  pickle.Func(newTimeZone),
}

func newDateTime(args pickle.Tuple) (any, error) {
	if len(args) == 0 || len(args) > 2 {
		return nil, fmt.Errorf("%d arguments", len(args))
	}
	b, ok := args[0].([]byte)
	if !ok || len(b) != 10 {
		return nil, fmt.Errorf("want ten bytes, got %T", args[0])
	}
	d, err := dateOf(b[0], b[1], b[2]&0x7f, b[3]) // the high bit is fold, which matters to named zones alone
	if err != nil {
		return nil, err
	}
	micro := int(b[7])<<16 | int(b[8])<<8 | int(b[9])
	if b[4] > 23 || b[5] > 59 || b[6] > 59 || micro > 999_999 {
		return nil, fmt.Errorf("no time of day: %x", b)
	}
	at := func(zone *time.Location) time.Time {
		return time.Date(d.Year, d.Month, d.Day, int(b[4]), int(b[5]), int(b[6]), 1000*micro, zone)
	}
	if len(args) == 1 {
		return NaiveTime{at(time.UTC)}, nil
	}
	zone, ok := args[1].(timeZone)
	if !ok {
		return nil, fmt.Errorf("the time zone is a %T", args[1])
	}
	return at(zone.Location), nil
}

func dateOf(high, low, month, day byte) (Date, error) {
	d := Date{int(high)<<8 | int(low), time.Month(month), int(day)}
	if t := time.Date(d.Year, d.Month, d.Day, 0, 0, 0, 0, time.UTC); d.Year < 1 || d.Year > 9999 || t.Month() != d.Month || t.Day() != d.Day {
		return Date{}, fmt.Errorf("no date: %s", d)
	}
	return d, nil
}

func newDate(args pickle.Tuple) (any, error) {
	if len(args) == 1 {
		if b, ok := args[0].([]byte); ok && len(b) == 4 {
			return dateOf(b[0], b[1], b[2], b[3])
		}
	}
	return nil, fmt.Errorf("want four bytes")
}

func newTimeDelta(args pickle.Tuple) (any, error) {
	var n [3]int64
	if len(args) > 3 {
		return nil, fmt.Errorf("%d arguments", len(args))
	}
	for i, a := range args {
		var ok bool
		if n[i], ok = a.(int64); !ok {
			return nil, fmt.Errorf("want integers, got %T", a)
		}
	}
	if most := int64(math.MaxInt64 / (24 * time.Hour)); n[0] >= most || n[0] <= -most || n[1] < 0 || n[1] >= 86400 || n[2] < 0 || n[2] >= 1e6 {
		return nil, fmt.Errorf("%d days, %d seconds, %d microseconds are out of the range of a time.Duration", n[0], n[1], n[2])
	}
	return time.Duration(n[0])*24*time.Hour + time.Duration(n[1])*time.Second + time.Duration(n[2])*time.Microsecond, nil
}

func newTimeZone(args pickle.Tuple) (any, error) {
	if len(args) == 0 || len(args) > 2 {
		return nil, fmt.Errorf("%d arguments", len(args))
	}
	offset, ok := args[0].(time.Duration)
	if !ok || offset%time.Second != 0 || offset <= -24*time.Hour || offset >= 24*time.Hour {
		return nil, fmt.Errorf("an offset of %v", args[0])
	}
	name := ""
	if len(args) == 2 {
		if name, ok = args[1].(string); !ok {
			return nil, fmt.Errorf("a name of type %T", args[1])
		}
	}
	if offset == 0 && name == "" {
		return timeZone{time.UTC}, nil
	}
	return timeZone{time.FixedZone(name, int(offset/time.Second))}, nil
}

// time turns dates and times into calls; nil stands for a value that is none.
func (r *pickleReducer) time(v any) (any, error) {
	switch v := v.(type) {
	case NaiveTime:
		b, err := dateTimeBytes(v.Time)
		return dateTimeCall("datetime", pickle.Tuple{pickle.Fresh{Value: b}}), err
	case time.Time:
		b, err := dateTimeBytes(v)
		_, offset := v.Zone()
		return dateTimeCall("datetime", pickle.Tuple{pickle.Fresh{Value: b}, r.zone(offset)}), err
	case Date:
		if _, err := dateOf(byte(v.Year>>8), byte(v.Year), byte(v.Month), byte(v.Day)); err != nil || v.Year > 9999 {
			return nil, fmt.Errorf("no date that Python has: %s", v)
		}
		return dateTimeCall("date", pickle.Tuple{pickle.Fresh{Value: []byte{byte(v.Year >> 8), byte(v.Year), byte(v.Month), byte(v.Day)}}}), nil
	case time.Duration:
		if v%time.Microsecond != 0 {
			return nil, fmt.Errorf("%v: Python counts microseconds, the rest would be lost", v)
		}
		return timeDelta(v), nil
	}
	return nil, nil
}

func dateTimeCall(name string, args pickle.Tuple) *pickle.Call {
	return &pickle.Call{Func: pickle.Global{Module: "datetime", Name: name}, Args: args}
}

// timeDelta splits a duration as Python does: the days alone may be negative.
func timeDelta(d time.Duration) *pickle.Call {
	const day = 24 * time.Hour
	days := d / day
	if d%day < 0 {
		days--
	}
	rest := d - days*day
	return dateTimeCall("timedelta", pickle.Tuple{int64(days), int64(rest / time.Second), int64(rest % time.Second / time.Microsecond)})
}

// zone returns the timezone of an offset, which one pickle holds once.
func (r *pickleReducer) zone(offset int) *pickle.Call {
	c := r.zones[offset]
	if c == nil {
		c = dateTimeCall("timezone", pickle.Tuple{timeDelta(time.Duration(offset) * time.Second)})
		r.zones[offset] = c
	}
	return c
}

func dateTimeBytes(t time.Time) ([]byte, error) {
	y := t.Year()
	if y < 1 || y > 9999 {
		return nil, fmt.Errorf("%v: Python's datetime has the years 1 to 9999", t)
	}
	if t.Nanosecond()%1000 != 0 {
		return nil, fmt.Errorf("%v: Python counts microseconds, the rest would be lost: use Truncate(time.Microsecond)", t)
	}
	us := t.Nanosecond() / 1000
	return []byte{byte(y >> 8), byte(y), byte(t.Month()), byte(t.Day()), byte(t.Hour()), byte(t.Minute()), byte(t.Second()), byte(us >> 16), byte(us >> 8), byte(us)}, nil
}
