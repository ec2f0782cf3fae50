package mdslib

// This file reads the JSON that Python's json.loads reads (NaN and Infinity included), keeping the difference between
// integers and floats and the order of members. The index and the json encoding use it.

import (
	"fmt"
	"math"
	"math/big"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

// jsonScanner walks one JSON text. Its methods return errors that name the byte offset.
type jsonScanner struct {
	data    []byte
	pos     int
	depth   int
	strings map[string]string // one copy of each repeated text, if not nil
}

// one returns text as a string, the same one for equal texts if the scanner keeps them.
func (s *jsonScanner) one(text []byte) string {
	if s.strings == nil {
		return string(text)
	}
	kept, ok := s.strings[string(text)]
	if !ok {
		kept = string(text)
		s.strings[kept] = kept
	}
	return kept
}

// parsePyJSON returns the value of a JSON text: nil, bool, int64 or *big.Int, float64, string, []any, [Object].
func parsePyJSON(data []byte) (any, error) {
	s := &jsonScanner{data: data}
	v, err := s.value()
	if err != nil {
		return nil, err
	}
	return v, s.end()
}

func (s *jsonScanner) errorf(format string, args ...any) error {
	return fmt.Errorf("JSON at byte %d: %s", s.pos, fmt.Sprintf(format, args...))
}

func (s *jsonScanner) space() {
	for s.pos < len(s.data) {
		switch s.data[s.pos] {
		case ' ', '\n', '\r', '\t':
			s.pos++
		default:
			return
		}
	}
}

// peek returns the next byte that is no white space, 0 at the end.
func (s *jsonScanner) peek() byte {
	s.space()
	if s.pos == len(s.data) {
		return 0
	}
	return s.data[s.pos]
}

func (s *jsonScanner) end() error {
	if s.peek(); s.pos != len(s.data) {
		return s.errorf("text after the value")
	}
	return nil
}

func (s *jsonScanner) expect(c byte) error {
	if s.peek() != c || s.pos == len(s.data) {
		return s.errorf("want %q, got %s", c, s.rest())
	}
	s.pos++
	return nil
}

// rest shows what stands at the position, for errors.
func (s *jsonScanner) rest() string {
	if s.pos >= len(s.data) {
		return "the end"
	}
	return strconv.Quote(string(s.data[s.pos:min(len(s.data), s.pos+12)]))
}

// object calls member with each name in turn; member must consume the value.
func (s *jsonScanner) object(member func(name string) error) error {
	if err := s.expect('{'); err != nil {
		return err
	}
	if s.depth++; s.depth > maxJSONDepth {
		return s.errorf("nests deeper than %d", maxJSONDepth)
	}
	defer func() { s.depth-- }()
	if s.peek() == '}' {
		s.pos++
		return nil
	}
	for {
		name, err := s.rawText()
		if err != nil {
			return err
		}
		if err := s.expect(':'); err != nil {
			return err
		}
		if err := member(s.one(name)); err != nil {
			return err
		}
		if s.peek() == ',' {
			s.pos++
			continue
		}
		return s.expect('}')
	}
}

// array calls item before each item; item must consume it.
func (s *jsonScanner) array(item func() error) error {
	if err := s.expect('['); err != nil {
		return err
	}
	if s.depth++; s.depth > maxJSONDepth {
		return s.errorf("nests deeper than %d", maxJSONDepth)
	}
	defer func() { s.depth-- }()
	if s.peek() == ']' {
		s.pos++
		return nil
	}
	for {
		if err := item(); err != nil {
			return err
		}
		if s.peek() == ',' {
			s.pos++
			continue
		}
		return s.expect(']')
	}
}

// word consumes a literal such as null if it is next.
func (s *jsonScanner) word(w string) bool {
	s.space()
	if len(s.data)-s.pos >= len(w) && string(s.data[s.pos:s.pos+len(w)]) == w {
		s.pos += len(w)
		return true
	}
	return false
}

// text reads a string.
func (s *jsonScanner) text() (string, error) {
	raw, err := s.rawText()
	return string(raw), err
}

// rawText reads a string's contents, which may alias the scanned data.
func (s *jsonScanner) rawText() ([]byte, error) {
	if err := s.expect('"'); err != nil {
		return nil, err
	}
	start := s.pos
	for s.pos < len(s.data) { // the usual case: no escapes
		switch c := s.data[s.pos]; {
		case c == '"':
			raw := s.data[start:s.pos]
			s.pos++
			if !utf8.Valid(raw) {
				s.pos = start
				return nil, s.errorf("string is not UTF-8")
			}
			return raw, nil
		case c == '\\':
			return s.escapedText(start)
		case c < ' ':
			return nil, s.errorf("control character %#02x in a string", c)
		}
		s.pos++
	}
	return nil, s.errorf("string without an end")
}

func (s *jsonScanner) escapedText(start int) ([]byte, error) {
	out := append([]byte(nil), s.data[start:s.pos]...)
	for s.pos < len(s.data) {
		c := s.data[s.pos]
		switch {
		case c == '"':
			s.pos++
			if !utf8.Valid(out) {
				s.pos = start
				return nil, s.errorf("string is not UTF-8")
			}
			return out, nil
		case c < ' ':
			return nil, s.errorf("control character %#02x in a string", c)
		case c != '\\':
			out = append(out, c)
			s.pos++
			continue
		}
		s.pos++
		if s.pos == len(s.data) {
			break
		}
		c = s.data[s.pos]
		s.pos++
		switch c {
		case '"', '\\', '/':
			out = append(out, c)
		case 'n':
			out = append(out, '\n')
		case 'r':
			out = append(out, '\r')
		case 't':
			out = append(out, '\t')
		case 'f':
			out = append(out, '\f')
		case 'b':
			out = append(out, '\b')
		case 'u':
			r, err := s.hex4()
			if err != nil {
				return nil, err
			}
			if utf16.IsSurrogate(r) {
				if s.pos+1 >= len(s.data) || s.data[s.pos] != '\\' || s.data[s.pos+1] != 'u' {
					return nil, s.errorf("lone surrogate \\u%04x: Go text cannot hold it", r)
				}
				s.pos += 2
				low, err := s.hex4()
				if err != nil {
					return nil, err
				}
				if r = utf16.DecodeRune(r, low); r == utf8.RuneError {
					return nil, s.errorf("lone surrogate: Go text cannot hold it")
				}
			}
			out = utf8.AppendRune(out, r)
		default:
			return nil, s.errorf("unknown escape \\%c", c)
		}
	}
	return nil, s.errorf("string without an end")
}

func (s *jsonScanner) hex4() (rune, error) {
	if len(s.data)-s.pos < 4 {
		return 0, s.errorf("\\u without four digits")
	}
	n, err := strconv.ParseUint(string(s.data[s.pos:s.pos+4]), 16, 16)
	if err != nil {
		return 0, s.errorf("\\u without four hexadecimal digits")
	}
	s.pos += 4
	return rune(n), nil
}

// number reads a number: int64, *big.Int beyond it, or float64 when it has a fraction or an exponent.
func (s *jsonScanner) number() (any, error) {
	s.space()
	start, float := s.pos, false
	digits := func() bool {
		from := s.pos
		for s.pos < len(s.data) && s.data[s.pos] >= '0' && s.data[s.pos] <= '9' {
			s.pos++
		}
		return s.pos > from
	}
	is := func(c byte) bool { return s.pos < len(s.data) && s.data[s.pos] == c }
	if is('-') {
		s.pos++
	}
	switch {
	case is('0'):
		s.pos++
	case !digits():
		return nil, s.errorf("want a value, got %s", s.rest())
	}
	if is('.') {
		float = true
		s.pos++
		if !digits() {
			return nil, s.errorf("number without digits after the point")
		}
	}
	if is('e') || is('E') {
		float = true
		s.pos++
		if is('+') || is('-') {
			s.pos++
		}
		if !digits() {
			return nil, s.errorf("number without digits in its exponent")
		}
	}
	literal := string(s.data[start:s.pos])
	if float {
		f, _ := strconv.ParseFloat(literal, 64) // out of range gives infinity, as in Python
		return f, nil
	}
	if n, err := strconv.ParseInt(literal, 10, 64); err == nil {
		return n, nil
	}
	const most = 4300 // digits; Python's own limit (sys.get_int_max_str_digits), which keeps hostile input cheap
	if len(literal) > most {
		return nil, s.errorf("integer of %d digits, at most %d are read", len(literal), most)
	}
	n, ok := new(big.Int).SetString(literal, 10)
	if !ok {
		return nil, s.errorf("bad integer")
	}
	return n, nil
}

// whole reads an integer from 0 to most.
func (s *jsonScanner) whole(most int64) (int64, error) {
	s.space()
	start := s.pos
	var n int64
	for s.pos < len(s.data) && s.pos-start < 18 && s.data[s.pos] >= '0' && s.data[s.pos] <= '9' {
		n = 10*n + int64(s.data[s.pos]-'0')
		s.pos++
	}
	more := s.pos < len(s.data) && (s.data[s.pos] >= '0' && s.data[s.pos] <= '9' || s.data[s.pos] == '.' || s.data[s.pos]|0x20 == 'e')
	if s.pos == start || more || s.data[start] == '0' && s.pos > start+1 || n > most {
		s.pos = start
		return 0, s.errorf("want a whole number from 0 to %d, got %s", most, s.rest())
	}
	return n, nil
}

// value reads any value.
func (s *jsonScanner) value() (any, error) {
	switch c := s.peek(); {
	case c == '{':
		o := Object{}
		err := s.object(func(name string) error {
			v, err := s.value()
			o = append(o, Member{name, v})
			return err
		})
		return o, err
	case c == '[':
		a := []any{}
		err := s.array(func() error {
			v, err := s.value()
			a = append(a, v)
			return err
		})
		return a, err
	case c == '"':
		return s.text()
	case s.word("null"):
		return nil, nil
	case s.word("true"):
		return true, nil
	case s.word("false"):
		return false, nil
	case s.word("NaN"):
		return math.NaN(), nil
	case s.word("Infinity"):
		return math.Inf(1), nil
	case s.word("-Infinity"):
		return math.Inf(-1), nil
	}
	return s.number()
}

// plain turns the ordered objects of v into Go maps; of equal names the last one counts, as in Python.
func plain(v any) any {
	switch v := v.(type) {
	case Object:
		m := make(map[string]any, len(v))
		for _, member := range v {
			m[member.Name] = plain(member.Value)
		}
		return m
	case []any:
		for i := range v {
			v[i] = plain(v[i])
		}
	}
	return v
}
