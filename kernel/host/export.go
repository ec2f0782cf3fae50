package host

import (
	"context"
	"errors"
	"fmt"
	"go/token"
	"maps"
	"os"
	"path/filepath"
	"strings"

	"gomosaic/kernel/cell"
	"gomosaic/kernel/cell/magic"
)

// NotebookCell is a cell as [Export] takes it: code, or text that becomes a comment.
type NotebookCell struct {
	Code, Text string
	MayFail    bool // tagged raises-exception: the program goes on behind it
}

// Export turns the cells of a notebook into an ordinary Go program, a module whose files are returned by name: main.go,
// prelude.go, go.mod and go.sum. Nothing is run but %get and %use. module is the program's module path, title the first
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

// requireMagics carries out a cell's %get and %use.
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
			wanted, _ := wantedModules(use)
			_, err = module.Get(ctx, true, wanted...)
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

// wantedModules are the arguments of %get.
func wantedModules(use magic.Use) (wanted []string, restart bool) {
	for _, w := range strings.Fields(use.Args) {
		if w == "--restart" {
			restart = true
		} else {
			wanted = append(wanted, w)
		}
	}
	return wanted, restart
}

// usedFolder are the arguments of %use; relative folders are below dir.
func usedFolder(use magic.Use, dir string) (folder, as string, err error) {
	words, err := shellWords(use.Args)
	if err != nil {
		return "", "", err
	}
	if len(words) == 0 || len(words) > 2 {
		return "", "", errors.New("usage: " + use.Usage)
	}
	folder = words[0]
	if rest, ok := strings.CutPrefix(folder, "~/"); ok {
		home, err := os.UserHomeDir()
		if err != nil {
			return "", "", fmt.Errorf("%s: %w", folder, err)
		}
		folder = filepath.Join(home, rest)
	}
	if !filepath.IsAbs(folder) {
		folder = filepath.Join(dir, folder)
	}
	return folder, strings.Join(words[1:], ""), nil
}
