package cell

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
)

// RunTool is the -toolexec of shipped programs: it runs a tool of Go's, and gives the types of a cell that has been
// compiled the user's names, as the [Builder] of plugins does. args are the tool and its arguments; the result is the exit
// status.
func RunTool(args []string) int {
	if len(args) == 0 {
		fmt.Fprintln(os.Stderr, "gomosaic host toolexec is started by the go command")
		return 2
	}
	output := cellArchive(args)
	if output == "" {
		err := syscall.Exec(args[0], args, os.Environ())
		fmt.Fprintln(os.Stderr, args[0]+":", err)
		return 2
	}
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	err := cmd.Run()
	if err == nil {
		err = restoreNames(output)
	}
	var exit *exec.ExitError
	switch {
	case err == nil:
		return 0
	case errors.As(err, &exit):
		return exit.ExitCode()
	}
	fmt.Fprintln(os.Stderr, err)
	return 2
}

// cellArchive is the file that a command line of the compiler writes for a cell's package; empty for any other command.
func cellArchive(args []string) string {
	if filepath.Base(args[0]) != "compile" {
		return ""
	}
	output, isCell := "", false
	for i := 1; i+1 < len(args); i++ {
		switch args[i] {
		case "-o":
			output = args[i+1]
		case "-p":
			isCell = strings.HasPrefix(args[i+1], cellPathPrefix)
		}
	}
	if !isCell {
		return ""
	}
	return output
}
