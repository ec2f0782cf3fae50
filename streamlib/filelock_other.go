//go:build unix && !linux

package streamlib

import (
	"errors"
	"os"
	"strconv"
	"sync"

	"golang.org/x/sys/unix"
)

// Without Linux's open-file-description locks, lock n is a file of its own, locked whole (flock(2)).

type lockState struct {
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
