//go:build unix && !linux

package streamlib

import (
	"errors"
	"os"
	"strconv"
	"sync"

	"golang.org/x/sys/unix"
)

// lockFile lets the processes that share a cache folder agree on who writes what. It holds any number of independent
// exclusive locks, by number. A lock ends with the process that holds it, however that ends.
//
// Goroutines of one process must agree among themselves first: the lock does not tell them apart.
//
// Without Linux's open-file-description locks, lock n is a file of its own, locked whole (flock(2)).
type lockFile struct {
	path string
	file *os.File
	held sync.Map // number → *os.File
}

func (l *lockFile) try(n int) (bool, error) {
	path := l.path + "." + strconv.Itoa(n)
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o666)
	if err != nil {
		return false, err
	}
	if err := unix.Flock(int(file.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		file.Close()
		if errors.Is(err, unix.EWOULDBLOCK) {
			return false, nil
		}
		return false, err
	}
	l.held.Store(n, file)
	return true, nil
}

func (l *lockFile) unlock(n int) {
	if file, ok := l.held.LoadAndDelete(n); ok {
		file.(*os.File).Close()
	}
}
