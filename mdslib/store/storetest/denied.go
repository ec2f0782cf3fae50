package storetest

// Doors that stay shut: what is said to whom the server does not know.

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"gomosaic/mdslib/store"
)

// Denied returns an error unless every use of s, a store opened with credentials that the server does not take, ends in an
// error that is fs.ErrPermission, has each of the words of ways (how credentials were sought), and shows no secret.
func Denied(ctx context.Context, s store.Store, scratch string, ways, secrets []string) error {
	source := filepath.Join(scratch, "source")
	if err := os.WriteFile(source, []byte("x"), 0o600); err != nil {
		return err
	}
	defer os.Remove(source)
	var list error
	for _, list = range s.List(ctx, "") {
		break
	}
	uses := map[string]error{"get": s.Get(ctx, "k", filepath.Join(scratch, "got")), "list": list}
	if !store.ReadOnly(s) {
		uses["put"], uses["delete"] = s.Put(ctx, source, "k"), s.Delete(ctx, "k")
	}
	var all []error
	for use, err := range uses {
		if !errors.Is(err, fs.ErrPermission) {
			all = append(all, fmt.Errorf("%s: got error %v, want fs.ErrPermission", use, err))
			continue
		}
		for _, way := range ways {
			if !strings.Contains(err.Error(), way) {
				all = append(all, fmt.Errorf("%s: the error does not speak of %q: %v", use, way, err))
			}
		}
		all = append(all, hides(err, secrets))
	}
	return errors.Join(all...)
}

// hides returns an error if a text shows a secret.
func hides(err error, secrets []string) error {
	for ; err != nil; err = errors.Unwrap(err) {
		for _, s := range secrets {
			if strings.Contains(err.Error(), s) {
				return fmt.Errorf("the error shows the secret %q: %q", s, err)
			}
		}
	}
	return nil
}
