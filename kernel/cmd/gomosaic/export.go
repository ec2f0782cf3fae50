package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"gomosaic/kernel/host"
)

// runExport writes a notebook as a Go program.
func runExport(args []string) int {
	fs := flag.NewFlagSet("gomosaic export", flag.ContinueOnError)
	out := fs.String("o", "", "write the program to `FOLDER` (default the notebook's name without .ipynb)")
	force := fs.Bool("f", false, "overwrite a program that is there")
	rest, status, ok := parseMixed(fs, "gomosaic export [flags] NOTEBOOK.ipynb", args)
	if !ok {
		return status
	}
	if len(rest) != 1 {
		fs.Usage()
		return 2
	}
	n, err := readGoNotebook(rest[0])
	if err != nil {
		return fail("export", err)
	}
	name := strings.TrimSuffix(filepath.Base(rest[0]), ".ipynb")
	if *out == "" {
		*out = filepath.Join(filepath.Dir(rest[0]), name)
	}
	if _, err := os.Stat(filepath.Join(*out, "main.go")); err == nil && !*force {
		return fail("export", fmt.Errorf("%s holds a program already: -f overwrites it", *out))
	}
	var cells []host.NotebookCell
	for _, c := range n.Cells {
		switch {
		case strings.TrimSpace(c.Source) == "":
		case c.Type == "code":
			cells = append(cells, host.NotebookCell{Code: c.Source, MayFail: c.HasTag("raises-exception")})
		case c.Type == "markdown":
			cells = append(cells, host.NotebookCell{Text: c.Source})
		}
	}
	dir, err := filepath.Abs(filepath.Dir(rest[0]))
	if err != nil {
		return fail("export", err)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	title := "Command " + moduleName(name) + " was exported from the notebook " + filepath.Base(rest[0]) + " by gomosaic."
	options := hostOptions()
	options.Dir = dir
	files, err := host.Export(ctx, options, cells, moduleName(name), title)
	var cell *host.CellError
	if errors.As(err, &cell) {
		fmt.Fprintf(os.Stderr, "%s\n", cell.Text())
		return fail("export", fmt.Errorf("%s does not compile", rest[0]))
	}
	if err != nil {
		return fail("export", err)
	}
	var names []string
	for name, text := range files {
		path := filepath.Join(*out, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return fail("export", err)
		}
		if err := os.WriteFile(path, text, 0o644); err != nil {
			return fail("export", err)
		}
		names = append(names, name)
	}
	slices.Sort(names)
	fmt.Printf("wrote %s: %s\nRun it: cd %s && go run .\n", *out, strings.Join(names, ", "), *out)
	return 0
}

var notInModulePath = regexp.MustCompile(`[^a-zA-Z0-9._-]+`)

// moduleName makes a module path of a file's name.
func moduleName(name string) string {
	return "notebook/" + strings.Trim(notInModulePath.ReplaceAllString(name, "-"), ".-")
}
