// Package storetest holds every store.Store to the contract of its interface.
package storetest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"sync"

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
		t.step("keys", t.keys),
		t.step("list", t.list),
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
	for o, listErr := range t.s.List(t.ctx, "") {
		if listErr != nil {
			err = errors.Join(err, listErr)
			break
		}
		err = errors.Join(err, t.s.Delete(t.ctx, o.Key))
	}
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

func (t *tester) empty() error { return t.wantKeys("") }

func (t *tester) roundTrip() error {
	for _, size := range []int{0, 1, 1 << 20} {
		data := make([]byte, size)
		for i := range data {
			data[i] = byte(i * i)
		}
		if err := errors.Join(t.put("a/b c/ü.bin", data), t.want("a/b c/ü.bin", data)); err != nil {
			return err
		}
		for o, err := range t.s.List(t.ctx, "a/") {
			if err != nil || o.Bytes != int64(size) {
				return fmt.Errorf("store: List: got %d bytes, want %d: %w", o.Bytes, size, err)
			}
		}
	}
	return nil
}

func (t *tester) overwrite() error {
	return errors.Join(t.put("k", []byte("a longer first text")), t.put("k", []byte("short")), t.want("k", []byte("short")))
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
	for _, err := range t.s.List(ctx, "") {
		if !errors.Is(err, context.Canceled) {
			return fmt.Errorf("store: List after cancel: got error %v", err)
		}
		return nil
	}
	return errors.New("store: List after cancel: no error")
}
