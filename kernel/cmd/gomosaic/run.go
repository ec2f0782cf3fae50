package main

import (
	"bufio"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"time"

	"gomosaic/kernel/host"
	"gomosaic/kernel/notebook"
)

// parameterFlag collects repeated -p and -r flags.
type parameterFlag struct {
	list *[]notebook.Parameter
	text bool
}

func (f parameterFlag) String() string { return "" }

func (f parameterFlag) Set(s string) error {
	name, value, ok := strings.Cut(s, "=")
	if !ok {
		return fmt.Errorf("want NAME=VALUE, got %q", s)
	}
	*f.list = append(*f.list, notebook.Parameter{Name: name, Value: value, Text: f.text})
	return nil
}

// runRun executes a notebook and writes it with its outputs; progress and the traceback of a failing cell go to standard
// error.
func runRun(args []string) int {
	fs := flag.NewFlagSet("gomosaic run", flag.ContinueOnError)
	out := fs.String("o", "", "write the executed notebook to `FILE`, - for standard output (default NOTEBOOK.executed.ipynb)")
	inPlace := fs.Bool("inplace", false, "write it to NOTEBOOK itself")
	timeout := fs.Duration("timeout", 0, "interrupt a cell that takes longer, for example 90s")
	allow := fs.Bool("allow-errors", false, "go on behind cells that fail; the exit status is 0 then")
	dir := fs.String("dir", "", "working `DIRECTORY` of the cells (default the notebook's)")
	quiet := fs.Bool("q", false, "no progress")
	var parameters []notebook.Parameter
	fs.Var(parameterFlag{&parameters, false}, "p", "set the variable `NAME=VALUE` behind the cell tagged parameters; may be repeated")
	fs.Var(parameterFlag{&parameters, true}, "r", "the same with a value that is a string, whatever it looks like")
	rest, status, ok := parseMixed(fs, "gomosaic run [flags] NOTEBOOK.ipynb", args)
	if !ok {
		return status
	}
	if len(rest) != 1 || *inPlace && *out != "" {
		fs.Usage()
		return 2
	}
	n, err := readGoNotebook(rest[0])
	if err != nil {
		return fail("run", err)
	}
	if len(parameters) > 0 {
		if err := n.SetParameters(parameters); err != nil {
			return fail("run", err)
		}
	}
	switch {
	case *inPlace:
		*out = rest[0]
	case *out == "":
		*out = strings.TrimSuffix(rest[0], ".ipynb") + ".executed.ipynb"
	}
	if *dir == "" {
		*dir = filepath.Dir(rest[0])
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	options := hostOptions()
	options.Dir = *dir
	s, err := host.Start(ctx, options)
	if err != nil {
		return fail("run", err)
	}
	defer s.Close()
	o := notebook.RunOptions{TimeoutSeconds: timeout.Seconds(), AllowErrors: *allow, Input: answers(os.Stdin)}
	if !*quiet {
		o.Progress = progress
	}
	err = notebook.Run(ctx, s, n, o)
	if closeErr := s.Close(); err == nil { // what goroutines of cells still print is theirs
		err = closeErr
	}
	if writeErr := writeNotebook(n, *out); writeErr != nil {
		return fail("run", writeErr)
	}
	var failed *notebook.FailedCell
	if errors.As(err, &failed) {
		fmt.Fprintf(os.Stderr, "%s\ngomosaic run: %s: %v\n", failed.Err.Text(), rest[0], err)
		return 1
	}
	if err != nil {
		return fail("run", err)
	}
	return 0
}

// answers gives cells that ask for input the lines of in, one each; on a terminal the question is shown.
func answers(in *os.File) func(prompt string, password bool) (string, error) {
	lines := bufio.NewReader(in)
	return func(prompt string, password bool) (string, error) {
		if info, err := in.Stat(); err == nil && info.Mode()&os.ModeCharDevice != 0 {
			if password {
				return "", errors.New("the terminal would show the password that is typed: give it by a pipe")
			}
			fmt.Fprint(os.Stderr, prompt)
		}
		line, err := lines.ReadString('\n')
		if err == io.EOF && line != "" {
			err = nil // the last line has no end
		}
		return strings.TrimRight(line, "\r\n"), err
	}
}

// progress is one line for each cell: its time and how it begins.
func progress(done, of int, c *notebook.Cell, took time.Duration, err error) {
	first, _, _ := strings.Cut(strings.TrimSpace(c.Source), "\n")
	if r := []rune(first); len(r) > 60 {
		first = string(r[:59]) + "…"
	}
	mark := ""
	if err != nil {
		mark = "failed: "
	}
	fmt.Fprintf(os.Stderr, "[%*d/%d] %7.2f s  %s%s\n", len(fmt.Sprint(of)), done, of, took.Seconds(), mark, first)
}

func writeNotebook(n *notebook.Notebook, path string) error {
	if path == "-" {
		return n.Write(os.Stdout)
	}
	return n.WriteFile(path)
}

// readGoNotebook reads a notebook and refuses one in another language.
func readGoNotebook(path string) (*notebook.Notebook, error) {
	n, err := notebook.ReadFile(path)
	if err != nil {
		return nil, err
	}
	if language := n.Language(); language != "" && language != "go" {
		return nil, fmt.Errorf("%s is a notebook in %s", path, language)
	}
	return n, nil
}
