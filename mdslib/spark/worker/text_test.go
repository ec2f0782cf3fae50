package worker

import (
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"math/big"
	"reflect"
	"strings"
	"testing"
	"testing/iotest"

	"gomosaic/mdslib/plan"
)

// mime is base64 as Spark's base64() may write it: a line break after each 76 characters.
func mime(b []byte) string {
	text := base64.StdEncoding.EncodeToString(b)
	var lines []string
	for len(text) > 76 {
		lines, text = append(lines, text[:76]), text[76:]
	}
	return strings.Join(append(lines, text), "\r\n")
}

// job makes one of fields such as "s STRING" and how their values are written.
func job(t testing.TB, ddl string, texts ...Text) *Job {
	t.Helper()
	schema, err := plan.ParseSchema(ddl)
	if err != nil {
		t.Fatal(err)
	}
	return &Job{Schema: schema, Texts: texts, Token: "token"}
}

// rows reads all rows.
func rows(in io.Reader, job *Job) (all [][]any, partition int, err error) {
	r, err := NewTextReader(in, job)
	if err != nil {
		return nil, 0, err
	}
	for {
		values, err := r.Next()
		if errors.Is(err, io.EOF) {
			return all, r.Partition(), nil
		}
		if err != nil {
			return all, r.Partition(), err
		}
		row := append([]any{}, values...)
		for i, v := range row {
			if b, ok := v.([]byte); ok {
				row[i] = append([]byte{}, b...)
			}
		}
		all = append(all, row)
	}
}

// TestTextValues: a value of each type, as Spark writes it.
func TestTextValues(t *testing.T) {
	large := []byte(strings.Repeat("tulip\x00\xff", textBuffer/3))
	for _, c := range []struct {
		ddl  string
		text Text
		in   string
		want any
	}{
		{"c BOOLEAN", TextPlain, "true", true},
		{"c TINYINT", TextPlain, "-128", int8(-128)},
		{"c SMALLINT", TextPlain, "300", int16(300)},
		{"c INT", TextPlain, "-7", int32(-7)},
		{"c BIGINT", TextPlain, "9223372036854775807", int64(1<<63 - 1)},
		{"c FLOAT", TextPlain, "1.0E-10", float32(1e-10)},
		{"c DOUBLE", TextPlain, "-Infinity", plan.Type{}}, // compared below
		{"c DECIMAL(10,7)", TextPlain, "1E-7", plan.DecimalValue{Unscaled: big.NewInt(1), Scale: 7}},
		{"c DECIMAL(10,2)", TextPlain, "-12.50", plan.DecimalValue{Unscaled: big.NewInt(-1250), Scale: 2}},
		{"c DATE", TextDays, "-1", plan.DateValue(-1)},
		{"c TIMESTAMP", TextMicros, "-1000001", plan.TimestampValue(-1000001)},
		{"c TIMESTAMP_NTZ", TextPlain, "1970-01-01 00:00:01.5", plan.TimestampValue(1500000)},
		{"c STRING", TextBase64, mime([]byte("tab\t ü 🌷\n")), "tab\t ü 🌷\n"},
		{"c STRING", TextBase64, "", ""},
		{"c STRING", TextBase64, TextNull, nil},
		{"c BINARY", TextBase64, "", []byte{}},
		{"c BINARY", TextBase64, mime(large), large},
		{"c BINARY", TextBase64, base64.StdEncoding.EncodeToString(large), large},
		{"c BINARY", TextFile, mime([]byte("file:/a b/ü.jpg")), "file:/a b/ü.jpg"},
		{"c ARRAY<INT>", TextJSON, `[1,null,-3]`, []any{int32(1), nil, int32(-3)}},
		{"c MAP<STRING,DOUBLE>", TextJSON, `{"b":1.5,"a":null}`, plan.MapValue{{Key: "b", Value: 1.5}, {Key: "a"}}},
		{"c STRUCT<a: STRING, b: ARRAY<BINARY>, at: TIMESTAMP, d: DATE>", TextJSON, `{"b":["AP8="],"a":"x\t","at":"1970-01-01 00:00:00.000007","d":"1970-01-03"}`,
			plan.StructValue{"x\t", []any{[]byte{0, 255}}, plan.TimestampValue(7), plan.DateValue(2)}},
	} {
		in := "12\t" + c.in + "\tE\n"
		for name, reader := range map[string]io.Reader{"whole": strings.NewReader(in), "by halves": iotest.HalfReader(strings.NewReader(in)), "by bytes": iotest.OneByteReader(strings.NewReader(in))} {
			got, partition, err := rows(reader, job(t, c.ddl, c.text))
			if err != nil || len(got) != 1 || partition != 12 {
				t.Fatalf("%s, %s: %v, partition %d, %v", c.ddl, name, got, partition, err)
			}
			if c.ddl == "c DOUBLE" {
				if fmt.Sprint(got[0][0]) != "-Inf" {
					t.Errorf("%s: %v", c.ddl, got[0][0])
				}
			} else if !reflect.DeepEqual(got[0][0], c.want) {
				t.Errorf("%s, %s: %.80v, want %.80v", c.ddl, name, got[0][0], c.want)
			}
		}
	}
}

// TestTextRows: rows follow each other, NULL beside empty text; no rows are no error.
func TestTextRows(t *testing.T) {
	j := job(t, "a STRING, n INT", TextBase64, TextPlain)
	got, partition, err := rows(strings.NewReader("3\tYQ==\t1\tE\n3\t\t!\tE\n3\t!\t2\tE\n"), j)
	want := [][]any{{"a", int32(1)}, {"", nil}, {nil, int32(2)}}
	if err != nil || partition != 3 || !reflect.DeepEqual(got, want) {
		t.Errorf("%v, partition %d, %v", got, partition, err)
	}
	if got, _, err := rows(strings.NewReader(""), j); err != nil || got != nil {
		t.Errorf("no rows: %v, %v", got, err)
	}
}

// TestTextRefuses: what is cut off, shifted or not of its type is an error that says where.
func TestTextRefuses(t *testing.T) {
	j := job(t, "a STRING, n TINYINT", TextBase64, TextPlain)
	for in, want := range map[string]string{
		"3\tYQ==\t1\tE\n3\tYQ":        "row 1 of partition 3: column \"a\": unexpected EOF",
		"3\tYQ==\t1\tE\n3\tYQ==\t1":   "row 1 of partition 3: column \"n\": unexpected EOF",
		"3\tYQ==\t1\tE":               "row 0 of partition 3: unexpected EOF",
		"3\tYQ==\t1\t2\tE\n":          "should end",
		"x\tYQ==\t1\tE\n":             "no partition",
		"3\tY*==\t1\tE\n":             "column \"a\": illegal base64",
		"3\tYQ==\t1000\tE\n":          "column \"n\": \"1000\" is no tinyint",
		"3\tYQ==\tE\n3\tYQ==\t1\tE\n": "column \"n\"",
		"3\tYQ==\t" + strings.Repeat("1", textBuffer*2) + "\tE\n": "is no tinyint",
	} {
		if _, _, err := rows(strings.NewReader(in), j); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.40q: %v, want %q", in, err, want)
		}
	}
	if _, err := NewTextReader(nil, job(t, "a STRING", TextMicros)); err == nil {
		t.Error("a text written as a timestamp is no error")
	}
}

// FuzzText: any text is rows or an error, and rows that are read were there whole.
func FuzzText(f *testing.F) {
	f.Add("3\tYQ==\t1\t[1,null]\tE\n3\t!\t!\t!\tE\n")
	f.Add("3\t" + mime(make([]byte, 100)) + "\t-1\t[]\tE\n")
	f.Add("3\tYQ=\r\n=\t1\t[1]\tE\n3\t")
	f.Add("\t\t\t\t\n")
	f.Fuzz(func(t *testing.T, text string) {
		j := job(t, "a BINARY, n INT, l ARRAY<INT>", TextBase64, TextPlain, TextJSON)
		whole, _, err := rows(strings.NewReader(text), j)
		if err == nil && strings.Count(text, "\tE\n") < len(whole) {
			t.Errorf("%d rows of %q", len(whole), text)
		}
		pieces, _, perr := rows(iotest.OneByteReader(strings.NewReader(text)), j)
		if (err == nil) != (perr == nil) || len(whole) != len(pieces) || err == nil && !reflect.DeepEqual(whole, pieces) {
			t.Errorf("whole %v, %v; by bytes %v, %v", whole, err, pieces, perr)
		}
	})
}
