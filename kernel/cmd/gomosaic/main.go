// Command gomosaic is the Go kernel for Jupyter and its tools: one binary that serves notebooks, hosts their cells,
// installs itself and says what a machine lacks.
package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strings"

	"gomosaic/kernel"
)

// moduleDir is the clone of gomosaic whose packages cells import, set by
//
//	go build -trimpath -ldflags "-X main.moduleDir=<clone>" ./kernel/cmd/gomosaic
var moduleDir string

// command is one subcommand. run gets the arguments behind the name and returns the exit status.
type command struct {
	name  string
	usage string // one line
	run   func(args []string) int
}

// commands returns the subcommands in the order of the help text.
func commands() []command {
	return []command{
		{"install", "install the kernelspec so that Jupyter finds the kernel (-h: flags)", runInstall},
		{"uninstall", "remove an installed kernelspec (-h: flags)", runUninstall},
		{"doctor", "check what the kernel needs and print the fix for what is missing (-json)", runDoctor},
		{"warm", "fill the compile cache, so that the first cell need not wait for it", runWarm},
		{"build", "--with PATH@VERSION -o FILE: build a kernel with more packages in it (-h: flags)", runBuild},
		{"export", "NOTEBOOK: write a notebook as an ordinary Go program (-h: flags)", runExport},
		{"run", "NOTEBOOK: execute a notebook without Jupyter and write it with its outputs (-h: flags)", runRun},
		{"mds", "convert, show, check, merge and compare data sets (help: the commands)", runMDS},
		{"order", "answer one sample order case: JSON on standard input and output", runOrder},
		{"kernel", "CONNECTION_FILE: serve one notebook; Jupyter calls this", runKernel},
		{"host", "run compiled cells; the kernel calls this", runHost},
		{"version", "print the version, the Go release and the clone", runVersion},
	}
}

func main() {
	os.Exit(dispatch(os.Args[1:]))
}

func dispatch(args []string) int {
	if len(args) == 0 {
		help(os.Stderr)
		return 2
	}
	switch args[0] {
	case "help", "-h", "-help", "--help":
		help(os.Stdout)
		return 0
	}
	if err := kernel.CompleteEnvironment(); err != nil {
		fmt.Fprintf(os.Stderr, "gomosaic: %v\n", err) // the command may do without
	}
	for _, c := range commands() {
		if c.name == args[0] {
			return c.run(args[1:])
		}
	}
	fmt.Fprintf(os.Stderr, "gomosaic: there is no command %q\n\n", args[0])
	help(os.Stderr)
	return 2
}

func help(w io.Writer) {
	fmt.Fprint(w, "gomosaic: Go notebooks that convert, stream and train\n\nUsage: gomosaic COMMAND [arguments]\n\n")
	for _, c := range commands() {
		fmt.Fprintf(w, "  %-10s %s\n", c.name, c.usage)
	}
}

// fail prints err as the command's message and returns the exit status 1.
func fail(command string, err error) int {
	fmt.Fprintf(os.Stderr, "gomosaic %s: %v\n", command, err)
	return 1
}

func runVersion([]string) int {
	fmt.Printf("gomosaic %s %s %s/%s\n", version(), runtime.Version(), runtime.GOOS, runtime.GOARCH)
	fmt.Printf("clone %s\n", clone())
	return 0
}

// version is the module's version as the Go command stamped it: a tag, or the commit's time and hash.
func version() string {
	if b, ok := debug.ReadBuildInfo(); ok && b.Main.Version != "" {
		return strings.TrimPrefix(b.Main.Version, "v")
	}
	return "(devel)"
}

// clone is the folder of the gomosaic module: moduleDir where it still holds one, else the folder above the executable
// or the working directory that does (a clone that was moved together with its .venv). It is moduleDir when none is.
func clone() string {
	from := []string{moduleDir}
	if exe, err := os.Executable(); err == nil {
		if real, err := filepath.EvalSymlinks(exe); err == nil {
			exe = real
		}
		from = append(from, above(filepath.Dir(exe))...)
	}
	if wd, err := os.Getwd(); err == nil {
		from = append(from, above(wd)...)
	}
	for _, dir := range from {
		if holdsModule(dir) {
			return dir
		}
	}
	return moduleDir
}

func above(dir string) []string {
	dirs := []string{dir}
	for filepath.Dir(dir) != dir {
		dir = filepath.Dir(dir)
		dirs = append(dirs, dir)
	}
	return dirs
}

func holdsModule(dir string) bool {
	if dir == "" {
		return false
	}
	b, err := os.ReadFile(filepath.Join(dir, "go.mod"))
	return err == nil && strings.HasPrefix(string(b), "module gomosaic\n")
}
