package spark

// gomosaic-worker, the program that does this package's own work on executors, built for them from the module's sources.

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
)

// workerPackage is what is built.
const workerPackage = "gomosaic/kernel/cmd/gomosaic-worker"

// workerModule is what [WorkerModule] set.
var workerModule atomic.Pointer[func() string]

// WorkerModule says in which folder the go command finds the sources of gomosaic-worker: the module gomosaic, or one that
// requires it. The kernel calls it. Other programs build it where they run, or have a worker for each platform beside their
// executable, such as gomosaic-worker-linux-amd64.
func WorkerModule(dir func() string) { workerModule.Store(&dir) }

// newWorker is the program gomosaic-worker.
func newWorker() *program { return &program{name: "gomosaic-worker", build: buildWorker} }

// buildWorker gives the path of gomosaic-worker for linux on an architecture: the one beside this process's executable, else
// one from the user's cache, brought up to date by the go command, which takes half a second where nothing has changed.
func buildWorker(ctx context.Context, arch string) (string, error) {
	name := "gomosaic-worker-linux-" + arch
	if exe, err := os.Executable(); err == nil {
		beside := filepath.Join(filepath.Dir(exe), name)
		if stat, err := os.Stat(beside); err == nil && stat.Mode().IsRegular() {
			return beside, nil
		}
	}
	dir := "."
	if from := workerModule.Load(); from != nil {
		dir = (*from)()
	}
	absolute, err := filepath.Abs(dir)
	if err != nil {
		return "", err
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256([]byte(absolute)) // clones don't build over each other's
	folder := filepath.Join(cache, "gomosaic", "workers")
	path := filepath.Join(folder, name+"-"+hex.EncodeToString(sum[:6]))
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return "", err
	}
	// The go command leaves a file that is up to date as it is, and else writes into it, which another session may be sending.
	temp, err := os.CreateTemp(folder, ".building-")
	if err != nil {
		return "", err
	}
	defer os.Remove(temp.Name())
	err = copyInto(temp, path)
	if err = errors.Join(err, temp.Close()); err != nil {
		return "", err
	}
	watcher := watched("building gomosaic-worker")
	cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-buildvcs=false", "-ldflags", "-s -w", "-o", temp.Name(), workerPackage)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOARCH="+arch, "GOFLAGS=", "GOWORK=off", "GOTOOLCHAIN=local")
	stop := beating(watcher)
	out, err := cmd.CombinedOutput()
	stop()
	watcher.End(err)
	if ctx.Err() != nil {
		return "", context.Cause(ctx)
	}
	if err != nil {
		return "", fmt.Errorf("building it in %s: %w: %s", absolute, err, strings.TrimSpace(string(out)))
	}
	if err := os.Chmod(temp.Name(), 0o755); err != nil {
		return "", err
	}
	return path, os.Rename(temp.Name(), path)
}

// copyInto copies a file that may not be there.
func copyInto(to *os.File, path string) error {
	from, err := os.Open(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer from.Close()
	_, err = io.Copy(to, from)
	return err
}
