//go:build !unix

package mdslib

import (
	"io"
	"os"
)

// mapFile returns the contents of a file of the given size by reading it.
func mapFile(f *os.File, bytes int64) ([]byte, error) {
	data := make([]byte, bytes)
	_, err := io.ReadFull(io.NewSectionReader(f, 0, bytes), data)
	return data, err
}

func unmapFile([]byte) error { return nil }
