// Package shim holds the C++ sources of the thin library between trainlib/torch and libtorch: src/mdstorch.h is its whole
// surface. They travel inside every binary, so that the shim can be built wherever a libtorch is found; trainlib/torch does
// the building.
package shim

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"io/fs"
	"os"
	"path/filepath"
)

//go:embed all:src
var sources embed.FS

// Sources is the tree of C++ files: mdstorch.h, mdstorch*.cpp and the stand-ins for gloo's headers.
func Sources() fs.FS {
	sub, err := fs.Sub(sources, "src")
	if err != nil {
		panic(err) // the name is a constant
	}
	return sub
}

// Hash names the sources by content: twelve hexadecimal digits that change with any byte of them.
func Hash() (string, error) {
	h := sha256.New()
	err := fs.WalkDir(Sources(), ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := fs.ReadFile(Sources(), path)
		h.Write([]byte(path + "\x00"))
		h.Write(b)
		return err
	})
	return hex.EncodeToString(h.Sum(nil))[:12], err
}

// Unpack writes the sources under dir, which it makes.
func Unpack(dir string) error {
	return fs.WalkDir(Sources(), ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		to := filepath.Join(dir, filepath.FromSlash(path))
		if d.IsDir() {
			return os.MkdirAll(to, 0o755)
		}
		b, err := fs.ReadFile(Sources(), path)
		if err != nil {
			return err
		}
		return os.WriteFile(to, b, 0o644)
	})
}
