package host

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"gomosaic/kernel/cell"
)

// Warm fills the compile cache for the host binary: package archives for cells, the linker front, the packages of
// shipped programs. It does in advance what the first session would otherwise wait for; a repeated call is fast.
// progress, if not nil, is told in one line what is being done.
func Warm(ctx context.Context, o Options, progress func(string)) error {
	if progress == nil {
		progress = func(string) {}
	}
	o, err := o.withDefaults()
	if err != nil {
		return err
	}
	started := time.Now()
	module, archives, err := openCache(ctx, o, progress)
	if err != nil {
		return err
	}
	f, err := newFolder(ctx, o.CacheDir)
	if err != nil {
		return err
	}
	defer f.remove()
	builder, err := cell.NewBuilder(ctx, module.Tools(), archives, o.CacheDir, f.path, o.slimFor(o.Binary))
	if err != nil {
		return err
	}
	if reason := builder.Whole(); reason != "" {
		progress("cells take more memory and time than they need, since Go's linker could not be built anew: " + reason)
	}
	stamp := filepath.Join(o.CacheDir, "programs-"+archives.Key())
	if _, err := os.Stat(stamp); err != nil {
		progress("compiling the packages of shipped functions")
		if err := cell.WarmPrograms(ctx, module, f.path, preloadPaths(o)); err != nil {
			return err
		}
		if err := os.WriteFile(stamp, nil, 0o644); err != nil {
			return fmt.Errorf("host: compile cache: %w", err)
		}
	}
	progress(fmt.Sprintf("cells: warm in %.1f s", time.Since(started).Seconds()))
	return nil
}

func preloadPaths(o Options) []string {
	paths := make([]string, len(o.preloads()))
	for i, p := range o.preloads() {
		paths[i] = p.Path
	}
	return paths
}
