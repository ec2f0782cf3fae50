// Command mdscat is the Go half of the interoperability tests: it writes and reads MDS data sets whose samples travel as
// JSON lines, so that another language's program can compare them value by value.
//
//	mdscat write            first line of stdin: mdslib.MDSOptions; further lines: samples
//	mdscat read DIR         samples of a data set, one a line
//	mdscat verify DIR       the number of samples, or the problems
//	mdscat merge ROOT       MergeIndex
//	mdscat rebuild DIR      RebuildIndex
//
// A sample is an object column → {kind: text}. Kinds: "int" (decimal digits), "float" (Python's repr), "str", "decimal",
// "bytes" (base64), "pickle" (base64 of a pickle), "array" ("dtype:shape:base64 of the little-endian elements"), "json" (JSON text), "image" ("mode:width:height:base64 of
// the pixels", as Pillow's tobytes gives them), "list" (JSON of a list of such objects).
package main

import (
	"bufio"
	"context"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"image"
	"io"
	"math/big"
	"os"
	"strconv"
	"strings"

	"gomosaic/mdslib"
	_ "gomosaic/mdslib/codec/brotli"
	_ "gomosaic/mdslib/codec/bzip2"
)

func main() {
	if err := run(context.Background(), os.Args[1:], os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, in io.Reader, out io.Writer) error {
	command := strings.Join(args[:min(1, len(args))], "")
	switch {
	case command == "write" && len(args) == 1:
		return write(in)
	case command == "read" && len(args) == 2:
		return read(args[1], out)
	case command == "merge" && len(args) == 2:
		return mdslib.MergeIndex(ctx, args[1], mdslib.MergeOptions{})
	case command == "rebuild" && len(args) == 2:
		_, err := mdslib.RebuildIndex(ctx, args[1], mdslib.RebuildOptions{})
		return err
	case command == "verify" && len(args) == 2:
		report, err := mdslib.Verify(ctx, args[1], mdslib.VerifyOptions{})
		if err != nil {
			return err
		}
		fmt.Fprintln(out, report.Samples)
		return report.Err()
	}
	return fmt.Errorf("usage: mdscat write | read DIR | verify DIR | merge ROOT | rebuild DIR")
}

type wireSample map[string]map[string]string

func write(in io.Reader) error {
	decoder := json.NewDecoder(bufio.NewReader(in))
	var opts mdslib.MDSOptions
	if err := decoder.Decode(&opts); err != nil {
		return err
	}
	w, err := mdslib.NewMDSWriter(opts)
	if err != nil {
		return err
	}
	for {
		var wire wireSample
		if err := decoder.Decode(&wire); err == io.EOF {
			return w.Close()
		} else if err != nil {
			return err
		}
		sample := make(mdslib.Sample, len(wire))
		for column, value := range wire {
			for kind, text := range value {
				if sample[column], err = fromWire(kind, text); err != nil {
					return fmt.Errorf("column %q: %w", column, err)
				}
			}
		}
		if err := w.Write(sample); err != nil {
			return err
		}
	}
}

func read(dir string, out io.Writer) error {
	d, err := mdslib.OpenDataset(dir, mdslib.ReadOptions{VerifyHashes: true, AllowUnsafeTypes: true})
	if err != nil {
		return err
	}
	defer d.Close()
	encodings := mdslib.Columns{}
	if shards := d.Index().Shards; len(shards) > 0 {
		encodings = shards[0].Columns()
	}
	buffered := bufio.NewWriter(out)
	encoder := json.NewEncoder(buffered)
	for sample, err := range d.All() {
		if err != nil {
			return err
		}
		wire := wireSample{}
		for column, value := range sample {
			kind, text, err := toWire(value)
			if encodings[column] == "pkl" {
				kind = "pickle"
				text, err = pickleToWire(value)
			}
			if err != nil {
				return fmt.Errorf("column %q: %w", column, err)
			}
			wire[column] = map[string]string{kind: text}
		}
		if err := encoder.Encode(wire); err != nil {
			return err
		}
	}
	return buffered.Flush()
}

func fromWire(kind, text string) (any, error) {
	switch kind {
	case "int":
		if n, ok := new(big.Int).SetString(text, 10); ok {
			return n, nil
		}
	case "float":
		return strconv.ParseFloat(text, 64)
	case "str":
		return text, nil
	case "decimal":
		return mdslib.Decimal(text), nil
	case "bytes":
		return base64.StdEncoding.DecodeString(text)
	case "pickle": // read to a value, which the writer pickles anew
		data, err := base64.StdEncoding.DecodeString(text)
		if err != nil {
			return nil, err
		}
		e, err := mdslib.ParseEncoding("pkl")
		if err != nil {
			return nil, err
		}
		return e.Decode(data)
	case "json":
		return jsonValue(text)
	case "array":
		return arrayFromWire(text)
	case "list":
		return listFromWire(text)
	case "image":
		parts := strings.SplitN(text, ":", 4)
		if len(parts) != 4 {
			break
		}
		pix, err := base64.StdEncoding.DecodeString(parts[3])
		if err != nil {
			return nil, err
		}
		width, _ := strconv.Atoi(parts[1])
		height, _ := strconv.Atoi(parts[2])
		return &mdslib.PILImage{Mode: parts[0], Width: width, Height: height, Pix: pix}, nil
	}
	return nil, fmt.Errorf("bad %s %.40q", kind, text)
}

func listFromWire(text string) (any, error) {
	var items []map[string]string
	if err := json.Unmarshal([]byte(text), &items); err != nil {
		return nil, err
	}
	list := make([]any, len(items))
	for i, item := range items {
		for kind, text := range item {
			var err error
			if list[i], err = fromWire(kind, text); err != nil {
				return nil, fmt.Errorf("element %d: %w", i, err)
			}
		}
	}
	return list, nil
}

// jsonValue reads JSON text with the order of its members, by the json encoding's own decoder where order is lost: objects
// are read one token at a time.
func jsonValue(text string) (any, error) {
	decoder := json.NewDecoder(strings.NewReader(text))
	decoder.UseNumber()
	return jsonNext(decoder)
}

func jsonNext(decoder *json.Decoder) (any, error) {
	token, err := decoder.Token()
	if err != nil {
		return nil, err
	}
	switch token {
	case json.Delim('{'):
		object := mdslib.Object{}
		for decoder.More() {
			name, err := decoder.Token()
			if err != nil {
				return nil, err
			}
			value, err := jsonNext(decoder)
			if err != nil {
				return nil, err
			}
			object = append(object, mdslib.Member{Name: name.(string), Value: value})
		}
		_, err = decoder.Token()
		return object, err
	case json.Delim('['):
		list := []any{}
		for decoder.More() {
			value, err := jsonNext(decoder)
			if err != nil {
				return nil, err
			}
			list = append(list, value)
		}
		_, err = decoder.Token()
		return list, err
	}
	return token, nil
}

func arrayFromWire(text string) (any, error) {
	parts := strings.SplitN(text, ":", 3)
	if len(parts) != 3 {
		return nil, fmt.Errorf("bad array %.40q", text)
	}
	data, err := base64.StdEncoding.DecodeString(parts[2])
	if err != nil {
		return nil, err
	}
	a := mdslib.Array{}
	n := 1
	for dim := range strings.SplitSeq(parts[1], ",") {
		d, err := strconv.Atoi(dim)
		if err != nil {
			return nil, err
		}
		a.Shape = append(a.Shape, d)
		n *= d
	}
	elements := map[string]any{
		"uint8": make([]uint8, n), "int8": make([]int8, n), "uint16": make([]uint16, n), "int16": make([]int16, n), "float16": make([]mdslib.Float16, n),
		"uint32": make([]uint32, n), "int32": make([]int32, n), "float32": make([]float32, n),
		"uint64": make([]uint64, n), "int64": make([]int64, n), "float64": make([]float64, n),
	}
	a.Data = elements[parts[0]]
	if a.Data == nil {
		return nil, fmt.Errorf("bad element type %q", parts[0])
	}
	_, err = binary.Decode(data, binary.LittleEndian, a.Data)
	return a, err
}

func toWire(v any) (kind, text string, err error) {
	switch v := v.(type) {
	case []byte:
		return "bytes", base64.StdEncoding.EncodeToString(v), nil
	case string:
		return "str", v, nil
	case mdslib.Decimal:
		return "decimal", string(v), nil
	case float32:
		return "float", strconv.FormatFloat(float64(v), 'g', -1, 64), nil
	case float64:
		return "float", strconv.FormatFloat(v, 'g', -1, 64), nil
	case mdslib.Array:
		data, err := binary.Append(nil, binary.LittleEndian, v.Data)
		return "array", v.DType() + ":" + strings.Trim(strings.ReplaceAll(fmt.Sprint(v.Shape), " ", ","), "[]") + ":" + base64.StdEncoding.EncodeToString(data), err
	case image.Image:
		return imageToWire(v)
	case []image.Image:
		items := make([]map[string]string, len(v))
		for i, img := range v {
			kind, text, err := imageToWire(img)
			if err != nil {
				return "", "", fmt.Errorf("element %d: %w", i, err)
			}
			items[i] = map[string]string{kind: text}
		}
		list, err := json.Marshal(items)
		return "list", string(list), err
	case map[string]any, []any, nil, bool:
		e, err := mdslib.ParseEncoding("json")
		if err != nil {
			return "", "", err
		}
		data, err := e.Append(nil, v)
		return "json", string(data), err
	}
	return "int", fmt.Sprint(v), nil
}

func pickleToWire(v any) (string, error) {
	e, err := mdslib.ParseEncoding("pkl")
	if err != nil {
		return "", err
	}
	data, err := e.Append(nil, v)
	return base64.StdEncoding.EncodeToString(data), err
}

// imageToWire gives an image's pixels by way of the pil encoding: 4 bytes each of width, height and length of the mode,
// the mode, the pixels.
func imageToWire(img image.Image) (kind, text string, err error) {
	e, err := mdslib.ParseEncoding("pil")
	if err != nil {
		return "", "", err
	}
	data, err := e.Append(nil, img)
	if err != nil {
		return "", "", err
	}
	pixels := 12 + binary.LittleEndian.Uint32(data[8:])
	return "image", fmt.Sprintf("%s:%d:%d:%s", data[12:pixels], binary.LittleEndian.Uint32(data), binary.LittleEndian.Uint32(data[4:]),
		base64.StdEncoding.EncodeToString(data[pixels:])), nil
}
