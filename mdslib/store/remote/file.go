package remote

// An object read where it lies: pieces of it, each by a request of its own.

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"

	"gomosaic/mdslib/store"
)

const (
	// An object of no more bytes comes with the request that opens it.
	smallObject = 1 << 20
	// Less than a block is never asked for; the last ones are kept, as who reads a footer reads on beside it.
	blockBytes = 1 << 20
	blocksKept = 4
)

// object is one state of an object, of whose bytes any may be asked for.
type object struct {
	*bucket
	ctx  context.Context
	key  string
	info Info

	mu     sync.Mutex
	blocks []block // the last that came, the latest first
}

type block struct {
	at   int64
	data []byte
}

// OpenFile implements [store.Opener] for services that can begin to read anywhere.
func (s *bucket) OpenFile(ctx context.Context, key string) (store.File, error) {
	if err := store.CheckKey(key); err != nil {
		return nil, err
	}
	if ctx.Err() != nil {
		return nil, s.fail(key, contextError(ctx))
	}
	o := &object{bucket: s, ctx: ctx, key: key}
	err := s.Policy.do(ctx, func(ctx context.Context, moved func()) error {
		body, info, err := s.service.Open(ctx, s.Prefix+key, Span{}, "")
		if err != nil {
			return err
		}
		defer body.Close()
		if !info.Ranges || info.Tag == "" || info.Bytes < 0 {
			return fmt.Errorf("it can't be read piece by piece: %w", errors.ErrUnsupported)
		}
		moved()
		o.info, o.blocks = info, nil
		if info.Bytes > smallObject {
			return nil
		}
		b := block{0, make([]byte, info.Bytes)}
		if n, err := io.ReadFull(moving{body, moved}, b.data); err != nil {
			return cutOff(int64(n), info.Bytes, err)
		}
		o.blocks = []block{b}
		return nil
	})
	if err != nil {
		return nil, s.fail(key, fmt.Errorf("open: %w", err))
	}
	return file{io.NewSectionReader(o, 0, o.info.Bytes)}, nil
}

// file is an object with a place in it.
type file struct{ *io.SectionReader }

// Close has nothing to do: a request ends with the piece that it was made for.
func (file) Close() error { return nil }

// ReadAt reads all of p, or to the object's end.
func (o *object) ReadAt(p []byte, at int64) (n int, err error) {
	for n < len(p) && at < o.info.Bytes {
		var m int
		if rest := min(int64(len(p)-n), o.info.Bytes-at); rest >= blockBytes {
			m, err = o.fetch(p[n:n+int(rest)], at)
		} else {
			m, err = o.fromBlock(p[n:], at)
		}
		n, at = n+m, at+int64(m)
		if err != nil {
			return n, err
		}
	}
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

// fromBlock reads what the block around a place has of p.
func (o *object) fromBlock(p []byte, at int64) (int, error) {
	begin := at / blockBytes * blockBytes
	o.mu.Lock()
	defer o.mu.Unlock() // who wants the same block waits for it
	for _, b := range o.blocks {
		if b.at == begin {
			return copy(p, b.data[at-begin:]), nil
		}
	}
	b := block{begin, make([]byte, min(blockBytes, o.info.Bytes-begin))}
	if _, err := o.fetch(b.data, begin); err != nil {
		return 0, err
	}
	o.blocks = append([]block{b}, o.blocks[:min(len(o.blocks), blocksKept-1)]...)
	return copy(p, b.data[at-begin:]), nil
}

// fetch asks for a piece; one that breaks off goes on where it was.
func (o *object) fetch(p []byte, at int64) (n int, err error) {
	err = o.Policy.do(o.ctx, func(ctx context.Context, moved func()) error {
		body, info, err := o.service.Open(ctx, o.Prefix+o.key, Span{at + int64(n), int64(len(p) - n)}, o.info.Tag)
		if err != nil {
			return err
		}
		defer body.Close()
		if info.Tag != o.info.Tag {
			return ErrChanged
		}
		moved()
		m, err := io.ReadFull(moving{body, moved}, p[n:])
		n += m
		return cutOff(int64(n), int64(len(p)), err)
	})
	if err != nil {
		return n, o.fail(o.key, fmt.Errorf("get: %w", err))
	}
	return n, nil
}
