// Package web reads files from http:// and https:// addresses. Importing it makes the two schemes known to package store;
// only the cell host and the worker link it, so that cells do not.
package web

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"math/rand/v2"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"gomosaic/mdslib/store"
)

const (
	attempts    = 5
	firstPause  = 250 * time.Millisecond // doubled after each attempt, with jitter
	headTimeout = 30 * time.Second       // from the request to the response's header
)

func init() {
	store.Register("http", open)
	store.Register("https", open)
}

// folder is a [store.Store] of the files below a web address. It can only be read, file by file.
type folder struct {
	root   string
	client *http.Client
}

func open(_ context.Context, root string) (store.Store, error) {
	u, err := url.Parse(root)
	if err != nil || u.Host == "" {
		return nil, fmt.Errorf("store: %q is no web address", root)
	}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.ResponseHeaderTimeout = headTimeout
	return &folder{root: strings.TrimRight(root, "/"), client: &http.Client{Transport: transport}}, nil
}

// Get downloads root/key. An answer of 429 or 5xx and a broken connection are tried again, others are final.
func (f *folder) Get(ctx context.Context, key, path string) error {
	if err := store.CheckKey(key); err != nil {
		return err
	}
	address := f.root + "/" + (&url.URL{Path: key}).EscapedPath()
	pause := firstPause
	for attempt := 1; ; attempt++ {
		again, err := f.download(ctx, address, path)
		if err == nil {
			return nil
		}
		if !again || attempt == attempts || ctx.Err() != nil {
			return fmt.Errorf("store: %s: %w", f.redacted(key), err)
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("store: %s: %w", f.redacted(key), context.Cause(ctx))
		case <-time.After(pause + rand.N(pause)):
			pause *= 2
		}
	}
}

// download makes one attempt and tells whether another one may help.
func (f *folder) download(ctx context.Context, address, path string) (again bool, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return false, err
	}
	answer, err := f.client.Do(request)
	if err != nil {
		var inner *url.Error
		if errors.As(err, &inner) {
			err = inner.Err // url.Error repeats the address, with a password that stands in it
		}
		return true, err
	}
	defer answer.Body.Close()
	switch {
	case answer.StatusCode == http.StatusNotFound || answer.StatusCode == http.StatusGone:
		return false, fmt.Errorf("%s: %w", answer.Status, fs.ErrNotExist)
	case answer.StatusCode == http.StatusTooManyRequests || answer.StatusCode >= 500:
		return true, errors.New(answer.Status)
	case answer.StatusCode != http.StatusOK:
		return false, errors.New(answer.Status)
	}
	partial, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".partial-*")
	if err != nil {
		return false, err
	}
	defer os.Remove(partial.Name())
	n, err := io.Copy(partial, answer.Body)
	if closeErr := partial.Close(); err == nil {
		err = closeErr
	}
	if err == nil && answer.ContentLength >= 0 && n != answer.ContentLength {
		err = fmt.Errorf("%d of %d bytes arrived", n, answer.ContentLength)
	}
	if err != nil {
		return true, err
	}
	return false, os.Rename(partial.Name(), path)
}

// redacted is the address of a key for messages, without credentials.
func (f *folder) redacted(key string) string {
	u, err := url.Parse(f.root)
	if err != nil {
		return key
	}
	return u.Redacted() + "/" + key
}

var errReadOnly = fmt.Errorf("store: a web address can only be read: %w", errors.ErrUnsupported)

// Put is refused.
func (f *folder) Put(context.Context, string, string) error { return errReadOnly }

// Delete is refused.
func (f *folder) Delete(context.Context, string) error { return errReadOnly }

// List is refused: the web has no listing.
func (f *folder) List(context.Context, string) iter.Seq2[store.Object, error] {
	return func(yield func(store.Object, error) bool) { yield(store.Object{}, errReadOnly) }
}
