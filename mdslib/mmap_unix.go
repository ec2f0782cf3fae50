//go:build unix

package mdslib

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// mapFile returns the contents of a file of the given size, read-only, by mapping it: reading a sample then needs no
// system call, and pages are shared by all processes that read the shard.
func mapFile(f *os.File, bytes int64) ([]byte, error) {
	data, err := unix.Mmap(int(f.Fd()), 0, int(bytes), unix.PROT_READ, unix.MAP_SHARED)
	if err != nil {
		return nil, fmt.Errorf("map %s: %w", f.Name(), err)
	}
	return data, nil
}

func unmapFile(data []byte) error {
	if len(data) == 0 {
		return nil
	}
	return unix.Munmap(data)
}
