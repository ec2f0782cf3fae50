package expr

import (
	"math"
	"strconv"
	"strings"
	"time"

	"gomosaic/mdslib/plan"
)

// wallClock is the instant at which a clock in loc shows what t shows in its own location. Where the clock shows it twice
// it is the first time; where the clock leaps over it, it is as much later as the leap is wide (java.time's rules).
func wallClock(t time.Time, loc *time.Location) time.Time {
	y, m, d := t.Date()
	return zoned(y, m, d, t.Hour(), t.Minute(), t.Second(), t.Nanosecond(), loc)
}

func zoned(y int, m time.Month, d, hour, minute, second, nanos int, loc *time.Location) time.Time {
	shown := time.Date(y, m, d, hour, minute, second, nanos, time.UTC)
	at := func(offset int) (t time.Time, right bool) {
		t = shown.Add(-time.Duration(offset) * time.Second).In(loc)
		_, have := t.Zone()
		return t, have == offset
	}
	_, before := shown.Add(-24 * time.Hour).In(loc).Zone()
	_, after := shown.Add(24 * time.Hour).In(loc).Zone()
	t, right := at(before)
	if !right {
		if u, right := at(after); right {
			return u
		}
	}
	return t
}

// wallClockIn is what a clock in loc shows at t, as a timestamp without zone.
func wallClockIn(t plan.TimestampValue, loc *time.Location) plan.TimestampValue {
	return plan.TimestampOf(wallClock(t.Time().In(loc), time.UTC))
}

func secondsToTimestamp(v any) (any, error) {
	switch v := v.(type) {
	case float32, float64:
		f := toFloat64(v)
		if math.IsNaN(f) || math.IsInf(f, 0) {
			return nil, castOverflow(v, plan.Of(plan.Timestamp))
		}
		return plan.TimestampValue(saturate(f * 1e6)), nil
	case plan.DecimalValue:
		return plan.TimestampValue(rescale(v, 6).Unscaled.Int64()), nil
	}
	n := toInt64(v)
	if n > math.MaxInt64/1000000 || n < math.MinInt64/1000000 {
		return nil, castOverflow(v, plan.Of(plan.Timestamp))
	}
	return plan.TimestampValue(n * 1e6), nil
}

// digits takes up to most digits from the head of s.
func digits(s string, least, most int) (n int, rest string, ok bool) {
	i := 0
	for i < len(s) && i < most && s[i] >= '0' && s[i] <= '9' {
		n = n*10 + int(s[i]-'0')
		i++
	}
	return n, s[i:], i >= least
}

// calendar reads [+-]y…y[-m[-d]] from the head of s.
func calendar(s string) (y, m, d int, rest string, parts int, ok bool) {
	sign := 1
	if s != "" && (s[0] == '-' || s[0] == '+') {
		if s[0] == '-' {
			sign = -1
		}
		s = s[1:]
	}
	y, rest, ok = digits(s, 4, 7)
	y *= sign
	m, d, parts = 1, 1, 1
	if !ok || !strings.HasPrefix(rest, "-") {
		return y, m, d, rest, parts, ok
	}
	if m, rest, ok = digits(rest[1:], 1, 2); !ok {
		return
	}
	parts = 2
	if strings.HasPrefix(rest, "-") {
		if d, rest, ok = digits(rest[1:], 1, 2); !ok {
			return
		}
		parts = 3
	}
	t := time.Date(y, time.Month(m), d, 0, 0, 0, 0, time.UTC)
	ok = m >= 1 && m <= 12 && d >= 1 && t.Day() == d && t.Month() == time.Month(m)
	return
}

// parseDate is DateTimeUtils.stringToDate: yyyy, yyyy-m, yyyy-m-d, the last with anything after a space or T.
func parseDate(s string) (plan.DateValue, bool) {
	y, m, d, rest, parts, ok := calendar(trimSpaces(s))
	if !ok || rest != "" && (parts < 3 || rest[0] != ' ' && rest[0] != 'T') {
		return 0, false
	}
	return plan.DateOf(time.Date(y, time.Month(m), d, 0, 0, 0, 0, time.UTC)), true
}

// parseTimestamp is DateTimeUtils.stringToTimestamp: a date, then [ T]h[:m[:s[.fraction]]] and a zone; without a zone
// the time is that of loc.
func parseTimestamp(s string, loc *time.Location, ignoreZone bool) (plan.TimestampValue, bool) {
	y, mo, d, rest, parts, ok := calendar(trimSpaces(s))
	if !ok {
		return 0, false
	}
	var hour, minute, second, micros int
	if rest != "" {
		if parts < 3 || rest[0] != ' ' && rest[0] != 'T' {
			return 0, false
		}
		if hour, rest, ok = digits(rest[1:], 1, 2); !ok {
			return 0, false
		}
		for _, part := range []*int{&minute, &second} {
			if !strings.HasPrefix(rest, ":") {
				break
			}
			if *part, rest, ok = digits(rest[1:], 1, 2); !ok {
				return 0, false
			}
		}
		if strings.HasPrefix(rest, ".") {
			before := len(rest)
			var n int
			n, rest, _ = digits(rest[1:], 0, 6)
			micros = n * int(math.Pow10(6-(before-len(rest)-1)))
			_, rest, _ = digits(rest, 0, 100) // digits beyond the microsecond are dropped
		}
		if zone := strings.TrimSpace(rest); zone != "" {
			var err error
			if loc, err = parseZone(zone); err != nil {
				return 0, false
			}
		}
	}
	if hour > 23 || minute > 59 || second > 59 {
		return 0, false
	}
	if ignoreZone {
		loc = time.UTC
	}
	return plan.TimestampOf(zoned(y, time.Month(mo), d, hour, minute, second, micros*1000, loc)), true
}

// parseZone reads Z, UTC, +h, +hh:mm, UTC+h and names such as Europe/Berlin.
func parseZone(s string) (*time.Location, error) {
	offset := strings.TrimPrefix(strings.TrimPrefix(s, "UTC"), "GMT")
	switch {
	case offset == "" || s == "Z":
		return time.UTC, nil
	case offset[0] == '+' || offset[0] == '-':
		h, m, _ := strings.Cut(offset[1:], ":")
		if m == "" && len(h) == 4 {
			h, m = h[:2], h[2:]
		}
		hours, err := strconv.Atoi(h)
		if err != nil {
			return nil, err
		}
		minutes := 0
		if m != "" {
			if minutes, err = strconv.Atoi(m); err != nil {
				return nil, err
			}
		}
		seconds := hours*3600 + minutes*60
		if offset[0] == '-' {
			seconds = -seconds
		}
		return time.FixedZone(s, seconds), nil
	}
	return time.LoadLocation(s)
}

// dateArithmetic is date ± days; nil where neither side is a date.
func (b *binder) dateArithmetic(op string, l, r *node) (*node, error) {
	date := plan.Of(plan.Date)
	switch {
	case l.typ.Kind == plan.Date && (r.typ.Kind == plan.Date || r.typ.Kind == plan.Timestamp), l.typ.Kind == plan.Timestamp || r.typ.Kind == plan.Timestamp:
		e := fail("DATATYPE_MISMATCH", "%s %s %s gives an interval, which isn't part of the subset", l.typ, op, r.typ)
		e.Hint = "use datediff, or unix_micros of both"
		return nil, e
	case r.typ.Kind == plan.Date && op == "+":
		l, r = r, l
	case l.typ.Kind != plan.Date:
		return nil, nil
	}
	n, err := b.params([]*node{r}, plan.Int)
	if err != nil {
		return nil, err
	}
	return strictNode(date, []*node{l, n[0]}, func(a []any) (any, error) {
		days := plan.DateValue(a[1].(int32))
		if op == "-" {
			days = -days
		}
		return a[0].(plan.DateValue) + days, nil
	}), nil
}

func dateFunctions() map[string]function {
	const I, L, Date, TS = plan.Int, plan.Long, plan.Date, plan.Timestamp
	// ofDate computes an int from a calendar day.
	ofDate := func(fn func(t time.Time) int) function {
		return strict(I, 1, 1, func(a []any) (any, error) { return int32(fn(a[0].(plan.DateValue).Time())), nil }, Date)
	}
	// ofTime computes an int from a clock in the session's zone.
	ofTime := func(fn func(t time.Time) int) function {
		return function{1, 1, func(b *binder, args []*node) (*node, error) {
			args, err := b.params(args, TS)
			if err != nil {
				return nil, err
			}
			return strictNode(plan.Of(I), args, func(a []any) (any, error) {
				return int32(fn(a[0].(plan.TimestampValue).Time().In(b.env.location()))), nil
			}), nil
		}}
	}
	add := func(sign int32) function {
		return strict(Date, 2, 2, func(a []any) (any, error) {
			return a[0].(plan.DateValue) + plan.DateValue(sign*a[1].(int32)), nil
		}, Date, I)
	}
	difference := strict(I, 2, 2, func(a []any) (any, error) {
		return int32(a[0].(plan.DateValue) - a[1].(plan.DateValue)), nil
	}, Date)
	to := func(kind plan.Kind) function {
		return function{1, 1, func(b *binder, args []*node) (*node, error) { return b.cast(args[0], plan.Of(kind), false) }}
	}
	units := func(per int64) function {
		return strict(L, 1, 1, func(a []any) (any, error) {
			us := int64(a[0].(plan.TimestampValue))
			n := us / per
			if us%per < 0 {
				n--
			}
			return n, nil
		}, TS)
	}
	fromUnits := func(times int64) function {
		return strict(TS, 1, 1, func(a []any) (any, error) {
			n := a[0].(int64)
			if times > 1 && (n > math.MaxInt64/times || n < math.MinInt64/times) {
				return nil, overflow(plan.Long)
			}
			return plan.TimestampValue(n * times), nil
		}, L)
	}
	day := ofDate(func(t time.Time) int { return t.Day() })
	return map[string]function{
		"year": ofDate(func(t time.Time) int { return t.Year() }), "month": ofDate(func(t time.Time) int { return int(t.Month()) }),
		"day": day, "dayofmonth": day,
		"quarter":    ofDate(func(t time.Time) int { return (int(t.Month()) + 2) / 3 }),
		"dayofweek":  ofDate(func(t time.Time) int { return int(t.Weekday()) + 1 }),
		"weekday":    ofDate(func(t time.Time) int { return (int(t.Weekday()) + 6) % 7 }),
		"dayofyear":  ofDate(time.Time.YearDay),
		"weekofyear": ofDate(func(t time.Time) int { _, w := t.ISOWeek(); return w }),
		"hour":       ofTime(time.Time.Hour), "minute": ofTime(time.Time.Minute), "second": ofTime(time.Time.Second),
		"date_add": add(1), "dateadd": add(1), "date_sub": add(-1), "datediff": difference, "date_diff": difference,
		"to_date": to(Date), "to_timestamp": to(TS),
		"last_day": strict(Date, 1, 1, func(a []any) (any, error) {
			y, m, _ := a[0].(plan.DateValue).Time().Date()
			return plan.DateOf(time.Date(y, m+1, 0, 0, 0, 0, 0, time.UTC)), nil
		}, Date),
		"add_months": strict(Date, 2, 2, func(a []any) (any, error) {
			y, m, d := a[0].(plan.DateValue).Time().Date()
			m += time.Month(a[1].(int32))
			last := time.Date(y, m+1, 0, 0, 0, 0, 0, time.UTC).Day()
			return plan.DateOf(time.Date(y, m, min(d, last), 0, 0, 0, 0, time.UTC)), nil
		}, Date, I),
		"make_date": strict(Date, 3, 3, func(a []any) (any, error) {
			y, m, d := int(a[0].(int32)), int(a[1].(int32)), int(a[2].(int32))
			t := time.Date(y, time.Month(m), d, 0, 0, 0, 0, time.UTC)
			if t.Year() != y || int(t.Month()) != m || t.Day() != d {
				return nil, fail("DATETIME_FIELD_OUT_OF_BOUNDS", "there is no day %d-%d-%d", y, m, d)
			}
			return plan.DateOf(t), nil
		}, I),
		"unix_date":           strict(I, 1, 1, func(a []any) (any, error) { return int32(a[0].(plan.DateValue)), nil }, Date),
		"date_from_unix_date": strict(Date, 1, 1, func(a []any) (any, error) { return plan.DateValue(a[0].(int32)), nil }, I),
		"unix_seconds":        units(1000000), "unix_millis": units(1000), "unix_micros": units(1),
		"timestamp_millis": fromUnits(1000), "timestamp_micros": fromUnits(1),
		"timestamp_seconds": {1, 1, func(b *binder, args []*node) (*node, error) {
			x, err := b.number(args[0])
			if err != nil {
				return nil, err
			}
			return strictNode(plan.Of(TS), []*node{x}, func(a []any) (any, error) { return secondsToTimestamp(a[0]) }), nil
		}},
	}
}
