package cell

import (
	"cmp"
	"context"
	"crypto/sha256"
	"debug/elf"
	_ "embed"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
)

// slimLink makes plugins that hold what the host lacks and nothing else. An ordinary plugin holds a copy of everything
// that its imports reach, Go's runtime included, which costs 1.7 to 3 MB of memory a cell and half of the link's time;
// the dynamic linker then binds most references to the host's symbols all the same.
//
// Go's linker cannot do it (it can against a shared library, which must hold the whole runtime, and reads all of that
// library's symbols each time). So it is built anew from the sources that come with Go, with the edits of linkerEdits
// and a file of ours, linksrc/hostsymbols.go.txt, by `go build -overlay`; nothing outside of the user's cache is changed.
// Where that fails, or a plugin cannot be linked or loaded so, Go's own linker makes an ordinary plugin.
type slimLink struct {
	linker  string // executable; "" if there is none
	symbols string // file: what the host exports
	missing string // why there is no linker
}

//go:embed linksrc/hostsymbols.go.txt
var hostSymbolsSource string

// linkerEdits are replacements in files of cmd/link/internal/ld. Each old text must stand there once; a release of Go
// where it does not has no slim linker until the edit is looked at.
var linkerEdits = []struct{ file, old, new string }{
	{"lib.go", "\t// We've loaded all the code now.\n", "\timportHostSymbols(ctxt)\n\n\t// We've loaded all the code now.\n"},
	{"main.go", "\tctxt.linksetup()\n", "\tctxt.linksetup()\n\thostSymbolsImported(ctxt)\n"},
	// The methods of the host's types are the host's.
	{"deadcode.go", "\t\t\t\tif usedInIface {\n\t\t\t\t\tmethods = append", "\t\t\t\tif usedInIface && !isHostType(symIdx) {\n\t\t\t\t\tmethods = append"},
	{"data.go", "\t\tcase objabi.R_METHODOFF:\n\t\t\tif !ldr.AttrReachable(rs) {\n", "\t\tcase objabi.R_METHODOFF:\n\t\t\tif !ldr.AttrReachable(rs) || rst == sym.SDYNIMPORT {\n"},
	// The first name must not be at offset 0, which means no name: here it may be a cell's function.
	{"pcln.go", "\tvar size int64\n\twalkFuncs(ctxt, funcs, func(s loader.Sym) {\n\t\tnameOffsets[s] =", "\tsize := int64(1)\n\twalkFuncs(ctxt, funcs, func(s loader.Sym) {\n\t\tnameOffsets[s] ="},
	// What belongs to a function that is elsewhere is elsewhere.
	{"deadcode.go", "\t\tnaux := d.ldr.NAux(symIdx)\n", "\t\tnaux := d.ldr.NAux(symIdx)\n\t\tif d.ldr.SymType(symIdx) == sym.SDYNIMPORT {\n\t\t\tnaux = 0\n\t\t}\n"},
}

// newSlimLink finds or makes what slim plugins for the host executable need; without a linker it is for ordinary plugins.
func newSlimLink(ctx context.Context, tools *Toolchain, cacheDir, host string) (slimLink, error) {
	switch {
	case host == "":
		return slimLink{}, nil
	case runtime.GOOS != "linux" || runtime.GOARCH != "amd64":
		return slimLink{missing: "it is known to work on linux/amd64 only"}, nil
	}
	linker, missing, err := slimLinker(ctx, tools, cacheDir)
	if linker == "" || err != nil {
		return slimLink{missing: missing}, err
	}
	symbols, err := hostSymbols(cacheDir, host)
	if err != nil {
		return slimLink{}, err
	}
	return slimLink{linker: linker, symbols: symbols}, nil
}

// slimLinker builds the linker, once for a release of Go. A failure to build it is no error: its reason is kept as a file
// beside the place where the linker would be.
func slimLinker(ctx context.Context, tools *Toolchain, cacheDir string) (linker, missing string, err error) {
	sum := sha256.Sum256(fmt.Appendf(nil, "%s\x00%s\x00%s\x00%q", tools.Version, tools.Root, hostSymbolsSource, linkerEdits))
	linker = filepath.Join(cacheDir, "slimlink-"+hex.EncodeToString(sum[:8]))
	failed := linker + ".failed"
	known := func() bool {
		if _, err := os.Stat(linker); err == nil {
			return true
		}
		reason, err := os.ReadFile(failed)
		if err == nil {
			linker, missing = "", string(reason)
		}
		return err == nil
	}
	if known() {
		return linker, missing, nil
	}
	lock, err := LockFile(ctx, filepath.Join(cacheDir, "slimlink.lock"))
	if err != nil {
		return "", "", err
	}
	defer lock.Unlock()
	if known() { // another kernel was faster
		return linker, missing, nil
	}
	work, err := os.MkdirTemp(cacheDir, ".slimlink-*")
	if err != nil {
		return "", "", err
	}
	defer os.RemoveAll(work)
	if err := buildSlimLinker(ctx, tools, work); err != nil {
		if ctx.Err() != nil {
			return "", "", err
		}
		return "", err.Error(), writeFile(failed, []byte(err.Error()), 0o644)
	}
	pruneNewest(filepath.Join(cacheDir, "slimlink-*"), 4) // of other releases of Go
	return linker, "", os.Rename(filepath.Join(work, "link"), linker)
}

func buildSlimLinker(ctx context.Context, tools *Toolchain, work string) error {
	source := filepath.Join(tools.Root, "src", "cmd", "link", "internal", "ld")
	edited := map[string]string{"hostsymbols.go": hostSymbolsSource}
	for _, e := range linkerEdits {
		if edited[e.file] == "" {
			text, err := os.ReadFile(filepath.Join(source, e.file))
			if err != nil {
				return err
			}
			edited[e.file] = string(text)
		}
		if n := strings.Count(edited[e.file], e.old); n != 1 {
			return fmt.Errorf("%s of %s is not as expected: found %d times %q", e.file, tools.Version, n, e.old)
		}
		edited[e.file] = strings.Replace(edited[e.file], e.old, e.new, 1)
	}
	files := overlay{Replace: map[string]string{}}
	for name, text := range edited {
		file := filepath.Join(work, name)
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			return err
		}
		files.Replace[filepath.Join(source, name)] = file
	}
	data, err := json.Marshal(files)
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(work, "overlay.json"), data, 0o644); err != nil {
		return err
	}
	_, err = tools.Go(ctx, work, "CGO_ENABLED=0", "GOFLAGS=", "build", "-trimpath", "-overlay", "overlay.json", "-o", "link", "cmd/link")
	return err
}

// hostSymbols is the file with the names that an executable exports, as linksrc/hostsymbols.go.txt reads it: 64-bit FNV-1a
// hashes, little-endian, sorted. It is made once for each executable.
func hostSymbols(cacheDir, host string) (string, error) {
	info, err := os.Stat(host)
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(fmt.Appendf(nil, "%s\x00%d\x00%d", host, info.Size(), info.ModTime().UnixNano()))
	file := filepath.Join(cacheDir, "hostsymbols-"+hex.EncodeToString(sum[:8]))
	if _, err := os.Stat(file); err == nil {
		return file, nil
	}
	binaryFile, err := elf.Open(host)
	if err != nil {
		return "", fmt.Errorf("symbols of the cell host: %w", err)
	}
	defer binaryFile.Close()
	symbols, err := binaryFile.DynamicSymbols()
	if err != nil {
		return "", fmt.Errorf("symbols of the cell host %s: %w", host, err)
	}
	var hashes []uint64
	for _, s := range symbols {
		if s.Section != elf.SHN_UNDEF {
			h := fnv.New64a()
			h.Write([]byte(s.Name))
			hashes = append(hashes, h.Sum64())
		}
	}
	slices.Sort(hashes)
	data := make([]byte, 0, 8*len(hashes))
	for _, h := range hashes {
		data = binary.LittleEndian.AppendUint64(data, h)
	}
	pruneNewest(filepath.Join(cacheDir, "hostsymbols-*"), 8)
	return file, writeFile(file, data, 0o644)
}

// pruneNewest removes all files of a pattern but the newest.
func pruneNewest(pattern string, keep int) {
	files, _ := filepath.Glob(pattern)
	slices.SortFunc(files, func(a, b string) int { return cmp.Compare(modified(b).UnixNano(), modified(a).UnixNano()) })
	for _, file := range files[min(keep, len(files)):] {
		os.Remove(file)
	}
}
