package cell

// Packages of archives, for the type checker. Made by Archives for each session.

import (
	"fmt"
	"go/importer"
	"go/token"
	"go/types"
	"io"
	"os"
	"sync"
)

// Importer reads the packages' export data; positions go to fset.
func (a *Archives) Importer(fset *token.FileSet) types.Importer {
	lookup := func(path string) (io.ReadCloser, error) {
		file, err := a.File(path)
		if err != nil {
			return nil, err
		}
		return os.Open(file)
	}
	return &archiveImporter{archives: a, fresh: func() types.Importer { return importer.ForCompiler(fset, "gc", lookup) }, epoch: -1}
}

// archiveImporter caches packages, and makes go/importer safe for concurrent use. It does not cache errors: a missing
// module may have been added since.
type archiveImporter struct {
	archives *Archives
	fresh    func() types.Importer

	load sync.Mutex // held while gc reads, which may take a go command
	gc   types.Importer

	mu    sync.Mutex
	epoch int // of gc and known
	known map[string]*types.Package
}

func (i *archiveImporter) Import(path string) (*types.Package, error) {
	path, epoch := i.archives.resolve(path)
	if p := i.loaded(path, epoch); p != nil {
		return p, nil
	}
	i.load.Lock()
	defer i.load.Unlock()
	return i.read(path, epoch)
}

// loaded is the package of a path if it was read in this epoch.
func (i *archiveImporter) loaded(path string, epoch int) *types.Package {
	if path == "unsafe" {
		return types.Unsafe
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.epoch != epoch {
		return nil
	}
	return i.known[path]
}

// read reads the export data of a package. The caller holds i.load.
func (i *archiveImporter) read(path string, epoch int) (*types.Package, error) {
	i.mu.Lock()
	if i.epoch != epoch {
		i.epoch, i.gc, i.known = epoch, i.fresh(), map[string]*types.Package{}
	}
	i.mu.Unlock()
	p, err := i.gc.Import(path)
	if err == nil {
		i.mu.Lock()
		i.known[path] = p
		i.mu.Unlock()
	}
	return p, err
}

// Ready is the same importer for those who cannot wait: a package that is neither loaded nor compiled is an error, and
// so is one that is not loaded while another is on its way.
func (i *archiveImporter) Ready() types.Importer { return readyImporter{i} }

type readyImporter struct{ importer *archiveImporter }

func (r readyImporter) Import(path string) (*types.Package, error) {
	i := r.importer
	path, epoch := i.archives.resolve(path)
	if p := i.loaded(path, epoch); p != nil {
		return p, nil
	}
	if !i.archives.has(path) || !i.load.TryLock() {
		return nil, fmt.Errorf("package %s is not loaded yet", path)
	}
	defer i.load.Unlock()
	return i.read(path, epoch)
}
