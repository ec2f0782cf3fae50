package mdslib

import (
	"fmt"
	"iter"
	"runtime"
	"time"
)

// MDSOptions says where and how an MDS data set is written, for [NewMDSWriter] and DataFrameToMDS. The zero value of every
// field but Out and Columns is sensible: shards of at most 64 MB, no compression, no hashes. It prints and travels as
// JSON; the hooks do not travel.
//
// The names and defaults follow mosaicml-streaming's MDSWriter.
type MDSOptions struct {
	// Out is the folder or URL the data set is written to. With Remote set it is the local half of the reference's
	// (local, remote) pair; left empty then, a temporary folder is used.
	Out string `json:"out"`
	// Remote is a folder or URL each finished file is copied to, index.json last.
	Remote string `json:"remote,omitempty"`
	// Columns maps each column to its encoding; see [ParseEncoding] for the names.
	Columns Columns `json:"columns,omitempty"`
	// Format is the shards' format: "" or "mds", or one of the text formats json (a JSON object a line), csv, tsv and xsv,
	// whose columns are str, int or float. The reference has a writer for each.
	Format string `json:"format,omitempty"`
	// Newline ends each line of a text format. "" is "\n".
	Newline string `json:"newline,omitempty"`
	// Separator stands between the values of an xsv line.
	Separator string `json:"separator,omitempty"`
	// Compression is "" or "none", or an algorithm with an optional level: "zstd", "zstd:7", "gz:6", "snappy", "br", "bz2".
	// Outside notebooks the last two need an import of their codec: _ "gomosaic/mdslib/codec/brotli" or …/bzip2.
	Compression string `json:"compression,omitempty"`
	// Hashes are stored in index.json for each file, for example {"sha1", "xxh64"}; they must be sorted.
	Hashes []string `json:"hashes,omitempty"`
	// SizeLimit is the largest raw shard, as text ("16mb", "67108864") or as a number by [Bytes](64<<20). "" is 64 MB, "none"
	// or "0" puts all in one shard.
	//
	// A writer takes at most the memory of two such shards, or WriterMemory; more only with limits below what the compressor
	// takes itself, which then comes on top of one shard: up to 10 MB for gz, snappy and zstd:3, 19 MB for zstd:9, 54 MB for zstd:19, 37 MB
	// for br:5, 100 MB for br:11, 3 MB a level for bz2. FORMAT.md has the table.
	SizeLimit string `json:"size_limit,omitempty"`
	// WriterMemory is how much memory a writer takes for its shards, written as SizeLimit is; "" is that of two. With less, it
	// sooner waits for a shard to be stored before it goes on with the next. One shard is held whatever it says. The writers
	// of executors' tasks have the memory of a shard and a quarter.
	WriterMemory string `json:"writer_memory,omitempty"`
	// ExistOK allows Out to hold a data set already, which is removed first. Files that are no part of one are never
	// removed: they are an error.
	ExistOK bool `json:"exist_ok,omitempty"`
	// Resume goes on with the data set that Out holds: its shards stay, new ones follow, and index.json is replaced at the
	// end. Where a writer died there is no index.json; then the sound shards up to the first gap stay, and
	// [MDSWriter.Resumed] tells how many samples need not be written again. Columns and format must be the earlier ones.
	// An empty folder is begun. A remote must hold an index.json.
	//
	// With DataFrameToMDS it is another thing: complete partitions of a conversion that was killed, failed or was interrupted
	// stay, if the plan, the files it reads and the options are the same ones; the others are written. Nothing is taken from a
	// conversion of other data.
	Resume bool `json:"resume,omitempty"`
	// NoMergedIndex leaves the partitions of DataFrameToMDS as data sets of their own, without an index.json over them all, as
	// merge_index=False does in the reference. [MergeIndex] merges them later.
	NoMergedIndex bool `json:"no_merged_index,omitempty"`
	// SparkWriters says who writes the shards of a DataFrame of Spark: "transform", tasks on its executors that SELECT TRANSFORM
	// runs; "mapInArrow", the same by way of Python there; "executors", the first of both that the platform permits; "driver",
	// this process, from rows that Spark sends. "" is executors where they can, else driver; the report says which, and why.
	// Other engines pass it by.
	SparkWriters string `json:"spark_writers,omitempty"`
	// ProgressBar shows a bar while the writer or DataFrameToMDS is at work: in the notebook, or in lines on standard error. A
	// writer's counts the samples of finished shards.
	ProgressBar bool `json:"progress_bar,omitempty"`
	// NullAs offers a value for the nulls of a column, which are refused otherwise. It is encoded as any other.
	NullAs map[string]any `json:"null_as,omitempty"`
	// KeepLocal keeps the local files of a data set that was copied to a remote.
	KeepLocal bool `json:"keep_local,omitempty"`
	// MaxWorkers bounds the uploads in flight. 0 is four more than the cores, at most 32.
	MaxWorkers int `json:"max_workers,omitempty"`
	// Retry is the number of attempts per upload. 0 is two.
	Retry int `json:"retry,omitempty"`
	// UDFIterable makes DataFrameToMDS write the samples that it yields in place of the rows, as the reference's udf_iterable:
	// more or fewer of them than rows, of the columns that Columns names, which must be given. It is called once for each
	// partition, from several goroutines at once, with the partition's rows as [DataFrame.Collect] gives them; they are read as
	// it asks for them. An error that it yields, or that the rows yield, stops the conversion. On Spark it runs on the executors,
	// in a process for each partition, if it is a func that a cell declares; see [DataFrame.Map]. Else it is called here, with
	// all rows as one partition, and the report says why.
	UDFIterable func(rows iter.Seq2[Sample, error]) iter.Seq2[Sample, error] `json:"-"`
	// Progress is called after each finished shard and upload, from one goroutine at a time. It must be quick.
	Progress func(WriteProgress) `json:"-"`
	// OnInvalid is called with the [*SampleError] of a sample that cannot be encoded. Returning nil skips the sample;
	// returning an error stops the writer with it. Without the hook the first such sample stops the writer. Where executors
	// write, they leave such samples out, and the hook is called here when they are done.
	OnInvalid func(error) error `json:"-"`

	// conversion is the one that the writer writes a partition of to a remote: it publishes the index, and bounds the uploads of
	// all its writers together.
	conversion *Conversion
}

// Check says what is wrong with Compression, Hashes, SizeLimit, WriterMemory, Retry and MaxWorkers by themselves, as [NewMDSWriter] and
// DataFrameToMDS do before they touch anything.
func (o *MDSOptions) Check() error {
	_, _, err := o.parse()
	return err
}

func (o *MDSOptions) parse() (codec compression, limit int64, err error) {
	if codec, err = parseCompression(o.Compression); err == nil {
		err = checkHashes(o.Hashes)
	}
	if err == nil {
		limit, err = parseSizeLimit(o.SizeLimit)
	}
	if err == nil && o.WriterMemory != "" {
		if n, merr := ParseBytes(o.WriterMemory); merr != nil || n < 0 {
			err = fmt.Errorf("mdslib: WriterMemory %q is no number of bytes: want for example 80mb", o.WriterMemory)
		}
	}
	if err == nil && (o.Retry < 0 || o.MaxWorkers < 0) {
		err = fmt.Errorf("mdslib: Retry %d and MaxWorkers %d must not be negative", o.Retry, o.MaxWorkers)
	}
	return codec, limit, err
}

// writerMemory is WriterMemory for shards of a limit, both in bytes; [MDSOptions.Check] has seen that it is a number.
func (o *MDSOptions) writerMemory(limit int64) int64 {
	if n, err := ParseBytes(o.WriterMemory); err == nil {
		return n
	}
	return 2 * limit
}

// uploadWorkers is MaxWorkers, or its default.
func (o *MDSOptions) uploadWorkers() int {
	if o.MaxWorkers > 0 {
		return o.MaxWorkers
	}
	return min(32, runtime.NumCPU()+4)
}

// WriteProgress is how far a writer is.
type WriteProgress struct {
	Shards        int           // shards finished on local disk
	Samples       int64         // samples in those shards
	RawBytes      int64         // bytes of those shards before compression
	StoredBytes   int64         // bytes of those shards as stored
	UploadedFiles int           // files copied to the remote
	Elapsed       time.Duration // since the writer was made
}
