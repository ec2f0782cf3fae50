package mdslib

// MDSWriter: samples to shards to index.json. The caller's goroutine encodes samples into memory; each full shard is
// compressed, hashed, written and uploaded by its own goroutine (shard_file.go, upload.go) while the next fills
// (shard_memory.go).

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"gomosaic/display"
	"gomosaic/mdslib/store"
)

// ErrAborted is what a writer returns after [MDSWriter.Abort].
var ErrAborted = errors.New("mdslib: writing was aborted")

// writerMemory divides a writer's memory, of which compressors take their part: how many shards are stored at a time while one
// fills, and the bytes of chunks for them all. One shard must fit whatever the compressor takes: where that is more than about
// the limit (see [MDSOptions.SizeLimit]), it comes on top. Without a limit a shard takes what it needs.
func writerMemory(limit, memory int64, c compression) (stored int, chunkBytes int64) {
	const most = 2 // more cores are kept busy by more writers, one a partition
	if limit == 0 {
		return most, 0
	}
	least := limit + limit/32
	for stored = most; stored > 1; stored-- {
		if chunkBytes = memory - limit/8 - int64(stored)*c.memoryBytes(limit); chunkBytes >= least {
			return stored, chunkBytes
		}
	}
	return 1, max(least, memory-limit/8-c.memoryBytes(limit))
}

// MDSWriter writes one data set, of MDS shards or those of another Format. Its first error is kept: every later call returns it and no index.json is ever
// written, so that a data set either is whole or does not read as one. Its methods are called from one goroutine at a
// time.
type MDSWriter struct {
	opts      MDSOptions
	schema    *schema
	codec     compression
	limit     int64     // of a raw shard; 0 for none
	shard     ShardInfo // what all entries of the index share
	config    []byte    // shard.config()
	header    []byte    // the line before the samples of a text format
	dir       string    // local folder of the files
	temporary bool      // dir was made by the writer and goes away with it
	remote    store.Store
	started   time.Time

	scratch []byte
	filling *rawShard
	earlier []ShardInfo // shards that a writer with Resume found; they stay as they are
	first   int         // number of the first shard of its own
	next    int         // number of the shard being filled
	given   int64       // samples given to Write
	closed  bool

	ctx     context.Context
	cancel  context.CancelCauseFunc
	memory  *shardMemory
	storers chan *storer   // idle ones
	work    sync.WaitGroup // shards being stored or uploaded
	uploads chan struct{}  // holds a token for each upload in flight
	failure atomic.Pointer[error]

	bar *display.ProgressBar // nil without

	mu       sync.Mutex // guards what follows
	done     map[int]ShardInfo
	progress WriteProgress
}

// NewMDSWriter checks the options and makes the out folder ready. Close must be called, or Abort.
func NewMDSWriter(opts MDSOptions) (*MDSWriter, error) {
	w := &MDSWriter{opts: opts, started: time.Now(), done: map[int]ShardInfo{}}
	format := opts.Format
	if format == "" {
		format = "mds"
	}
	text, err := newTextFormat(format, opts.Newline, opts.Separator)
	if err != nil {
		return nil, fmt.Errorf("mdslib: %w", err)
	}
	if w.schema, err = opts.Columns.schema(text); err != nil {
		return nil, err
	}
	if err := w.schema.nullAs(opts.NullAs); err != nil {
		return nil, err
	}
	if w.codec, w.limit, err = opts.parse(); err != nil {
		return nil, err
	}
	if w.codec.name != "" {
		if _, err := w.codec.codec(); err != nil {
			return nil, err
		}
	}
	w.header = []byte(text.headerLine(w.schema.names))
	w.shard = ShardInfo{
		Format: format, Compression: w.codec.text, Hashes: append([]string{}, opts.Hashes...), SizeLimit: w.limit,
		ColumnNames: w.schema.names,
	}
	for _, e := range w.schema.encodings {
		w.shard.ColumnEncodings = append(w.shard.ColumnEncodings, e.Name())
		if text == nil {
			w.shard.ColumnSizes = append(w.shard.ColumnSizes, e.Bytes())
		}
	}
	if text != nil {
		w.shard.Newline = text.newline
		if format == "xsv" {
			w.shard.Separator = text.separator
		}
	}
	if w.config, err = w.shard.config(); err != nil {
		return nil, fmt.Errorf("mdslib: %w", err)
	}
	stored, chunkBytes := writerMemory(w.limit, opts.writerMemory(w.limit), w.codec)
	w.memory = newShardMemory(chunkBytes)
	w.filling = newRawShard(w.memory)
	w.storers = make(chan *storer, stored)
	for range stored {
		w.storers <- new(storer)
	}
	if opts.conversion != nil {
		w.uploads = opts.conversion.uploads
	} else {
		w.uploads = make(chan struct{}, opts.uploadWorkers())
	}
	w.ctx, w.cancel = context.WithCancelCause(context.Background())
	if err := w.open(); err != nil {
		w.cancel(err)
		return nil, err
	}
	if opts.ProgressBar {
		w.bar = display.Progress(display.ProgressOptions{Desc: "writing MDS", Unit: "sample"})
	}
	return w, nil
}

// open resolves Out and Remote, as the reference does: a local folder, a URL, or a pair of both.
func (w *MDSWriter) open() error {
	remote := w.opts.Remote
	dir, local := store.LocalPath(w.opts.Out)
	switch {
	case w.opts.Out == "" && remote == "":
		return errors.New("mdslib: MDSOptions.Out is empty: want a local folder or a URL")
	case !local && remote != "":
		return fmt.Errorf("mdslib: with Remote %q set, Out %q must be a local folder", store.Redacted(remote), store.Redacted(w.opts.Out))
	case !local:
		dir, remote = "", w.opts.Out
	}
	if remote != "" {
		var err error
		if w.remote, err = openWritable(w.ctx, remote); err != nil {
			return err
		}
		if !w.opts.Resume {
			if err := prepareRemote(w.ctx, w.remote, remote, w.opts.ExistOK); err != nil {
				return err
			}
		}
	}
	if w.opts.Resume {
		if err := w.resume(w.ctx, dir); err != nil {
			return err
		}
	}
	if dir == "" {
		var err error
		w.temporary = true
		if dir, err = os.MkdirTemp("", "mds-"); err != nil {
			return fmt.Errorf("mdslib: %w", err)
		}
	} else if !w.opts.Resume {
		if err := prepareOut(dir, w.opts.ExistOK); err != nil {
			return err
		}
	}
	w.dir = dir
	return nil
}

// Dir returns the local folder the shards are written to.
func (w *MDSWriter) Dir() string { return w.dir }

// Write encodes a sample and adds it to the shard being filled; it may wait for an earlier shard to be stored. The
// sample is not kept. An error about the sample is a [*SampleError]; it stops the writer unless OnInvalid says otherwise.
func (w *MDSWriter) Write(sample Sample) error {
	if err := w.ready(); err != nil {
		return err
	}
	return w.take(w.schema.appendSample(w.scratch[:0], sample))
}

// ready returns an error if no sample can be written.
func (w *MDSWriter) ready() error {
	if err := w.err(); err != nil {
		return err
	}
	if w.closed {
		return errors.New("mdslib: Write after Close")
	}
	return nil
}

// take adds a sample, encoded in scratch, or deals with the error that encoding it gave.
func (w *MDSWriter) take(raw []byte, err error) error {
	number := w.given
	w.given++
	if err == nil {
		w.scratch = raw[:0]
		if w.sizes(1, int64(len(raw))).fileBytes > maxOffset {
			err = fmt.Errorf("sample of %d bytes, but a shard holds at most 4 GiB", len(raw))
		}
	}
	if err != nil {
		err = locate(err, "", number)
		if w.opts.OnInvalid != nil {
			err = w.opts.OnInvalid(err)
		}
		return w.fail(err)
	}
	return w.add(raw)
}

// add puts an encoded sample into the shard being filled, or the next one if it would grow beyond the limit. As in the
// reference a first sample that is itself too large leaves an empty shard behind: readers of both take it.
func (w *MDSWriter) add(raw []byte) error {
	grown := w.sizes(w.filling.len()+1, w.filling.samples.bytes+int64(len(raw)))
	if w.limit != 0 && grown.counted > w.limit {
		if err := w.flush(); err != nil {
			return err
		}
	} else if grown.fileBytes > maxOffset {
		return w.fail(fmt.Errorf("mdslib: the only shard would grow to %d bytes, but it holds at most 4 GiB: set SizeLimit", grown.fileBytes))
	}
	if err := w.filling.add(w.ctx, raw); err != nil {
		return w.fail(err)
	}
	return nil
}

// shardSizes are the size of a shard's data file and what of it counts towards the limit.
type shardSizes struct{ fileBytes, counted int64 }

// sizes gives those of a shard of so many samples that take so many bytes: of a text shard the header line does not count.
func (w *MDSWriter) sizes(samples int, bytes int64) shardSizes {
	if w.schema.text != nil {
		return shardSizes{int64(len(w.header)) + bytes, bytes}
	}
	n := headBytes(samples, len(w.config)) + bytes
	return shardSizes{n, n}
}

// flush hands the filled shard over, waiting until it can be stored, and begins an empty one.
func (w *MDSWriter) flush() error {
	full, number := w.filling, w.next
	w.next++
	w.filling = newRawShard(w.memory)
	select {
	case s := <-w.storers:
		full.lend(w.shard.Hashes) // before the next one asks for memory
		w.work.Go(func() { w.finish(number, full, s) })
	case <-w.ctx.Done(): // never stored
	}
	return w.err()
}

// finish stores one shard. It runs in its own goroutine.
func (w *MDSWriter) finish(number int, r *rawShard, s *storer) {
	info := w.shard
	err := w.err()
	if !errors.Is(err, ErrAborted) { // after another shard's error this one is still good for a writer with Resume
		err = r.store(w.dir, w.basename(number), w, s, &info)
	}
	if err == nil {
		w.report(func(p *WriteProgress) {
			w.done[number] = info
			p.Shards++
			p.Samples += int64(info.Samples)
			for _, part := range info.parts() {
				p.RawBytes += part.raw.Bytes
			}
			for _, f := range info.Files() {
				p.StoredBytes += f.Bytes
			}
		})
	}
	if err == nil && w.remote != nil {
		select { // before another shard can be stored: a slow remote holds the writer up instead of filling the disk
		case w.uploads <- struct{}{}:
			w.work.Go(func() {
				defer func() { <-w.uploads }()
				for _, f := range info.Files() {
					w.fail(w.upload(filepath.Join(w.dir, f.Basename), f.Basename))
				}
			})
		case <-w.ctx.Done():
		}
	}
	w.fail(err)
	w.storers <- s // never blocks: there is a place for each
}

// basename is the name of a shard's raw data file.
func (w *MDSWriter) basename(number int) string {
	return fmt.Sprintf("shard.%05d.%s", number, w.shard.Format)
}

// report changes the progress and calls the hook.
func (w *MDSWriter) report(change func(*WriteProgress)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	change(&w.progress)
	w.progress.Elapsed = time.Since(w.started)
	if w.bar != nil {
		w.bar.Set(int(w.progress.Samples))
		w.bar.Note("shards", w.progress.Shards)
		w.bar.Note("written", FormatBytes(w.progress.StoredBytes))
		if w.remote != nil {
			w.bar.Note("uploaded files", w.progress.UploadedFiles)
		}
	}
	if w.opts.Progress != nil {
		w.opts.Progress(w.progress)
	}
}

// Progress returns how far the writer is. It may be called from any goroutine, but not from the Progress hook.
func (w *MDSWriter) Progress() WriteProgress {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.progress
}

// err returns the writer's first error.
func (w *MDSWriter) err() error {
	if p := w.failure.Load(); p != nil {
		return *p
	}
	return nil
}

// fail keeps err if it is the first and returns it or nil.
func (w *MDSWriter) fail(err error) error {
	if err != nil && w.failure.CompareAndSwap(nil, &err) {
		w.cancel(err)
	}
	return err
}

// Close stores the last shard, waits for all shards and uploads and then writes index.json, locally and last of all
// remotely. Files that were uploaded are removed locally unless KeepLocal is set. After an error there is no index.json;
// the shards that lie in the folder then belong to no data set. Closing twice returns the same.
func (w *MDSWriter) Close() error {
	if w.closed {
		return w.err()
	}
	w.closed = true
	if w.err() == nil && w.filling.len() > 0 {
		w.flush()
	}
	w.work.Wait()
	if w.err() == nil && w.opts.conversion == nil {
		w.fail(w.writeIndex())
	}
	w.cancel(nil)
	w.removeLocal()
	if err := w.err(); w.bar != nil && err == nil {
		w.bar.Done()
	} else if w.bar != nil {
		w.bar.Fail(err)
	}
	return w.err()
}

// writeIndex publishes index.json, the moment the files become a data set.
func (w *MDSWriter) writeIndex() error {
	text, err := w.Index().AppendJSON(nil)
	if err != nil {
		return err
	}
	name := filepath.Join(w.dir, IndexName)
	f, err := createTemp(name)
	if err != nil {
		return err
	}
	if _, err = f.Write(text); err == nil && w.remote != nil {
		err = w.upload(f.Name(), IndexName)
	}
	if err != nil {
		f.Close()
		os.Remove(f.Name())
		return fmt.Errorf("mdslib: write %s: %w", name, err)
	}
	return publish(f, name)
}

// removeLocal removes the local files of a data set that lives elsewhere.
func (w *MDSWriter) removeLocal() {
	switch {
	case w.temporary:
		os.RemoveAll(w.dir)
	case w.remote != nil && !w.opts.KeepLocal && w.err() == nil:
		w.removeFiles()
	}
}

// removeFiles removes what the writer wrote into its folder, and the folder if nothing else is in it.
func (w *MDSWriter) removeFiles() {
	if len(w.earlier) == 0 || w.err() == nil { // an earlier data set stays whole
		os.Remove(filepath.Join(w.dir, IndexName))
	}
	for number := w.first; number < w.next; number++ {
		for _, base := range []string{w.basename(number), w.basename(number) + metaSuffix} {
			name := filepath.Join(w.dir, base)
			if w.codec.name != "" {
				name += "." + w.codec.name
			}
			os.Remove(name)
		}
	}
	os.Remove(w.dir)
}

// Abort stops the writer and removes what it wrote, locally and remotely; the writer then returns [ErrAborted]. After a
// successful Close it does nothing, so it may be deferred.
func (w *MDSWriter) Abort() error {
	if w.closed && w.err() == nil {
		return nil
	}
	w.fail(ErrAborted)
	w.closed = true
	if w.bar != nil {
		w.bar.Stop()
	}
	w.work.Wait()
	w.removeFiles()
	if w.temporary {
		os.RemoveAll(w.dir)
	}
	if w.remote == nil {
		return nil
	}
	var errs []error
	ctx := context.WithoutCancel(w.ctx)
	for number := w.first; number < w.next; number++ {
		if info, ok := w.done[number]; ok {
			for _, f := range info.Files() {
				errs = append(errs, w.remote.Delete(ctx, f.Basename))
			}
		}
	}
	return errors.Join(errs...)
}

// Index returns the index of the shards stored so far; after a successful Close, of the data set.
func (w *MDSWriter) Index() *Index {
	w.mu.Lock()
	defer w.mu.Unlock()
	index := &Index{Shards: append(make([]ShardInfo, 0, len(w.earlier)+len(w.done)), w.earlier...)}
	for number := w.first; number < w.next; number++ {
		if info, ok := w.done[number]; ok {
			index.Shards = append(index.Shards, info)
		}
	}
	return index
}
