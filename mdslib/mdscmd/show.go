package mdscmd

// inspect, cat and head: what is in a data set.

import (
	"bytes"
	"context"
	"encoding/base64"
	"flag"
	"fmt"
	"image"
	_ "image/jpeg" // the size of pictures is shown
	_ "image/png"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"gomosaic/mdslib"
)

// inspected is what inspect prints with --json.
type inspected struct {
	Name        string            `json:"name"`
	Formats     []string          `json:"formats"`
	Shards      int               `json:"shards"`
	Samples     int               `json:"samples"`
	RawBytes    int64             `json:"raw_bytes"`
	StoredBytes int64             `json:"stored_bytes"`
	Compression []string          `json:"compression"` // of the shards, "" for none
	Hashes      []string          `json:"hashes"`
	SizeLimit   *int64            `json:"size_limit"`
	Columns     []inspectedColumn `json:"columns"`
}

type inspectedColumn struct {
	Name     string `json:"name"`
	Encoding string `json:"encoding"`
	Bytes    *int   `json:"bytes"` // null where they vary
}

func runInspect(ctx context.Context, c *command, flags *flag.FlagSet, args []string) error {
	if err := c.parse(flags, args, 1, 1, "a data set: inspect SET"); err != nil {
		return err
	}
	s, err := openSet(ctx, c.args[0])
	if err != nil {
		return err
	}
	defer s.close()
	out := inspected{
		Name: s.name, Shards: len(s.index.Shards), Samples: s.index.NumSamples(), RawBytes: s.index.RawBytes(), StoredBytes: s.index.StoredBytes(),
		Formats: []string{}, Compression: []string{}, Hashes: []string{}, Columns: []inspectedColumn{},
	}
	add := func(list *[]string, value string) {
		if !slices.Contains(*list, value) {
			*list = append(*list, value)
		}
	}
	for i := range s.index.Shards {
		info := &s.index.Shards[i]
		add(&out.Formats, info.Format)
		add(&out.Compression, info.Compression)
		for _, h := range info.Hashes {
			add(&out.Hashes, h)
		}
		if i > 0 {
			continue
		}
		if info.SizeLimit != 0 {
			out.SizeLimit = &info.SizeLimit
		}
		for k, name := range info.ColumnNames {
			column := inspectedColumn{Name: name, Encoding: info.ColumnEncodings[k]}
			if info.ColumnSizes != nil && info.ColumnSizes[k] != 0 {
				column.Bytes = &info.ColumnSizes[k]
			}
			out.Columns = append(out.Columns, column)
		}
	}
	if c.asJSON {
		return c.printJSON(out)
	}
	none := func(list []string) string {
		text := strings.Join(list, ", ")
		if text == "" {
			return "none"
		}
		return text
	}
	limit := "none"
	if out.SizeLimit != nil {
		limit = mdslib.FormatBytes(*out.SizeLimit)
	}
	fmt.Fprintf(c.stdout, "%s: %d samples in %s (%s), %s, %s stored\n", out.Name, out.Samples, shardsText(out.Shards), none(out.Formats), mdslib.FormatBytes(out.RawBytes), mdslib.FormatBytes(out.StoredBytes))
	fmt.Fprintf(c.stdout, "compression %s, hashes %s, size limit %s\n", none(out.Compression), none(out.Hashes), limit)
	for _, column := range out.Columns {
		size := ""
		if column.Bytes != nil {
			size = fmt.Sprintf(" (%d bytes)", *column.Bytes)
		}
		fmt.Fprintf(c.stdout, "  %s: %s%s\n", column.Name, column.Encoding, size)
	}
	return nil
}

// runCat prints samples; head is cat with a limit.
func runCat(ctx context.Context, c *command, flags *flag.FlagSet, args []string) error {
	usual := int64(-1)
	if c.name == "head" {
		usual = 10
	}
	columns := flags.String("columns", "", "print these columns, separated by commas")
	skip := flags.Int64("skip", 0, "leave out the first `N` samples")
	limit := flags.Int64("limit", usual, "print at most `N` samples; below 0: all")
	flags.Int64Var(limit, "n", usual, "short for --limit")
	unsafe := flags.Bool("allow-unsafe-types", false, "decode pkl columns; nothing in them is run")
	if err := c.parse(flags, args, 1, 1, "a data set: "+c.name+" SET"); err != nil {
		return err
	}
	s, err := openSet(ctx, c.args[0])
	if err != nil {
		return err
	}
	defer s.close()
	wanted := list(*columns)
	asJSON, err := mdslib.ParseEncoding("json")
	if err != nil {
		return err
	}
	return s.eachRow(ctx, *skip, *limit, func(r *row) error {
		names := wanted
		if names == nil {
			names = r.names
		}
		line := mdslib.Object{}
		for _, name := range names {
			data, e, ok := r.column(name)
			if !ok {
				return fmt.Errorf("there is no column %q, only %q", name, r.names)
			}
			v, err := value(data, e, *unsafe)
			if err != nil {
				return fmt.Errorf("sample %d: column %q: %w", r.number, name, err)
			}
			if b, ok := v.(blob); ok && c.asJSON {
				v = b.object()
			}
			line = append(line, mdslib.Member{Name: name, Value: v})
		}
		if c.asJSON {
			text, err := asJSON.Append(nil, line)
			if err != nil {
				return fmt.Errorf("sample %d: %w", r.number, err)
			}
			_, err = fmt.Fprintf(c.stdout, "%s\n", text)
			return err
		}
		parts := make([]string, len(line))
		for i, m := range line {
			parts[i] = m.Name + "=" + brief(m.Value)
		}
		_, err := fmt.Fprintf(c.stdout, "%d: %s\n", r.number, strings.Join(parts, " "))
		return err
	})
}

// blob is a column that is shown as it is stored.
type blob struct {
	encoding string
	data     []byte
}

// object is what JSON holds of it.
func (b blob) object() mdslib.Object {
	return mdslib.Object{{Name: "encoding", Value: b.encoding}, {Name: "bytes", Value: len(b.data)}, {Name: "base64", Value: base64.StdEncoding.EncodeToString(b.data)}}
}

// brief is what a line of text holds: of a picture its kind and size.
func (b blob) brief() string {
	if config, kind, err := image.DecodeConfig(bytes.NewReader(b.data)); err == nil {
		return fmt.Sprintf("<%s %d×%d, %s>", kind, config.Width, config.Height, mdslib.FormatBytes(int64(len(b.data))))
	}
	return fmt.Sprintf("<%s, %s>", b.encoding, mdslib.FormatBytes(int64(len(b.data))))
}

// value decodes a column; pictures, bytes and, unless they were asked for, pickles stay as they are.
func value(data []byte, e *mdslib.Encoding, unsafe bool) (any, error) {
	name := e.Name()
	if name == "bytes" || pictures(name) || name == "pkl" && !unsafe {
		return blob{name, bytes.Clone(data)}, nil
	}
	v, err := e.Decode(bytes.Clone(data))
	if err != nil {
		return nil, err
	}
	return plain(v), nil
}

// pictures tells whether an encoding holds images.
func pictures(encoding string) bool {
	switch encoding {
	case "jpeg", "png", "pil", "jpeg_array", "jpegarray":
		return true
	}
	return strings.HasPrefix(encoding, "list[")
}

// plain turns a decoded value into what JSON holds: what it has no form for becomes text.
func plain(v any) any {
	all := func(items []any) []any {
		out := make([]any, len(items))
		for i, item := range items {
			out[i] = plain(item)
		}
		return out
	}
	switch v := v.(type) {
	case []byte:
		return blob{"bytes", v}.object()
	case []any:
		return all(v)
	case mdslib.PyTuple:
		return all(v)
	case *mdslib.PySet:
		return all(v.Items)
	case *mdslib.PyDict:
		object := mdslib.Object{}
		for key, value := range v.All() {
			name, ok := key.(string)
			if !ok {
				name = fmt.Sprint(plain(key))
			}
			object = append(object, mdslib.Member{Name: name, Value: plain(value)})
		}
		return object
	case mdslib.Scalar:
		return plain(v.Value)
	case mdslib.Array:
		if v.DType() == "" || len(v.Shape) == 0 {
			return fmt.Sprint(v.Data)
		}
		return v
	case mdslib.Decimal:
		return string(v)
	case time.Time:
		return v.Format(time.RFC3339Nano)
	case mdslib.NaiveTime:
		return v.Format("2006-01-02T15:04:05.999999")
	case time.Duration, mdslib.Date:
		return fmt.Sprint(v)
	}
	return v
}

// briefRunes is how much of a value a line of text shows.
const briefRunes = 60

// brief shows a value in little space.
func brief(v any) string {
	var text string
	switch v := v.(type) {
	case blob:
		return v.brief()
	case mdslib.Array:
		text = fmt.Sprintf("<%s %v>", v.DType(), v.Shape)
	case string:
		text = fmt.Sprintf("%q", v)
	default:
		e, err := mdslib.ParseEncoding("json")
		if err == nil {
			var b []byte
			b, err = e.Append(nil, v)
			text = string(b)
		}
		if err != nil {
			text = fmt.Sprint(v)
		}
	}
	if utf8.RuneCountInString(text) > briefRunes {
		text = string([]rune(text)[:briefRunes]) + "…"
	}
	return text
}
