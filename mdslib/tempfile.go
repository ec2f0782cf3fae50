package mdslib

import (
	"errors"
	"fmt"
	"gomosaic/mdslib/store"
	"io/fs"
	"os"
)

// A file that others may read appears under its name only when it is whole: it is written under a temporary name in the
// same folder, that of store.TempName, and renamed.

// createTemp makes the temporary file that publish will rename to name.
func createTemp(name string) (*os.File, error) {
	for {
		f, err := os.OpenFile(store.TempName(name), os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o666) // not os.CreateTemp: the user's umask decides who reads
		if errors.Is(err, fs.ErrExist) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("mdslib: %w", err)
		}
		return f, nil
	}
}

// publish closes a temporary file and gives it its name; on error the file is removed.
func publish(f *os.File, name string) error {
	err := f.Close()
	if err == nil {
		err = os.Rename(f.Name(), name)
	}
	if err != nil {
		os.Remove(f.Name())
		return fmt.Errorf("mdslib: %w", err)
	}
	return nil
}

// writeFile publishes data under name.
func writeFile(name string, data []byte) error {
	f, err := createTemp(name)
	if err != nil {
		return err
	}
	if _, err := f.Write(data); err != nil {
		f.Close()
		os.Remove(f.Name())
		return fmt.Errorf("mdslib: %w", err)
	}
	return publish(f, name)
}
