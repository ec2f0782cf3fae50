package mdslib

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"time"

	"gomosaic/mdslib/store"
)

// upload copies a finished local file to the remote, Retry times at most, and removes it locally unless it is kept.
func (w *MDSWriter) upload(path, key string) error {
	attempts := w.opts.Retry
	if attempts == 0 {
		attempts = 2
	}
	err := retry(w.ctx, attempts, func() error { return putFile(w.ctx, w.remote, path, key) })
	if err != nil {
		return fmt.Errorf("mdslib: upload %s: %w", key, err)
	}
	if !w.opts.KeepLocal && key != IndexName {
		if err := os.Remove(path); err != nil {
			return fmt.Errorf("mdslib: %w", err)
		}
	}
	w.report(func(p *WriteProgress) { p.UploadedFiles++ })
	return nil
}

// uploadGrace is how long an upload goes on when it is not wanted any more. One that is cut off when all of the file is with
// the store may be stored a moment later, when what was stored has been removed already.
const uploadGrace = 2 * time.Second

// putFile copies a local file to a remote. When ctx ends an upload that has begun has some time to end by itself.
func putFile(ctx context.Context, remote store.Store, path, key string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	going, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	defer context.AfterFunc(ctx, func() { time.AfterFunc(uploadGrace, stop) })()
	return remote.Put(going, path, key)
}

// retry calls do until it succeeds, at most so many times, waiting 1, 2, 4 … seconds and up to half a second more in
// between, as the reference does. What another attempt cannot mend is not tried again.
func retry(ctx context.Context, attempts int, do func() error) error {
	for attempt := 0; ; attempt++ {
		err := do()
		if err == nil || attempt+1 >= attempts || ctx.Err() != nil ||
			errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission) {
			return err
		}
		timer := time.NewTimer(time.Second<<min(attempt, 6) + rand.N(time.Second/2))
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return err
		}
	}
}
