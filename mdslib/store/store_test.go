package store_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"gomosaic/mdslib/store"
	"gomosaic/mdslib/store/storetest"
)

func TestLocal(t *testing.T) {
	ctx := t.Context()
	for name, root := range map[string]func(dir string) string{
		"path":    func(dir string) string { return dir },
		"file://": func(dir string) string { return "file://" + dir },
		"file:/":  func(dir string) string { return "file:" + dir },
	} {
		t.Run(name, func(t *testing.T) {
			s, err := store.Open(ctx, root(filepath.Join(t.TempDir(), "not yet there", "data")))
			if err != nil {
				t.Fatal(err)
			}
			if err := storetest.Test(ctx, s, t.TempDir()); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestScheme(t *testing.T) {
	for root, want := range map[string]string{
		"/a/b": "", "a:b": "", "C:/x": "", "./a": "", "": "", "a b:/c": "",
		"s3://bucket/x": "s3", "S3://b": "s3", "dbfs:/Volumes/x": "dbfs", "azure-dl://c": "azure-dl", "file:///x": "file",
		"/Volumes/no-such-catalog/schema/volume": "dbfs",
	} {
		if got := store.Scheme(root); got != want {
			t.Errorf("Scheme(%q) = %q, want %q", root, got, want)
		}
	}
	if _, ok := store.LocalPath("file://otherhost/x"); ok {
		t.Error("a file URL of another host is no local path")
	}
	for _, c := range [][3]string{{"/a/", "b/c", "/a/b/c"}, {"s3://b/x/", "y", "s3://b/x/y"}, {"dbfs:/V", "y", "dbfs:/V/y"}, {"https://h/x/?sig=1/2", "y", "https://h/x/y?sig=1/2"}, {"/Volumes/no-such-catalog/s/v", "y", "/Volumes/no-such-catalog/s/v/y"}} {
		if got := store.Join(c[0], c[1]); got != c[2] {
			t.Errorf("Join(%q, %q) = %q, want %q", c[0], c[1], got, c[2])
		}
	}
}

func TestSplit(t *testing.T) {
	for _, c := range [][3]string{{"s3://b/x/y", "s3://b/x", "y"}, {"dbfs:/x", "dbfs:/", "x"}, {"https://h/x/y?sig=1/2", "https://h/x?sig=1/2", "y"}, {"/a/b", "/a", "b"}, {"b", ".", "b"}} {
		if folder, name := store.Split(c[0]); folder != c[1] || name != c[2] {
			t.Errorf("Split(%q) = %q, %q, want %q, %q", c[0], folder, name, c[1], c[2])
		}
	}
}

func TestRedacted(t *testing.T) {
	for root, want := range map[string]string{
		"sftp://me:a/b@h:22/x": "sftp://me:…@h:22/x", "sftp://h:22/x@y": "sftp://h:22/x@y", "sftp://me:a%2Fb@h:22/x@y": "sftp://me:…@h:22/x@y", "sftp://me@h/x": "sftp://me@h/x",
		"https://me:p:q@h?sig=1": "https://me:…@h", "https://h/x?sig=1": "https://h/x", "s3://b/x?y": "s3://b/x?y", "azure://h/c/x?sv=1&sig=2": "azure://h/c/x", "azure-dl://c?sig=2": "azure-dl://c", "s3://b/x?design=1": "s3://b/x?design=1", "/a:b@c/": "/a:b@c/", "": "",
	} {
		if got := store.Redacted(root); got != want {
			t.Errorf("Redacted(%q) = %q, want %q", root, got, want)
		}
	}
}

func TestDrivers(t *testing.T) {
	ctx, scheme := t.Context(), fmt.Sprintf("teststore%d", time.Now().UnixNano())
	if _, err := store.Open(ctx, scheme+"://x"); !errors.Is(err, store.ErrNoDriver) {
		t.Errorf("got error %v, want ErrNoDriver", err)
	}
	store.Register(scheme, func(ctx context.Context, url string) (store.Store, error) {
		return nil, fmt.Errorf("opened %s", url)
	})
	if _, err := store.Open(ctx, scheme+"://x"); err == nil || err.Error() != "opened "+scheme+"://x" {
		t.Errorf("got error %v", err)
	}
	defer func() {
		if recover() == nil {
			t.Error("a second driver for the scheme did not panic")
		}
	}()
	store.Register(scheme, func(ctx context.Context, url string) (store.Store, error) { return nil, nil })
}

func Example() {
	ctx := context.Background()
	root, _ := os.MkdirTemp("", "store")
	defer os.RemoveAll(root)
	file := filepath.Join(root, "note.txt")
	os.WriteFile(file, []byte("hello"), 0o600)

	s, err := store.Open(ctx, store.Join(root, "data"))
	if err != nil {
		fmt.Println(err)
		return
	}
	if err := s.Put(ctx, file, "notes/note.txt"); err != nil {
		fmt.Println(err)
	}
	for object, err := range s.List(ctx, "notes/") {
		fmt.Println(object.Key, object.Bytes, err)
	}
	// Output: notes/note.txt 5 <nil>
}
