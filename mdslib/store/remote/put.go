package remote

// A local file becomes an object: by one request, or in parts side by side.

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"time"

	"golang.org/x/sync/errgroup"
)

// Put implements [store.Store].
func (s *bucket) Put(ctx context.Context, path, key string) error {
	writer, err := s.writer(ctx, key)
	if err != nil {
		return err
	}
	file, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("store: %w", err)
	}
	defer file.Close()
	stat, err := file.Stat()
	if err != nil {
		return fmt.Errorf("store: %w", err)
	}
	if !stat.Mode().IsRegular() {
		return fmt.Errorf("store: %s is no file", path)
	}
	size := stat.Size()
	err = errors.ErrUnsupported
	if parts, ok := writer.(PartWriter); ok && size > s.Policy.PartBytes {
		if err = s.putParts(ctx, parts, file, size, key); errors.Is(err, errUploadGone) {
			err = s.putParts(ctx, parts, file, size, key)
		}
	}
	if errors.Is(err, errors.ErrUnsupported) {
		err = s.Policy.do(ctx, func(ctx context.Context, moved func()) error {
			return writer.Upload(ctx, s.Prefix+key, movingFile{io.NewSectionReader(file, 0, size), moved}, size)
		})
	}
	if err != nil {
		return s.fail(key, fmt.Errorf("put: %w", err))
	}
	return nil
}

// errUploadGone tells that the service no longer knows an upload in parts that it began: it forgot it, or it made the object
// of it and the answer was lost. Either way the parts are sent anew, once.
var errUploadGone = errors.New("the service does not know the upload any more")

func (s *bucket) uploadGone(err error) error {
	if errors.Is(err, fs.ErrNotExist) && !s.PartsAlone {
		return fmt.Errorf("%w: %w", errUploadGone, err)
	}
	return err
}

// abortTime is how long a failed upload may take to free its parts, on a network that moves.
const abortTime = 10 * time.Second

// completeTime is how long a service may take to make an object of its parts, in which it need not say a word: of many parts
// S3 does so for several minutes (https://docs.aws.amazon.com/AmazonS3/latest/API/API_CompleteMultipartUpload.html).
const completeTime = 10 * time.Minute

func (s *bucket) putParts(ctx context.Context, writer PartWriter, file *os.File, size int64, key string) (err error) {
	var upload Parts
	err = s.Policy.do(ctx, func(ctx context.Context, _ func()) error {
		var err error
		upload, err = writer.Begin(ctx, s.Prefix+key, size)
		return err
	})
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), min(abortTime, s.Policy.Stall))
			defer cancel()
			upload.Abort(ctx) // the first error is the one to report; services drop what is left over in time
		}
	}()
	group, groupCtx := errgroup.WithContext(ctx)
	group.SetLimit(s.Policy.Parallel)
	if o, ok := upload.(interface{ InOrder() bool }); s.PartsInOrder || ok && o.InOrder() {
		group.SetLimit(1)
	}
	for _, part := range cut(size, s.partBytes(size)) {
		if groupCtx.Err() != nil {
			break
		}
		group.Go(func() error {
			return s.Policy.do(groupCtx, func(ctx context.Context, moved func()) error {
				return upload.Put(ctx, part, movingFile{io.NewSectionReader(file, part.Offset, part.Bytes), moved})
			})
		})
	}
	if err := group.Wait(); err != nil {
		return s.uploadGone(err)
	}
	if ctx.Err() != nil {
		return contextError(ctx)
	}
	slow := s.Policy
	slow.Stall = max(slow.Stall, completeTime)
	return s.uploadGone(slow.do(ctx, func(ctx context.Context, _ func()) error { return upload.Complete(ctx) }))
}

// partBytes is the size of a file's parts: that of the policy, or as many MiB as keep their number within bounds.
func (s *bucket) partBytes(size int64) int64 {
	least := (size + int64(s.MaxParts) - 1) / int64(s.MaxParts)
	if least <= s.Policy.PartBytes {
		return s.Policy.PartBytes
	}
	return (least + 1<<20 - 1) >> 20 << 20
}

// cut divides a file into parts; an empty file is one empty part.
func cut(size, partBytes int64) []Part {
	var parts []Part
	for offset := int64(0); offset < size || len(parts) == 0; offset += partBytes {
		parts = append(parts, Part{
			Number: len(parts) + 1,
			Offset: offset,
			Bytes:  min(partBytes, size-offset),
			Last:   offset+partBytes >= size,
		})
	}
	return parts
}
