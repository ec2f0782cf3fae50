package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"gomosaic/kernel"
)

// environment collects repeated --env K=V flags.
type environment map[string]string

func (e environment) String() string { return "" }

func (e environment) Set(s string) error {
	k, v, ok := strings.Cut(s, "=")
	if !ok || k == "" {
		return fmt.Errorf("want KEY=VALUE, got %q", s)
	}
	e[k] = v
	return nil
}

// installFlags parses what install and uninstall share.
func installFlags(command string, args []string) (o kernel.InstallOptions, status int, ok bool) {
	fs := flag.NewFlagSet("gomosaic "+command, flag.ContinueOnError)
	env := environment{}
	user := fs.Bool("user", false, "for the current user (the default)")
	fs.BoolVar(&o.SysPrefix, "sys-prefix", false, "into the active virtual or conda environment")
	fs.StringVar(&o.Prefix, "prefix", "", "into `DIR`/share/jupyter/kernels")
	name, display := kernel.DefaultName, "Go (gomosaic)"
	if exe, err := os.Executable(); err == nil && extension != nil { // beside the kernel without more packages
		name = filepath.Base(exe)
		display = "Go (" + name + ")"
	}
	fs.StringVar(&o.Name, "name", name, "the kernelspec's `name`")
	fs.BoolVar(&o.DryRun, "dry-run", false, "say what would be done, and do nothing")
	if command == "install" {
		fs.StringVar(&o.DisplayName, "display-name", display, "the `name` in Jupyter's launcher")
		fs.Var(env, "env", "set `KEY=VALUE` for the kernel; may be repeated")
	}
	if err := fs.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return o, 0, false
		}
		return o, 2, false
	}
	places := 0
	for _, set := range []bool{*user, o.SysPrefix, o.Prefix != ""} {
		if set {
			places++
		}
	}
	if fs.NArg() > 0 || places > 1 {
		fmt.Fprintf(os.Stderr, "gomosaic %s: at most one of --user, --sys-prefix and --prefix, and no further argument %q\n", command, fs.Args())
		return o, 2, false
	}
	o.Env = env
	return o, 0, true
}

func runInstall(args []string) int {
	o, status, ok := installFlags("install", args)
	if !ok {
		return status
	}
	dir, err := kernel.Install(o)
	if err != nil {
		return fail("install", err)
	}
	if o.DryRun {
		files, err := o.Files()
		if err != nil {
			return fail("install", err)
		}
		names := make([]string, 0, len(files))
		for name := range files {
			names = append(names, name)
		}
		slices.Sort(names)
		fmt.Printf("would write %s: %s\n%s", dir, strings.Join(names, ", "), files["kernel.json"])
		return 0
	}
	fmt.Printf("kernelspec installed in %s\nA running Jupyter needs no restart: reload its page.\n", dir)
	return 0
}

func runUninstall(args []string) int {
	o, status, ok := installFlags("uninstall", args)
	if !ok {
		return status
	}
	dir, err := kernel.Uninstall(o)
	if err != nil {
		return fail("uninstall", err)
	}
	if o.DryRun {
		fmt.Printf("would remove %s\n", dir)
		return 0
	}
	fmt.Printf("kernelspec removed: %s\n", dir)
	return 0
}
