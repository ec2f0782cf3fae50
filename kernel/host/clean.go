package host

import (
	"cmp"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"gomosaic/kernel/cell"
)

// DefaultCacheBytes bounds what this package and trainlib keep in the user's cache, where [Options] say nothing.
const DefaultCacheBytes = 4 << 30

// recently is how long ago something was used that is not cleaned away, however much there is: a build may be at work on
// it, or a session that has not said so yet.
const recently = time.Hour

// kept are the things in the cache that can be made or fetched again, as patterns in its folder, with what users call
// them. Shards of streams are not among them: their data sets have a limit of their own.
var kept = []struct{ pattern, kind string }{
	{"archives-*", "lists of compiled packages"},
	{"programs-*", "lists of compiled packages"},
	{"linkfront-*", "the linker of cells"},
	{"slimlink-*", "the linker of cells"},
	{"hostsymbols-*", "the linker of cells"},
	{"hosts/host-*", "cell hosts built with modules of notebooks"},
	{"kernels/*", "kernels built with packages of yours"},
	{"shim/*", "the bridge to libtorch"},
	{"workers/*", "programs for Spark's executors"},
	{outputsFolder + "/*", "long outputs of cells"},
	{"checkpoints/*", "checkpoints"},
}

// CacheUse is what the cache holds of one kind.
type CacheUse struct {
	Kind  string // in a user's words: checkpoints, long outputs of cells, …
	Bytes int64
}

// UsedCache lists what the user's cache folder, or the one given, holds, the largest kind first.
func UsedCache(cacheDir string) ([]CacheUse, error) {
	if cacheDir == "" {
		var err error
		if cacheDir, err = defaultCacheDir(); err != nil {
			return nil, err
		}
	}
	byKind := map[string]int64{}
	for _, item := range itemsOf(cacheDir, "sessions/*") {
		byKind["running notebooks"] += item.bytes
	}
	for _, k := range kept {
		for _, item := range itemsOf(cacheDir, k.pattern) {
			byKind[k.kind] += item.bytes
		}
	}
	var uses []CacheUse
	for kind, bytes := range byKind {
		uses = append(uses, CacheUse{kind, bytes})
	}
	slices.SortFunc(uses, func(a, b CacheUse) int {
		return cmp.Or(cmp.Compare(b.Bytes, a.Bytes), strings.Compare(a.Kind, b.Kind))
	})
	return uses, nil
}

// item is one file or folder of the cache.
type item struct {
	path  string
	bytes int64     // on the disk
	used  time.Time // last
}

func itemsOf(cacheDir, pattern string) []item {
	paths, _ := filepath.Glob(filepath.Join(escapePattern(cacheDir), pattern))
	var items []item
	for _, path := range paths {
		if strings.HasSuffix(path, "lock") {
			continue
		}
		it := item{path: path}
		_ = filepath.WalkDir(path, func(_ string, d fs.DirEntry, err error) error {
			if err != nil {
				return nil // it has gone meanwhile
			}
			if info, err := d.Info(); err == nil {
				it.bytes += diskBytes(info)
				it.used = later(it.used, lastUse(info))
			}
			return nil
		})
		items = append(items, it)
	}
	return items
}

// escapePattern takes the meaning from a path's characters that filepath.Glob knows.
func escapePattern(path string) string {
	return strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`).Replace(path)
}

func diskBytes(info fs.FileInfo) int64 {
	if stat, ok := info.Sys().(*syscall.Stat_t); ok {
		return stat.Blocks * 512
	}
	return info.Size()
}

// lastUse is the later one of a file's last change and last reading. File systems note a reading once a day at least
// (relatime), or not at all: what is used is then made again, at the worst.
func lastUse(info fs.FileInfo) time.Time {
	t := info.ModTime()
	if stat, ok := info.Sys().(*syscall.Stat_t); ok && !info.IsDir() {
		t = later(t, time.Unix(stat.Atim.Unix()))
	}
	return t
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// cleanCache removes what was used longest ago until the cache holds no more than limit bytes. What living sessions use,
// in this process or another, stays. One process cleans at a time; the others need not.
func cleanCache(cacheDir string, limit int64) error {
	lock, ok := cell.TryLock(filepath.Join(cacheDir, "clean.lock"))
	if !ok {
		return nil
	}
	defer lock.Unlock()
	used := usedBySessions(cacheDir)
	var total int64
	var candidates []item
	for _, it := range itemsOf(cacheDir, "sessions/*") {
		total += it.bytes
	}
	for _, k := range kept {
		for _, it := range itemsOf(cacheDir, k.pattern) {
			total += it.bytes
			if !used[it.path] && time.Since(it.used) > recently {
				candidates = append(candidates, it)
			}
		}
	}
	slices.SortFunc(candidates, func(a, b item) int { return a.used.Compare(b.used) })
	for _, it := range candidates {
		if total <= limit {
			break
		}
		if err := os.RemoveAll(it.path); err != nil {
			return err
		}
		total -= it.bytes
	}
	return nil
}

// usesFile, in a session's folder, lists what it uses of the cache, a path a line.
const usesFile = "uses"

// uses notes what the session uses of the cache, so that it is not cleaned away under it.
func (f *folder) uses(paths ...string) error {
	return os.WriteFile(filepath.Join(f.path, usesFile), []byte(strings.Join(paths, "\n")+"\n"), 0o644)
}

// usedBySessions reads what the sessions use that live: the folder of a dead one is removed by the next that starts.
func usedBySessions(cacheDir string) map[string]bool {
	used := map[string]bool{}
	lists, _ := filepath.Glob(filepath.Join(escapePattern(cacheDir), "sessions/*", usesFile))
	for _, list := range lists {
		text, _ := os.ReadFile(list)
		for line := range strings.Lines(string(text)) {
			used[strings.TrimSuffix(line, "\n")] = true
		}
	}
	return used
}
