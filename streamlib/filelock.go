package streamlib

import (
	"context"
	"fmt"
	"os"
	"time"
)

func openLockFile(path string) (*lockFile, error) {
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o666)
	if err != nil {
		return nil, fmt.Errorf("streamlib: %w", err)
	}
	return &lockFile{path: path, file: file}, nil
}

// lock waits for lock n.
func (l *lockFile) lock(ctx context.Context, n int) error {
	// A lock that another process holds (it is downloading) is asked for again and again: a blocking call could not be
	// left when ctx ends. The pause is short beside the download that is waited for.
	pause := time.Millisecond
	for {
		ok, err := l.try(n)
		if err != nil {
			return fmt.Errorf("streamlib: lock %s: %w", l.path, err)
		}
		if ok {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("streamlib: waiting for another process at %s: %w", l.path, context.Cause(ctx))
		case <-time.After(pause):
			pause = min(2*pause, 50*time.Millisecond)
		}
	}
}

func (l *lockFile) close() error { return l.file.Close() }
