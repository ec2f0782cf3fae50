package mdscmd

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"gomosaic/mdslib"
)

// terminal opens a pseudo-terminal: what is written to screen can be read from the other end, which ends when screen is
// closed.
func terminal(t *testing.T) (screen, other *os.File) {
	t.Helper()
	other, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { other.Close() })
	if err := unix.IoctlSetPointerInt(int(other.Fd()), unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	n, err := unix.IoctlGetInt(int(other.Fd()), unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	screen, err = os.OpenFile(fmt.Sprint("/dev/pts/", n), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	return screen, other
}

// TestProgress: on a terminal a command's line tells how far it is, and is gone when it ends; elsewhere there is none.
func TestProgress(t *testing.T) {
	set := write(t, 30, mdslib.MDSOptions{})
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"verify", set}, "\rshards verified: 1 of "},
		{[]string{"convert", set, filepath.Join(t.TempDir(), "out")}, "\rconverted 0 of 30 (0 %)\x1b[K"},
		{[]string{"stats", set}, "\rread 0 of 30 (0 %)\x1b[K"},
		{[]string{"diff", set, set}, "\rcompared 0 of 30 (0 %)\x1b[K"},
	} {
		screen, other := terminal(t)
		var stdout bytes.Buffer
		status := Run(t.Context(), c.args, &stdout, screen)
		screen.Close()
		shown, err := io.ReadAll(other)
		if _, closed := err.(*os.PathError); err != nil && !closed { // EIO tells that the other end is closed
			t.Fatal(err)
		}
		const cleared = "\r\x1b[K"
		if text := string(shown); status != OK || !strings.HasPrefix(text, c.want) || !strings.HasSuffix(text, cleared) || strings.Contains(text, "\n") {
			t.Errorf("%v: status %d, on the screen %q, want it to begin with %q and to end with %q", c.args, status, text, c.want, cleared)
		}
		if strings.Contains(stdout.String(), "\r") || stdout.Len() == 0 {
			t.Errorf("%v: on standard output %q", c.args, stdout.String())
		}
	}
	if _, stderr := run(t, OK, "verify", set); stderr != "" {
		t.Errorf("without a terminal: %q", stderr)
	}
}
