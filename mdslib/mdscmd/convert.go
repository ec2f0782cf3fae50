package mdscmd

// convert: a data set from another one, from tables, or from a folder of images.

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"gomosaic/mdslib"
	"gomosaic/mdslib/store"
)

// converted is what convert prints with --json.
type converted struct {
	Name        string         `json:"name"`
	Samples     int64          `json:"samples"`
	Shards      int            `json:"shards"`
	RawBytes    int64          `json:"raw_bytes"`
	StoredBytes int64          `json:"stored_bytes"`
	Columns     mdslib.Columns `json:"columns"`
}

func runConvert(ctx context.Context, c *command, flags *flag.FlagSet, args []string) error {
	columns := flags.String("columns", "", "write these columns: `name=encoding,…`")
	opts := mdslib.MDSOptions{}
	flags.StringVar(&opts.Compression, "compression", "none", "compression with level, such as zstd:7")
	hashes := flags.String("hashes", "", "hashes of each file, such as sha1,xxh64")
	flags.StringVar(&opts.SizeLimit, "size-limit", "none", "largest raw shard, such as 16mb")
	flags.BoolVar(&opts.ExistOK, "exist-ok", false, "replace the data set in OUT")
	if err := c.parse(flags, args, 2, 2, "a source and a target: convert SRC OUT"); err != nil {
		return err
	}
	opts.Out, opts.Hashes = c.args[1], list(*hashes)
	for _, pair := range list(*columns) {
		name, encoding, ok := strings.Cut(pair, "=")
		if !ok || name == "" || encoding == "" {
			return misuse(fmt.Sprintf("--columns: %q is no name=encoding", pair))
		}
		if opts.Columns == nil {
			opts.Columns = mdslib.Columns{}
		}
		opts.Columns[name] = encoding
	}
	if err := opts.Check(); err != nil {
		return misuse(strings.TrimPrefix(err.Error(), "mdslib: "))
	}
	source, err := findSource(ctx, c.args[0])
	if err != nil {
		return err
	}
	var out *converted
	if source.format == "mds" {
		out, err = c.copySet(ctx, c.args[0], opts)
	} else {
		out, err = c.writeFrame(ctx, source, opts)
	}
	if err != nil {
		return err
	}
	if c.asJSON {
		return c.printJSON(out)
	}
	_, err = fmt.Fprintf(c.stdout, "%s: %d samples in %s, %s, %s stored\n", out.Name, out.Samples, shardsText(out.Shards), mdslib.FormatBytes(out.RawBytes), mdslib.FormatBytes(out.StoredBytes))
	return err
}

// source is what convert reads: "mds", a format of the DataFrame reader, or "images".
type source struct {
	place   string
	format  string
	options map[string]string // of the reader
	image   string            // the encoding of images: png if all are, else jpeg
}

// findSource looks at what lies at place, a path or a URL.
func findSource(ctx context.Context, place string) (source, error) {
	shown := store.Redacted(place)
	_, name := store.Split(place)
	if at, ok := store.LocalPath(place); ok {
		stat, err := os.Stat(at)
		if err != nil {
			return source{}, err
		}
		switch format, options := tableFormat(at); {
		case stat.IsDir():
		case filepath.Base(at) == mdslib.IndexName:
			return source{}, fmt.Errorf("%s: name the folder of the data set", shown)
		case format == "":
			return source{}, fmt.Errorf("%s is no Parquet, Arrow, CSV or JSON lines file, and no folder", shown)
		default:
			return source{place, format, options, ""}, nil
		}
	} else if name == mdslib.IndexName {
		return source{}, fmt.Errorf("%s: name the folder of the data set", shown)
	} else if format, options := tableFormat(name); format != "" {
		return source{place, format, options, ""}, nil // a file, or a folder of that name, as Spark makes them
	}
	at, err := store.Open(ctx, place)
	if err != nil {
		return source{}, err
	}
	index, err := store.OpenFile(ctx, at, mdslib.IndexName)
	switch {
	case err == nil:
		return source{place: place, format: "mds"}, index.Close()
	case !errors.Is(err, fs.ErrNotExist):
		return source{}, err
	}
	return findFiles(ctx, place, at)
}

// findFiles looks at what lies in a folder and below it.
func findFiles(ctx context.Context, place string, folder store.Store) (source, error) {
	s := source{place: place, image: "png"}
	nothing := fmt.Sprintf("%s holds no %s", store.Redacted(place), mdslib.IndexName)
	nested, keyed := false, false // tables lie in folders below, or in ones named key=value
	first := ""
	for o, err := range folder.List(ctx, "") {
		if err != nil {
			return s, fmt.Errorf("%s, and: %w", nothing, err)
		}
		if hidden(o.Key) {
			continue
		}
		found, options := tableFormat(o.Key)
		if isImage(o.Key) {
			found = "images"
			if !strings.EqualFold(path.Ext(o.Key), ".png") {
				s.image = "jpeg"
			}
		}
		kind := fmt.Sprint(found, options)
		switch {
		case found == "":
			continue
		case s.format == "":
			s.format, s.options, first = found, options, kind
		case kind != first:
			return s, fmt.Errorf("%s holds both %s and %s", store.Redacted(place), s.format, found)
		}
		if dir := path.Dir(o.Key); dir != "." {
			nested, keyed = true, keyed || strings.Contains(path.Base(dir), "=")
		}
	}
	if s.format == "" {
		return s, errors.New(nothing + ", no Parquet, Arrow, CSV or JSON lines files, and no images")
	}
	if nested && !keyed {
		options := maps.Clone(s.options)
		if options == nil {
			options = map[string]string{}
		}
		options["recursiveFileLookup"] = "true"
		s.options = options
	}
	return s, nil
}

// hidden tells whether the reader passes a file by for its name or a folder's.
func hidden(key string) bool {
	for part := range strings.SplitSeq(key, "/") {
		if strings.HasPrefix(part, ".") || strings.HasPrefix(part, "_") && !strings.Contains(part, "=") {
			return true
		}
	}
	return false
}

// tableFormat is the DataFrame reader's format of a file and its options, by its name; compressed ones too.
func tableFormat(name string) (format string, options map[string]string) {
	name = strings.ToLower(name)
	for _, packed := range []string{".gz", ".zst", ".zstd", ".bz2"} {
		name = strings.TrimSuffix(name, packed)
	}
	switch filepath.Ext(name) {
	case ".parquet":
		return "parquet", nil
	case ".arrow", ".arrows", ".feather":
		return "arrow", nil
	case ".csv":
		return "csv", map[string]string{"header": "true", "inferSchema": "true"}
	case ".tsv":
		return "csv", map[string]string{"header": "true", "inferSchema": "true", "sep": "\t"}
	case ".jsonl", ".ndjson", ".json":
		return "json", nil
	}
	return "", nil
}

func isImage(name string) bool {
	return slices.Contains([]string{".jpg", ".jpeg", ".png"}, strings.ToLower(filepath.Ext(name)))
}

// copySet writes the samples of a data set. Columns keep their bytes where they keep their encoding.
func (c *command) copySet(ctx context.Context, place string, opts mdslib.MDSOptions) (_ *converted, err error) {
	s, err := openSet(ctx, place)
	if err != nil {
		return nil, err
	}
	defer s.close()
	_, have, err := s.columns()
	if err != nil {
		return nil, err
	}
	if opts.Columns == nil {
		opts.Columns = have
	}
	for _, name := range opts.Columns.Names() {
		if _, ok := have[name]; !ok {
			return nil, fmt.Errorf("%s has no column %q, only %q", store.Redacted(place), name, have.Names())
		}
	}
	w, err := mdslib.NewMDSWriter(opts)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, w.Abort())
		}
	}()
	sample := mdslib.Sample{}
	bar := c.progress("converted", int64(s.index.NumSamples()))
	defer bar.end()
	err = s.eachRow(ctx, 0, -1, func(r *row) error {
		bar.at(r.number)
		for name, encoding := range opts.Columns {
			data, e, ok := r.column(name)
			if !ok {
				return fmt.Errorf("sample %d has no column %q", r.number, name)
			}
			if !r.text && e.Name() == encoding {
				sample[name] = data // taken as it is
				continue
			}
			v, err := e.Decode(bytes.Clone(data))
			if err != nil {
				return fmt.Errorf("sample %d: column %q: %w", r.number, name, err)
			}
			sample[name] = v
		}
		return w.Write(sample)
	})
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		return nil, err
	}
	index := w.Index()
	return &converted{store.Redacted(opts.Out), int64(index.NumSamples()), len(index.Shards), index.RawBytes(), index.StoredBytes(), opts.Columns}, nil
}

// writeFrame writes the rows of tables or the files of an image folder: its columns are image, label (the name of the folder
// that the image lies in) and path.
func (c *command) writeFrame(ctx context.Context, from source, opts mdslib.MDSOptions) (*converted, error) {
	session, err := mdslib.Connect(ctx, "local")
	if err != nil {
		return nil, err
	}
	var frame *mdslib.DataFrame
	if from.format == "images" {
		frame = session.Read().Format("binaryFile").Option("recursiveFileLookup", "true").Option("pathGlobFilter", "*.{jpg,jpeg,png,JPG,JPEG,PNG}").Load(from.place).
			Select("content AS image", "element_at(split(path, '/'), -2) AS label", "element_at(split(path, '/'), -1) AS path")
		if opts.Columns == nil {
			opts.Columns = mdslib.Columns{"image": from.image, "label": "str", "path": "str"}
		}
	} else {
		reader := session.Read().Format(from.format)
		for name, value := range from.options {
			reader = reader.Option(name, value)
		}
		frame = reader.Load(from.place)
	}
	bar := c.progress("converted", 0)
	defer bar.end()
	opts.Progress = func(p mdslib.WriteProgress) { bar.at(p.Samples) }
	report, err := mdslib.DataFrameToMDS(ctx, frame, opts)
	if err != nil {
		return nil, err
	}
	return &converted{store.Redacted(opts.Out), report.Samples, report.Shards, report.RawBytes, report.ZipBytes, report.Columns}, nil
}
