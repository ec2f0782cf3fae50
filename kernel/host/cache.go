package host

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"gomosaic/kernel/cell"
)

// defaultCacheDir is the user's cache folder for gomosaic.
func defaultCacheDir() (string, error) {
	dir, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("host: Options.CacheDir: %w", err)
	}
	return filepath.Join(dir, "gomosaic"), nil
}

// openCache finds the toolchain and the archives for cells; it compiles what is not compiled yet.
func openCache(ctx context.Context, o Options, progress func(string)) (*cell.Module, *cell.Archives, error) {
	tools, err := cell.FindToolchain(ctx)
	if err != nil {
		return nil, nil, err
	}
	module, err := o.module(tools)
	if err != nil {
		return nil, nil, err
	}
	archives, err := openArchives(ctx, o, module, progress)
	return module, archives, err
}

// openArchives lists what a host with the module's requirements links.
func openArchives(ctx context.Context, o Options, module *cell.Module, progress func(string)) (*cell.Archives, error) {
	roots := append([]string{o.MainPackage}, cell.RuntimePackages...)
	for _, p := range o.preloads() {
		roots = append(roots, p.Path)
	}
	return cell.OpenArchives(ctx, module, o.CacheDir, roots, progress)
}

// folder is where one session keeps its plugins. It is locked as long as the session lives, so that a later session can
// tell and remove the folder of one that was killed.
type folder struct {
	path string
	lock *cell.FileLock
}

// newFolder makes a session's folder, and removes those that nobody holds any more.
func newFolder(ctx context.Context, cacheDir string) (*folder, error) {
	root := filepath.Join(cacheDir, "sessions")
	if err := os.MkdirAll(root, 0o755); err != nil {
		return nil, fmt.Errorf("host: compile cache: %w", err)
	}
	all, err := cell.LockFile(ctx, filepath.Join(cacheDir, "sessions.lock"))
	if err != nil {
		return nil, err
	}
	defer all.Unlock() // a new folder is not seen by others before it is locked
	entries, err := os.ReadDir(root)
	if err != nil {
		return nil, err
	}
	for _, e := range entries {
		path := filepath.Join(root, e.Name())
		if lock, ok := cell.TryLock(filepath.Join(path, "lock")); ok {
			_ = os.RemoveAll(path)
			lock.Unlock()
		}
	}
	path, err := os.MkdirTemp(root, "s")
	if err != nil {
		return nil, err
	}
	lock, err := cell.LockFile(ctx, filepath.Join(path, "lock"))
	if err != nil {
		return nil, err
	}
	return &folder{path, lock}, nil
}

func (f *folder) remove() error {
	defer f.lock.Unlock()
	return os.RemoveAll(f.path)
}
