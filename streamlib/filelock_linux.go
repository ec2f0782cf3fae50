package streamlib

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// lockFile lets the processes that share a cache folder agree on who writes what. It holds any number of independent
// exclusive locks, by number. A lock ends with the process that holds it, however that ends.
//
// Goroutines of one process must agree among themselves first: the lock does not tell them apart.
//
// On Linux lock n is byte n of the file, locked as an open file description (fcntl(2), F_OFD_SETLK): unlike classic
// record locks these do not vanish when some other part of the process closes the same file.
type lockFile struct {
	path string
	file *os.File
}

func (l *lockFile) try(n int) (bool, error) {
	err := l.set(n, unix.F_WRLCK)
	if errors.Is(err, unix.EAGAIN) || errors.Is(err, unix.EACCES) {
		return false, nil
	}
	return err == nil, err
}

func (l *lockFile) unlock(n int) {
	_ = l.set(n, unix.F_UNLCK) // fails only for a file that is closed, whose locks are gone
}

func (l *lockFile) set(n int, kind int16) error {
	for {
		err := unix.FcntlFlock(l.file.Fd(), unix.F_OFD_SETLK, &unix.Flock_t{Type: kind, Start: int64(n), Len: 1})
		if !errors.Is(err, unix.EINTR) {
			return err
		}
	}
}
