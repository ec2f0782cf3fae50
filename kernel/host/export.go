package host

import (
	"context"
	"go/token"
	"maps"
	"path/filepath"

	"gomosaic/kernel/cell"
	"gomosaic/kernel/cell/magic"
)

// NotebookCell is a cell as [Export] takes it: code, or text that becomes a comment.
type NotebookCell struct {
	Code, Text string
	MayFail    bool // tagged raises-exception: the program goes on behind it
}

// Export turns the cells of a notebook into an ordinary Go program, a module whose files are returned by name: main.go,
// prelude.go, go.mod and go.sum. Nothing is run but %get, %use and %forget. module is the program's module path, title the first
// comment. A cell that does not compile is an error of type *[CellError].
func Export(ctx context.Context, o Options, cells []NotebookCell, module, title string) (map[string][]byte, error) {
	o, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	base, archives, err := openCache(ctx, o, nil)
	if err != nil {
		return nil, err
	}
	f, err := newFolder(ctx, o.CacheDir)
	if err != nil {
		return nil, err
	}
	defer f.remove()
	own, err := base.Extend(filepath.Join(f.path, "module"), nil)
	if err != nil {
		return nil, err
	}
	archives.Extend(own)
	fset := token.NewFileSet()
	x := cell.NewExporter(cell.Config{Fset: fset, Importer: archives.Importer(fset), Preloads: o.preloads(), Suggest: archives.Suggest})
	number := 0
	for _, c := range cells {
		if c.Code == "" {
			x.Comment(c.Text)
			continue
		}
		number++
		if err := requireMagics(ctx, x.Session(), own, o, c.Code, number); err != nil && !c.MayFail {
			return nil, err
		}
		if err := x.Add(c.Code, number, c.MayFail); err != nil {
			return nil, compileError(err)
		}
	}
	files, err := x.Files(title)
	if err != nil {
		return nil, err
	}
	local, err := own.Vendor("local")
	if err != nil {
		return nil, err
	}
	maps.Copy(files, local)
	if files["go.mod"], files["go.sum"], err = own.Outside(module); err != nil {
		return nil, err
	}
	return files, nil
}

// requireMagics carries out a cell's %get, %use and %forget.
func requireMagics(ctx context.Context, s *cell.Session, module *cell.Module, o Options, code string, label int) error {
	uses, err := s.Magics(code, label)
	if err != nil {
		return compileError(err)
	}
	for _, use := range uses {
		if use.Kind != magic.Front {
			continue
		}
		var err error
		switch use.Name {
		case "get":
			var wanted []string
			if wanted, _, err = wantedModules(use); err == nil {
				_, err = module.Get(ctx, true, wanted...)
			}
		case "forget":
			err = s.Forget(forgottenNames(use)...)
		case "use":
			var dir, as string
			if dir, as, err = usedFolder(use, o.Dir); err == nil {
				_, _, err = module.Use(ctx, dir, as)
			}
		}
		if err != nil {
			return compileError(cell.MagicError(code, label, use, err))
		}
	}
	return nil
}
