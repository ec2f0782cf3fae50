package cell

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
)

// Builder compiles units to plugins, by running the compiler and the linker directly: the go command's own checks cost
// more than the compilation of a small cell. A plugin is the cell's package alone, with no package main around it: it
// registers itself as it is loaded, which saves a compiler run per cell. Safe for concurrent use.
type Builder struct {
	tools    *Toolchain
	archives *Archives
	dir      string
	front    string
	slim     slimLink

	mu    sync.Mutex
	cells map[int][]int // built package → packages it imports
}

// NewBuilder makes a builder that keeps its files in dir, which lives as long as the session. Plugins leave out what the
// executable host has, if it is not "".
func NewBuilder(ctx context.Context, tools *Toolchain, archives *Archives, cacheDir, dir, host string) (*Builder, error) {
	front, err := linkFront(ctx, cacheDir)
	if err != nil {
		return nil, err
	}
	slim, err := newSlimLink(ctx, tools, cacheDir, host)
	if err != nil {
		return nil, err
	}
	return &Builder{tools: tools, archives: archives, dir: dir, front: front, slim: slim, cells: map[int][]int{}}, nil
}

// Files are what the builder uses of the user's cache; they must stay as long as it is used.
func (b *Builder) Files() []string { return []string{b.front, b.slim.linker, b.slim.symbols} }

// Build compiles and links a unit and returns the plugin's file. What the compiler reports is of type [Errors].
func (b *Builder) Build(ctx context.Context, u *Unit) (plugin string, err error) {
	plugin, err = b.build(ctx, u)
	if err == nil || ctx.Err() != nil || errors.As(err, new(Errors)) {
		return plugin, err
	}
	if missing := b.vanished(); missing == "" {
		return "", err
	}
	if err := b.archives.Refresh(ctx); err != nil { // Go's build cache was trimmed under us
		return "", err
	}
	return b.build(ctx, u)
}

// vanished names a package whose archive is gone.
func (b *Builder) vanished() string {
	gone := ""
	b.archives.Each(func(path, file string) {
		if gone == "" {
			if _, err := os.Stat(file); err != nil {
				gone = path
			}
		}
	})
	return gone
}

func (b *Builder) build(ctx context.Context, u *Unit) (string, error) {
	dir := filepath.Join(b.dir, fmt.Sprintf("c%d", u.Seq))
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", err
	}
	config, err := b.compileConfig(u)
	if err != nil {
		return "", err
	}
	for name, text := range map[string]string{"cell.go": u.Source, "loader.go": u.Loader, "compile.cfg": config, "link.cfg": b.linkConfig(u)} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			return "", err
		}
	}
	version := strings.Fields(b.tools.Version)[0]
	err = b.tools.Tool(ctx, dir, "compile", "-o", "cell.a", "-trimpath", dir+"=>", "-p", u.Path(), "-lang="+languageVersion,
		"-complete", "-installsuffix", "dynlink", "-goversion", version, "-c=2", "-dynlink", "-nolocalimports",
		"-importcfg", "compile.cfg", "-pack", "cell.go", "loader.go")
	if err != nil {
		if found := compilerErrors(err.Error(), u); len(found) > 0 {
			return "", found
		}
		return "", err
	}
	if err := restoreNames(filepath.Join(dir, "cell.a")); err != nil {
		return "", err
	}
	plugin := filepath.Join(dir, fmt.Sprintf("c%d.so", u.Seq))
	if b.slim.linker == "" || b.link(ctx, u, b.slim.linker, plugin, "-hostsymbols="+b.slim.symbols) != nil {
		if err := b.link(ctx, u, filepath.Join(b.tools.ToolDir, "link"), plugin); err != nil {
			return "", err
		}
	}
	b.mu.Lock()
	b.cells[u.Seq] = u.Cells
	b.mu.Unlock()
	return plugin, nil
}

func (b *Builder) link(ctx context.Context, u *Unit, linker, plugin string, flags ...string) error {
	args := append(flags, "-o", plugin, "-importcfg", "link.cfg", "-installsuffix", "dynlink", "-pluginpath", u.Path(), "-buildmode=plugin", "-s", "-w")
	if b.front != "" {
		args = append(args, "-extld="+QuoteField(b.front))
	}
	_, err := command(ctx, filepath.Join(b.dir, fmt.Sprintf("c%d", u.Seq)), b.tools.environ(), linker, append(args, "cell.a")...)
	return err
}

// Whole tells why plugins hold also what the host has; it is "" if they do not, or were not to.
func (b *Builder) Whole() string { return b.slim.missing }

// Relink links a unit that was built anew, with all that it needs in the plugin, and returns the plugin's file: for a
// plugin that the host cannot load since it lacks something after all. It is "" if the first one was complete.
func (b *Builder) Relink(ctx context.Context, u *Unit) (string, error) {
	if b.slim.linker == "" {
		return "", nil
	}
	plugin := filepath.Join(b.dir, fmt.Sprintf("c%d", u.Seq), fmt.Sprintf("c%d-whole.so", u.Seq))
	return plugin, b.link(ctx, u, filepath.Join(b.tools.ToolDir, "link"), plugin)
}

// QuoteField quotes a path for a flag whose value Go's tools split at blanks; they know no escapes.
func QuoteField(path string) string {
	if strings.Contains(path, "'") {
		return `"` + path + `"`
	}
	return "'" + path + "'"
}

// compileConfig lists what the unit imports by itself.
func (b *Builder) compileConfig(u *Unit) (string, error) {
	var config strings.Builder
	for _, path := range u.Imports {
		if path == "unsafe" {
			continue
		}
		file, err := b.archives.File(path)
		if err != nil {
			return "", err
		}
		fmt.Fprintf(&config, "packagefile %s=%s\n", path, file)
	}
	for _, n := range u.Cells {
		fmt.Fprintf(&config, "packagefile %s=%s\n", cellPath(n), b.archive(n))
	}
	return config.String(), nil
}

// linkConfig lists all known packages and the cells that the unit reaches; the linker reads only what it needs.
func (b *Builder) linkConfig(u *Unit) string {
	var config strings.Builder
	b.archives.Each(func(path, file string) { fmt.Fprintf(&config, "packagefile %s=%s\n", path, file) })
	b.mu.Lock()
	defer b.mu.Unlock()
	seen := map[int]bool{u.Seq: true}
	var reach func([]int)
	reach = func(cells []int) {
		for _, n := range cells {
			if !seen[n] {
				seen[n] = true
				fmt.Fprintf(&config, "packagefile %s=%s\n", cellPath(n), b.archive(n))
				reach(b.cells[n])
			}
		}
	}
	reach(u.Cells)
	return config.String()
}

func (b *Builder) archive(seq int) string {
	return filepath.Join(b.dir, fmt.Sprintf("c%d", seq), "cell.a")
}

var compilerLine = regexp.MustCompile(`(?m)^.*?cell\[(\d+)\]:(\d+)(?::(\d+))?: (.*)$`)

// compilerErrors reads the compiler's own messages: the few things that go/types lets through.
func compilerErrors(text string, u *Unit) Errors {
	var found Errors
	lines := strings.Split(u.code, "\n")
	for _, m := range compilerLine.FindAllStringSubmatch(text, -1) {
		cell, _ := strconv.Atoi(m[1])
		line, _ := strconv.Atoi(m[2])
		column, _ := strconv.Atoi(m[3])
		d := Diagnostic{Cell: cell, Line: line, Column: max(column, 1), Message: Demangle(m[4])}
		if n := len(found); n > 0 && found[n-1].Line == line && found[n-1].Message == d.Message {
			continue
		}
		if cell == u.Label && line <= len(lines) {
			d.Source = lines[line-1]
		}
		found = append(found, d)
	}
	return found
}
