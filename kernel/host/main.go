package host

import (
	"fmt"
	"os"
)

// Main is the cell host's process, `gomosaic host …`, started by a [Session]; it returns the exit status.
func Main(args []string) int {
	fmt.Fprintln(os.Stderr, "gomosaic host is started by the kernel, not by hand")
	return 2
}
