package checkpoint

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"

	"gomosaic/mdslib/store"
)

// FetchOptions says how a checkpoint is fetched; the zero value caches in the user's cache folder and checks the hash that
// the file's name ends with.
type FetchOptions struct {
	SHA256   string // what the file's hash must begin with, hex; default: the part of the name in mobilenet_v2-b0353104.pth, as torch.hub
	CacheDir string // default os.UserCacheDir()/gomosaic/checkpoints
}

// hashInName is torch.hub's convention, the name's end a hyphen and eight or more hex digits of the hash; "" if it is not.
func hashInName(name string) string {
	stem := strings.TrimSuffix(name, path.Ext(name))
	digits := stem[strings.LastIndexByte(stem, '-')+1:]
	if len(name) < len(stem)+2 || len(stem) == len(digits) || len(digits) < 8 || len(digits) > 64 || strings.Trim(digits, "0123456789abcdef") != "" {
		return ""
	}
	return digits
}

// Fetch returns the local path of a checkpoint: source itself when it is a file here, else the copy of the URL in the cache,
// downloaded if it is not there yet. A file whose hash is another is an error and does not stay in the cache.
func Fetch(ctx context.Context, source string, o FetchOptions) (string, error) {
	folder, name := store.Split(source)
	shown := store.Redacted(source)
	want := strings.ToLower(o.SHA256)
	if want == "" {
		want = hashInName(name)
	}
	if local, ok := store.LocalPath(source); ok {
		return local, checkHash(source, local, want)
	}
	dir := o.CacheDir
	if dir == "" {
		cache, err := os.UserCacheDir()
		if err != nil {
			return "", fmt.Errorf("checkpoint: a folder to keep %s in: %w", shown, err)
		}
		dir = filepath.Join(cache, "gomosaic", "checkpoints")
	}
	sum := sha256.Sum256([]byte(store.Redacted(folder))) // equal names from two places do not meet
	dir = filepath.Join(dir, hex.EncodeToString(sum[:6]))
	kept := filepath.Join(dir, name)
	if err := checkHash(shown, kept, want); err == nil {
		return kept, nil
	} else if !errors.Is(err, fs.ErrNotExist) {
		os.Remove(kept)
	}
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return "", fmt.Errorf("checkpoint: %w", err)
	}
	from, err := store.Open(ctx, folder)
	if err != nil {
		return "", fmt.Errorf("checkpoint: %s: %w", shown, err)
	}
	if err := from.Get(ctx, name, kept); err != nil {
		return "", fmt.Errorf("checkpoint: fetch %s: %w", shown, err)
	}
	if err := checkHash(shown, kept, want); err != nil {
		os.Remove(kept)
		return "", err
	}
	return kept, nil
}

// checkHash compares a file's SHA-256 with the hex digits that it must begin with; none asks for nothing but that the file
// is there.
func checkHash(source, file, want string) error {
	f, err := os.Open(file)
	if err != nil {
		return fmt.Errorf("checkpoint: %s: %w", source, err)
	}
	defer f.Close()
	if want == "" {
		return nil
	}
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return fmt.Errorf("checkpoint: %s: %w", source, err)
	}
	if got := hex.EncodeToString(h.Sum(nil)); !strings.HasPrefix(got, want) {
		return fmt.Errorf("checkpoint: %s: its SHA-256 is %s…, want %s…: the file is damaged or another one", source, got[:len(want)], want)
	}
	return nil
}
