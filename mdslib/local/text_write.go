package local

// Sinks of text: csv and json.

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/klauspost/compress/zstd"

	"gomosaic/mdslib/local/expr"
	"gomosaic/mdslib/plan"
)

func init() {
	RegisterSink("csv", openCSVSink)
	RegisterSink("json", openJSONSink)
}

// textSink makes text files, compressed or not, of what line appends for a row.
type textSink struct {
	suffix string
	header []byte
	line   func(dst []byte, values []any) ([]byte, error)
}

// compression reads that option of a text format and returns the ending that it adds to names.
func textCompression(opts *Options) (string, error) {
	switch c := strings.ToLower(opts.Text("compression", opts.Text("codec", "none"))); c {
	case "none", "uncompressed":
		return "", nil
	case "gzip":
		return ".gz", nil
	case "zstd":
		return ".zst", nil
	default:
		return "", fmt.Errorf("option compression is %q, want none, gzip or zstd", c)
	}
}

func (s *textSink) Suffix() string { return s.suffix }

func (s *textSink) Create(file io.WriteSeeker) (RowWriter, error) {
	t := &textWriter{line: s.line}
	var w io.Writer = file
	switch {
	case strings.HasSuffix(s.suffix, ".gz"):
		z := gzip.NewWriter(w)
		t.packer, w = z, z
	case strings.HasSuffix(s.suffix, ".zst"):
		z, err := zstd.NewWriter(w, zstd.WithEncoderConcurrency(1))
		if err != nil {
			return nil, err
		}
		t.packer, w = z, z
	}
	t.out = bufio.NewWriterSize(w, 256<<10)
	_, err := t.out.Write(s.header)
	return t, err
}

type textWriter struct {
	out    *bufio.Writer
	packer io.Closer // nil without compression
	line   func(dst []byte, values []any) ([]byte, error)
	buf    []byte
}

func (t *textWriter) Write(values []any) error {
	var err error
	if t.buf, err = t.line(t.buf[:0], values); err != nil {
		return err
	}
	_, err = t.out.Write(t.buf)
	return err
}

func (t *textWriter) Close() error {
	err := t.out.Flush()
	if t.packer != nil {
		err = errors.Join(err, t.packer.Close())
	}
	return err
}

// openCSVSink writes CSV as Spark's csv sink does, by its options header, sep (delimiter), quote, escape, nullValue,
// emptyValue, compression. A value is quoted where it holds the separator, a quote or a line's end, or nothing but spaces. What
// has line ends in it is read back with the option multiLine.
func openCSVSink(schema plan.Schema, opts *Options) (Sink, error) {
	ending, err := textCompression(opts)
	if err != nil {
		return nil, err
	}
	header, err := opts.Bool("header", false)
	if err != nil {
		return nil, err
	}
	sep, quote, escape := opts.Text("sep", opts.Text("delimiter", ",")), opts.Text("quote", `"`), opts.Text("escape", `\`)
	null, empty := opts.Text("nullValue", ""), opts.Text("emptyValue", `""`)
	if len(quote) != 1 || len(escape) != 1 || sep == "" {
		return nil, errors.New("quote and escape are one character, and sep is not empty")
	}
	if sep == `\t` {
		sep = "\t"
	}
	text := make([]func(any) (any, error), len(schema.Fields))
	for i, f := range schema.Fields {
		var ok bool
		if text[i], ok = expr.Converter(f.Type, plan.Of(plan.String), expr.Env{Location: time.Local}); !ok || !f.Type.Atomic() && f.Type.Kind != plan.Null {
			return nil, fmt.Errorf("column %q: csv can't hold %s", f.Name, f.Type)
		}
	}
	cell := func(dst []byte, s string) []byte {
		if s == "" {
			return append(dst, empty...)
		}
		if !strings.Contains(s, sep) && !strings.ContainsAny(s, quote+"\r\n") && strings.TrimSpace(s) != "" {
			return append(dst, s...)
		}
		dst = append(dst, quote[0])
		for i := range len(s) {
			if s[i] == quote[0] || s[i] == escape[0] {
				dst = append(dst, escape[0])
			}
			dst = append(dst, s[i])
		}
		return append(dst, quote[0])
	}
	sink := &textSink{suffix: "csv" + ending}
	if header {
		for i, f := range schema.Fields {
			if i > 0 {
				sink.header = append(sink.header, sep...)
			}
			sink.header = cell(sink.header, f.Name)
		}
		sink.header = append(sink.header, '\n')
	}
	sink.line = func(dst []byte, values []any) ([]byte, error) {
		for i, v := range values {
			if i > 0 {
				dst = append(dst, sep...)
			}
			if v == nil {
				if dst = append(dst, null...); null == "" && len(values) == 1 {
					dst = append(dst, quote+quote...) // an empty line is no row; a quoted empty value is NULL too
				}
				continue
			}
			if f, ok := v.(bool); ok {
				dst = fmt.Append(dst, f)
				continue
			}
			if schema.Fields[i].Type.Kind == plan.Timestamp {
				dst = cell(dst, isoTime(v.(plan.TimestampValue), true))
				continue
			}
			s, err := text[i](v)
			if err != nil {
				return dst, err
			}
			dst = cell(dst, s.(string))
		}
		return append(dst, '\n'), nil
	}
	return sink, nil
}

// openJSONSink writes an object a line as Spark's json sink does: NULL members are left out, binary is base64, timestamps
// and dates are ISO 8601, decimals numbers, NaN and infinities text. Option: compression.
func openJSONSink(schema plan.Schema, opts *Options) (Sink, error) {
	ending, err := textCompression(opts)
	if err != nil {
		return nil, err
	}
	t := plan.Type{Kind: plan.Struct, Fields: schema.Fields}
	return &textSink{suffix: "json" + ending, line: func(dst []byte, values []any) ([]byte, error) {
		return append(appendJSON(dst, plan.StructValue(values), t), '\n'), nil
	}}, nil
}

// appendJSON appends a value that isn't NULL.
func appendJSON(dst []byte, v any, t plan.Type) []byte {
	float := func(f float64, bits int) []byte {
		if math.IsNaN(f) || math.IsInf(f, 0) {
			return fmt.Appendf(dst, "%q", plan.JavaDouble(f))
		}
		if bits == 32 {
			return append(dst, plan.JavaFloat(float32(f))...)
		}
		return append(dst, plan.JavaDouble(f)...)
	}
	switch v := v.(type) {
	case nil:
		return append(dst, "null"...)
	case string:
		return appendJSONText(dst, v)
	case []byte:
		return append(base64.StdEncoding.AppendEncode(append(dst, '"'), v), '"')
	case float64:
		return float(v, 64)
	case float32:
		return float(float64(v), 32)
	case plan.DateValue:
		return fmt.Appendf(dst, `"%s"`, v)
	case plan.TimestampValue:
		return append(append(append(dst, '"'), isoTime(v, t.Kind == plan.Timestamp)...), '"')
	case []any:
		dst = append(dst, '[')
		for i, e := range v {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = appendJSON(dst, e, *t.Elem)
		}
		return append(dst, ']')
	case plan.StructValue:
		dst = append(dst, '{')
		first := true
		for i, e := range v {
			if e == nil {
				continue
			}
			if !first {
				dst = append(dst, ',')
			}
			first = false
			dst = append(appendJSONText(dst, t.Fields[i].Name), ':')
			dst = appendJSON(dst, e, t.Fields[i].Type)
		}
		return append(dst, '}')
	case plan.MapValue:
		dst = append(dst, '{')
		for i, e := range v {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = append(appendJSONText(dst, fmt.Sprint(e.Key)), ':')
			dst = appendJSON(dst, e.Value, *t.Elem)
		}
		return append(dst, '}')
	}
	return fmt.Append(dst, v) // whole numbers, decimals, booleans
}

// isoTime writes an instant as Spark's text sinks do, in the session's time zone, but with all digits: they leave out those
// behind the milliseconds.
func isoTime(t plan.TimestampValue, zoned bool) string {
	layout := "2006-01-02T15:04:05.000"
	if t%1000 != 0 {
		layout += "000"
	}
	if zoned {
		return t.Time().In(time.Local).Format(layout + "Z07:00")
	}
	return t.Time().Format(layout)
}

// appendJSONText appends text in quotes, characters beyond ASCII as they are.
func appendJSONText(dst []byte, s string) []byte {
	plainText := utf8.ValidString(s)
	for i := 0; plainText && i < len(s); i++ {
		plainText = s[i] >= ' ' && s[i] != '"' && s[i] != '\\' && s[i] != 0x7f
	}
	if plainText && !strings.ContainsAny(s, "\u2028\u2029") {
		return append(append(append(dst, '"'), s...), '"')
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if e.Encode(s) != nil { // a string always encodes
		return append(dst, `""`...)
	}
	return append(dst, bytes.TrimSuffix(b.Bytes(), []byte("\n"))...)
}
