package local

// The options dateFormat and timestampFormat: Java's patterns as Go's layouts.

import (
	"fmt"
	"strings"
	"time"

	"gomosaic/mdslib/local/expr"
	"gomosaic/mdslib/plan"
)

// layouts are the pattern letters of java.time.format.DateTimeFormatter that have a Go layout.
var layouts = map[string]string{
	"y": "2006", "yy": "06", "yyyy": "2006", "u": "2006", "uuuu": "2006", "M": "1", "MM": "01", "MMM": "Jan", "MMMM": "January", "L": "1", "LL": "01", "d": "2", "dd": "02",
	"E": "Mon", "EE": "Mon", "EEE": "Mon", "EEEE": "Monday", "H": "15", "HH": "15", "h": "3", "hh": "03", "m": "4", "mm": "04", "s": "5", "ss": "05", "a": "PM",
	"X": "Z07", "XX": "Z0700", "XXX": "Z07:00", "x": "-07", "xx": "-0700", "xxx": "-07:00", "Z": "-0700",
}

// goLayouts turns a pattern into layouts, one for each way to take or leave its optional parts in brackets.
func goLayouts(pattern string) ([]string, error) {
	if i := strings.IndexByte(pattern, '['); i >= 0 {
		end := strings.IndexByte(pattern[i:], ']')
		if end < 0 || strings.Count(pattern, "[") > 4 {
			return nil, fmt.Errorf("pattern %q: brackets without their end, or too many", pattern)
		}
		with, err := goLayouts(pattern[:i] + pattern[i+1:i+end] + pattern[i+end+1:])
		if err != nil {
			return nil, err
		}
		without, err := goLayouts(pattern[:i] + pattern[i+end+1:])
		return append(with, without...), err
	}
	var b strings.Builder
	for i := 0; i < len(pattern); {
		c := pattern[i]
		n := 1
		for i+n < len(pattern) && pattern[i+n] == c {
			n++
		}
		letters := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
		switch {
		case c == '\'':
			end := strings.IndexByte(pattern[i+1:], '\'')
			if end < 0 {
				return nil, fmt.Errorf("pattern %q: a quote without its end", pattern)
			}
			text := pattern[i+1 : i+1+end]
			if strings.ContainsAny(text, "0123456789_") || time.Unix(0, 0).Format(text) != text || time.Unix(1e9, 0).Format(text) != text {
				return nil, fmt.Errorf("pattern %q: the local engine can't read the text %q in a date", pattern, text)
			}
			if text == "" {
				text = "'"
			}
			b.WriteString(text)
			i += end + 2
			continue
		case c == 'S' && i > 0 && (pattern[i-1] == '.' || pattern[i-1] == ','):
			b.WriteString(strings.Repeat("0", n))
		case letters:
			layout, ok := layouts[pattern[i:i+n]]
			if !ok {
				return nil, fmt.Errorf("pattern %q: the local engine doesn't read %q", pattern, pattern[i:i+n])
			}
			b.WriteString(layout)
		case c >= '0' && c <= '9' || c == '_':
			return nil, fmt.Errorf("pattern %q: the local engine can't read the text %q in a date", pattern, pattern[i:i+n])
		default:
			b.WriteString(pattern[i : i+n])
		}
		i += n
	}
	return []string{b.String()}, nil
}

// datePatterns are the options dateFormat and timestampFormat, as layouts; none where the option isn't set.
type datePatterns struct{ date, timestamp []string }

func datePatternsOf(opts *Options) (p datePatterns, err error) {
	for name, to := range map[string]*[]string{"dateFormat": &p.date, "timestampFormat": &p.timestamp} {
		if text := opts.Text(name, ""); text != "" {
			if *to, err = goLayouts(text); err != nil {
				return p, fmt.Errorf("option %s: %w", name, err)
			}
		}
	}
	return p, nil
}

// parser returns what turns text into a value of a type: by the pattern for its kind, or as a cast does.
func (p datePatterns) parser(t plan.Type) (func(string) (any, error), error) {
	patterns, zone := p.date, time.UTC
	switch t.Kind {
	case plan.Timestamp:
		patterns, zone = p.timestamp, time.Local
	case plan.Date, plan.TimestampNTZ:
	default:
		patterns = nil
	}
	if patterns == nil {
		return expr.FromText(t, expr.Env{Location: time.Local})
	}
	return func(text string) (any, error) {
		var err error
		for _, layout := range patterns {
			at, perr := time.ParseInLocation(layout, text, zone)
			if perr != nil {
				err = perr
				continue
			}
			if t.Kind == plan.Date {
				return plan.DateOf(at), nil
			}
			return plan.TimestampOf(at), nil
		}
		return nil, err
	}, nil
}
