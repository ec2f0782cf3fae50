// Package storetest holds every store.Store to the contract of its interface.
package storetest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"gomosaic/mdslib/store"
)

// Test returns what s does against the contract, joined, or nil. s must be empty and writable; scratch is an empty local
// folder. Both are empty again afterwards if the test passes.
func Test(ctx context.Context, s store.Store, scratch string) error {
	t := tester{ctx: ctx, s: s, scratch: scratch}
	return errors.Join(
		t.step("empty", t.empty),
		t.step("round trip", t.roundTrip),
		t.step("overwrite", t.overwrite),
		t.step("missing", t.missing),
		t.step("pieces", t.pieces),
		t.step("keys", t.keys),
		t.step("strange keys", t.strangeKeys),
		t.step("list", t.list),
		t.step("pages", t.pages),
		t.step("concurrent", t.concurrent),
		t.step("cancel", t.cancel),
	)
}

type tester struct {
	ctx     context.Context
	s       store.Store
	scratch string
}

func (t *tester) step(name string, do func() error) error {
	err := do()
	var group errgroup.Group
	group.SetLimit(8)
	for o, listErr := range t.s.List(t.ctx, "") {
		if listErr != nil {
			err = errors.Join(err, listErr)
			break
		}
		group.Go(func() error { return t.s.Delete(t.ctx, o.Key) })
	}
	err = errors.Join(err, group.Wait())
	files, _ := os.ReadDir(t.scratch)
	for _, f := range files {
		os.Remove(filepath.Join(t.scratch, f.Name()))
	}
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}

func (t *tester) put(key string, data []byte) error {
	file := filepath.Join(t.scratch, fmt.Sprintf("put-%d", rand.Uint64()))
	if err := os.WriteFile(file, data, 0o600); err != nil {
		return err
	}
	return t.s.Put(t.ctx, file, key)
}

func (t *tester) want(key string, data []byte) error {
	file := filepath.Join(t.scratch, fmt.Sprintf("get-%d", rand.Uint64()))
	if err := t.s.Get(t.ctx, key, file); err != nil {
		return err
	}
	got, err := os.ReadFile(file)
	if err == nil && !bytes.Equal(got, data) {
		err = fmt.Errorf("%s: got %d bytes that differ from the %d put", key, len(got), len(data))
	}
	return err
}

func (t *tester) wantKeys(prefix string, keys ...string) error {
	var got []string
	for o, err := range t.s.List(t.ctx, prefix) {
		if err != nil {
			return err
		}
		got = append(got, o.Key)
	}
	if !slices.Equal(got, keys) {
		return fmt.Errorf("store: List(%q): got %q, want %q", prefix, got, keys)
	}
	return nil
}

// pattern is so many bytes that differ everywhere.
func pattern(size int) []byte {
	data := make([]byte, size)
	rand.NewChaCha8([32]byte{1}).Read(data)
	return data
}

func (t *tester) empty() error { return t.wantKeys("") }

func (t *tester) roundTrip() error {
	for _, size := range []int{0, 1, 1 << 20} {
		data := pattern(size)
		if err := errors.Join(t.put("a/b c/ü.bin", data), t.want("a/b c/ü.bin", data)); err != nil {
			return err
		}
		for o, err := range t.s.List(t.ctx, "a/") {
			if err != nil || o.Bytes != int64(size) {
				return fmt.Errorf("store: List: got %d bytes, want %d: %w", o.Bytes, size, err)
			}
			if age := time.Since(o.Modified); !o.Modified.IsZero() && (age < -time.Hour || age > time.Hour) {
				return fmt.Errorf("store: List: stored at %v, which is not now", o.Modified)
			}
		}
	}
	return nil
}

func (t *tester) overwrite() error {
	return errors.Join(t.put("k", []byte("a longer first text")), t.put("k", []byte("short")), t.want("k", []byte("short")))
}

// pieces reads an object piece by piece; when it is replaced meanwhile, nothing comes of the other one.
func (t *tester) pieces() error {
	data := pattern(3<<20 + 7)
	if err := t.put("p/q", data); err != nil {
		return err
	}
	f, err := store.OpenFile(t.ctx, t.s, "p/q")
	if err != nil {
		return err
	}
	defer f.Close()
	if all, err := io.ReadAll(f); err != nil || !bytes.Equal(all, data) {
		return fmt.Errorf("store: OpenFile: read %d of %d bytes, or others: %w", len(all), len(data), err)
	}
	for _, span := range [][2]int{{0, 4}, {len(data) - 8, 8}, {1<<20 - 3, 10}, {5, 2<<20 + 1}, {len(data) - 3, 10}} {
		p := make([]byte, span[1])
		n, err := f.ReadAt(p, int64(span[0]))
		if want := data[span[0]:min(span[0]+span[1], len(data))]; !bytes.Equal(p[:n], want) || (err == nil) != (len(want) == len(p)) || err != nil && err != io.EOF {
			return fmt.Errorf("store: ReadAt(%d bytes, %d): got %d bytes, want %d: %w", span[1], span[0], n, len(want), err)
		}
	}
	if end, err := f.Seek(0, io.SeekEnd); err != nil || end != int64(len(data)) {
		return fmt.Errorf("store: an open object of %d bytes, want %d: %w", end, len(data), err)
	}
	if _, err := store.OpenFile(t.ctx, t.s, "no/such"); !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("store: OpenFile of a missing key: got error %v, want fs.ErrNotExist", err)
	}
	if err := t.put("p/q", make([]byte, len(data)+1)); err != nil { // some services know times to the second only
		return err
	}
	p := make([]byte, 1<<20)
	if n, err := f.ReadAt(p, 1<<20+1); err == nil && !bytes.Equal(p[:n], data[1<<20+1:][:n]) {
		return errors.New("store: ReadAt gives bytes of an object that took the open one's place")
	}
	return nil
}

func (t *tester) missing() error {
	file := filepath.Join(t.scratch, "none")
	if err := t.s.Get(t.ctx, "no/such", file); !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("store: Get of a missing key: got error %v, want fs.ErrNotExist", err)
	}
	if _, err := os.Stat(file); err == nil {
		return errors.New("store: Get of a missing key left a file")
	}
	if err := t.s.Delete(t.ctx, "no/such"); err != nil {
		return fmt.Errorf("store: Delete of a missing key: %w", err)
	}
	if err := t.s.Put(t.ctx, file, "k"); err == nil {
		return errors.New("store: Put of a missing file: no error")
	}
	return t.wantKeys("")
}

func (t *tester) keys() error {
	for _, key := range []string{"", ".", "..", "../x", "a/../../x", "/x", "a//b", "a/"} {
		if err := t.put(key, []byte("x")); err == nil {
			return fmt.Errorf("store: Put under key %q: no error", key)
		}
		if err := t.s.Get(t.ctx, key, filepath.Join(t.scratch, "x")); err == nil {
			return fmt.Errorf("store: Get of key %q: no error", key)
		}
		if err := t.s.Delete(t.ctx, key); err == nil {
			return fmt.Errorf("store: Delete of key %q: no error", key)
		}
	}
	return nil
}

// strangeKeys are such as addresses, listings and signatures easily get wrong.
func (t *tester) strangeKeys() error {
	keys := []string{
		"100% sure", "a&b=c?d", "a+b", "a b/c d", "a%2Fb", "a%20b", "hash#tag", "ü/é/日本", "'quotes'\"", "semi;colon,comma", "(round)[square]{curly}",
		"~tilde", "dollar$at@", "*star!", "<less&more>", ".hidden", "index.json", "a=b/_c-d",
	}
	slices.Sort(keys)
	for _, key := range keys {
		if err := errors.Join(t.put(key, []byte(key)), t.want(key, []byte(key))); err != nil {
			return fmt.Errorf("key %q: %w", key, err)
		}
	}
	if err := t.wantKeys("", keys...); err != nil {
		return err
	}
	for _, key := range keys {
		if err := t.wantKeys(key, key); err != nil {
			return err
		}
		if err := t.s.Delete(t.ctx, key); err != nil {
			return err
		}
	}
	return t.wantKeys("")
}

// pages: services list a thousand keys at a time.
func (t *tester) pages() error {
	keys := make([]string, 1002)
	var group errgroup.Group
	group.SetLimit(8)
	for i := range keys {
		keys[i] = fmt.Sprintf("p/%04d", i)
		group.Go(func() error { return t.put(keys[i], nil) })
	}
	if err := group.Wait(); err != nil {
		return err
	}
	return errors.Join(t.wantKeys("p/", keys...), t.wantKeys("p/100", keys[1000:]...))
}

func (t *tester) list() error {
	for _, key := range []string{"b/index.json", "b/10/index.json", "b/2/index.json", "a", "b.txt", "b/2/shard.00000.mds"} {
		if err := t.put(key, []byte(key)); err != nil {
			return err
		}
	}
	return errors.Join(
		t.wantKeys("", "a", "b.txt", "b/10/index.json", "b/2/index.json", "b/2/shard.00000.mds", "b/index.json"),
		t.wantKeys("b/2", "b/2/index.json", "b/2/shard.00000.mds"),
		t.wantKeys("b", "b.txt", "b/10/index.json", "b/2/index.json", "b/2/shard.00000.mds", "b/index.json"),
		t.wantKeys("c"),
		t.s.Delete(t.ctx, "b/2/index.json"),
		t.wantKeys("b/2/", "b/2/shard.00000.mds"),
	)
}

// concurrent readers see one of the whole objects that writers put under one key.
func (t *tester) concurrent() error {
	object := func(i int) []byte { return bytes.Repeat([]byte{byte(i)}, 100_000+i) }
	if err := t.put("k", object(0)); err != nil {
		return err
	}
	var group sync.WaitGroup
	failures := make([]error, 8)
	for i := range failures {
		group.Go(func() {
			if i%2 == 0 {
				failures[i] = t.put("k", object(i))
				return
			}
			file := filepath.Join(t.scratch, fmt.Sprintf("concurrent-%d", i))
			if failures[i] = t.s.Get(t.ctx, "k", file); failures[i] != nil {
				return
			}
			got, err := os.ReadFile(file)
			if err != nil || len(got) < 100_000 || !bytes.Equal(got, object(len(got)-100_000)) {
				failures[i] = fmt.Errorf("a reader among writers got %d mixed bytes: %w", len(got), err)
			}
		})
	}
	group.Wait()
	return errors.Join(failures...)
}

func (t *tester) cancel() error {
	if err := t.put("k", []byte("x")); err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(t.ctx)
	cancel()
	if err := t.s.Get(ctx, "k", filepath.Join(t.scratch, "x")); !errors.Is(err, context.Canceled) {
		return fmt.Errorf("store: Get after cancel: got error %v", err)
	}
	file := filepath.Join(t.scratch, "y")
	if err := os.WriteFile(file, []byte("y"), 0o600); err != nil {
		return err
	}
	if err := t.s.Put(ctx, file, "l"); !errors.Is(err, context.Canceled) {
		return fmt.Errorf("store: Put after cancel: got error %v", err)
	}
	if err := t.s.Delete(ctx, "k"); !errors.Is(err, context.Canceled) {
		return fmt.Errorf("store: Delete after cancel: got error %v", err)
	}
	for _, err := range t.s.List(ctx, "") {
		if !errors.Is(err, context.Canceled) {
			return fmt.Errorf("store: List after cancel: got error %v", err)
		}
		return t.wantKeys("", "k")
	}
	return errors.New("store: List after cancel: no error")
}

// TestReadOnly is [Test] for a store that can only be read and holds content and nothing else; listed tells whether it can
// be listed.
func TestReadOnly(ctx context.Context, s store.Store, content map[string][]byte, listed bool, scratch string) error {
	t := tester{ctx: ctx, s: s, scratch: scratch}
	var all []error
	if !store.ReadOnly(s) {
		all = append(all, errors.New("store: it does not say that it can only be read"))
	}
	for key, data := range content {
		all = append(all, t.want(key, data))
	}
	file := filepath.Join(scratch, "none")
	if err := s.Get(ctx, "no/such", file); !errors.Is(err, fs.ErrNotExist) {
		all = append(all, fmt.Errorf("store: Get of a missing key: got error %v, want fs.ErrNotExist", err))
	}
	if _, err := os.Stat(file); err == nil {
		all = append(all, errors.New("store: Get of a missing key left a file"))
	}
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		return err
	}
	if err := s.Put(ctx, file, "k"); !errors.Is(err, errors.ErrUnsupported) {
		all = append(all, fmt.Errorf("store: Put: got error %v, want errors.ErrUnsupported", err))
	}
	if err := s.Delete(ctx, "k"); !errors.Is(err, errors.ErrUnsupported) {
		all = append(all, fmt.Errorf("store: Delete: got error %v, want errors.ErrUnsupported", err))
	}
	if listed {
		all = append(all, t.wantKeys("", slices.Sorted(maps.Keys(content))...))
	} else {
		for _, err := range s.List(ctx, "") {
			if !errors.Is(err, errors.ErrUnsupported) {
				all = append(all, fmt.Errorf("store: List: got error %v, want errors.ErrUnsupported", err))
			}
		}
	}
	cancelled, cancel := context.WithCancel(ctx)
	cancel()
	for key := range content {
		if err := s.Get(cancelled, key, file); !errors.Is(err, context.Canceled) {
			all = append(all, fmt.Errorf("store: Get after cancel: got error %v", err))
		}
	}
	return errors.Join(all...)
}
