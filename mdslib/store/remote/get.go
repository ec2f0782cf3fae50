package remote

// An object becomes a local file: the first part tells how large it is, the others follow side by side, and a part that
// breaks off goes on where it was.

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"golang.org/x/sync/errgroup"

	"gomosaic/mdslib/store"
)

// Get implements [store.Store].
func (s *bucket) Get(ctx context.Context, key, path string) (err error) {
	if err := store.CheckKey(key); err != nil {
		return err
	}
	if ctx.Err() != nil {
		return s.fail(key, contextError(ctx))
	}
	temp := store.TempName(path)
	file, err := os.OpenFile(temp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
	if err != nil {
		return fmt.Errorf("store: %w", err)
	}
	defer os.Remove(temp) // in vain once it has its own name
	for attempt := 1; ; attempt++ {
		err = s.get(ctx, key, file)
		if !errors.Is(err, ErrChanged) || attempt >= s.Policy.Attempts {
			break
		}
	}
	if closeErr := file.Close(); err == nil {
		err = closeErr
	}
	if err != nil {
		return s.fail(key, fmt.Errorf("get: %w", err))
	}
	if err := os.Rename(temp, path); err != nil {
		return fmt.Errorf("store: %w", err)
	}
	return nil
}

// get fills file with one state of an object. The first request asks for the whole object, as every service can answer.
// Where it proves to be a large one of a service that can also begin further back, the request ends after the first part
// and others bring the rest.
func (s *bucket) get(ctx context.Context, key string, file *os.File) error {
	group, groupCtx := errgroup.WithContext(ctx)
	slots := make(chan struct{}, s.Policy.Parallel)
	start := func(p *piece) {
		group.Go(func() error {
			slots <- struct{}{}
			defer func() { <-slots }()
			return p.run(groupCtx)
		})
	}
	start(&piece{bucket: s, key: s.Prefix + key, file: file, opened: func(info Info) (end int64) {
		if !info.Ranges || info.Tag == "" || info.Bytes <= s.Policy.PartBytes {
			return info.Bytes
		}
		for _, part := range cut(info.Bytes, s.Policy.PartBytes)[1:] {
			start(&piece{bucket: s, key: s.Prefix + key, file: file, at: part.Offset, end: part.Offset + part.Bytes, info: info})
		}
		return s.Policy.PartBytes
	}})
	if err := group.Wait(); ctx.Err() != nil {
		return contextError(ctx)
	} else {
		return err
	}
}

// cutOff is what became of an answer, of an error of reading it.
func cutOff(arrived, of int64, err error) error {
	if err == io.EOF || err == io.ErrUnexpectedEOF {
		return fmt.Errorf("%d of %d bytes arrived: %w", arrived, of, io.ErrUnexpectedEOF)
	}
	return err
}

// piece is a piece of an object on its way to its place in a file.
type piece struct {
	*bucket
	key     string
	file    *os.File
	at, end int64 // what is still missing; end < 0: all there is
	info    Info
	opened  func(Info) (end int64) // of the first piece: called with info when the service has told it
}

func (p *piece) run(ctx context.Context) error {
	return p.Policy.do(ctx, func(ctx context.Context, moved func()) error {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		var wanted Span
		if p.opened == nil {
			wanted = Span{p.at, max(0, p.end-p.at)}
		}
		body, info, err := p.service.Open(ctx, p.key, wanted, p.info.Tag)
		if err != nil {
			return err
		}
		defer body.Close()
		if p.opened != nil { // nothing but this request is at work on the file
			if err := p.file.Truncate(0); err != nil {
				return err
			}
			p.info, p.end = info, p.opened(info)
			if info.Ranges && info.Tag != "" {
				p.opened = nil
			}
		} else if info.Tag != p.info.Tag {
			return ErrChanged
		}
		moved()
		var n int64
		to, from := io.NewOffsetWriter(p.file, p.at), moving{body, moved}
		if p.end < 0 {
			n, err = io.Copy(to, from)
		} else {
			n, err = io.CopyN(to, from, p.end-p.at)
			err = cutOff(p.at+n, p.info.Bytes, err)
		}
		if p.opened == nil {
			p.at += n // else the next attempt begins anew
		}
		return err
	})
}
