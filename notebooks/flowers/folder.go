package flowers

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// Folder returns the folder that holds the pictures: photographs if it is not empty (the value of FLOWERS_DIR, say), which
// must have a sub-folder of JPEG files for each class; otherwise generated, into which the set is drawn if it is not there.
func Folder(ctx context.Context, photographs, generated string, o Options) (string, error) {
	if photographs == "" {
		return generated, Generate(ctx, generated, o)
	}
	counts, err := count(photographs)
	if err != nil {
		return "", err
	}
	if len(counts) < 2 {
		return "", fmt.Errorf("flowers: %s has %d sub-folders with JPEG files: want one for each class", photographs, len(counts))
	}
	return photographs, nil
}

// Describe says in one sentence which data a folder holds.
func Describe(dir string) (string, error) {
	counts, err := count(dir)
	if err != nil {
		return "", err
	}
	total, kinds := 0, make([]string, 0, len(counts))
	for _, c := range counts {
		total += c.files
		kinds = append(kinds, c.kind)
	}
	list := strings.Join(kinds, ", ")
	if s, err := readSet(dir); err == nil {
		return fmt.Sprintf("Generated data: %d drawn pictures, not photographs, of %s (recipe %d, seed %d). Set FLOWERS_DIR to use real ones.", total, list, s.Recipe, s.Seed), nil
	}
	return fmt.Sprintf("Data from %s: %d JPEG files of %s.", dir, total, list), nil
}

// kindCount is the number of JPEG files in one sub-folder.
type kindCount struct {
	kind  string
	files int
}

// count lists the sub-folders of dir that hold JPEG files, in sorted order.
func count(dir string) ([]kindCount, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("flowers: %w", err)
	}
	var list []kindCount
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), ".") || strings.HasPrefix(e.Name(), "_") {
			continue
		}
		files, err := os.ReadDir(filepath.Join(dir, e.Name()))
		if err != nil {
			continue // a file beside the folders, LICENSE.txt for one
		}
		n := 0
		for _, f := range files {
			if ext := strings.ToLower(filepath.Ext(f.Name())); ext == ".jpg" || ext == ".jpeg" {
				n++
			}
		}
		if n > 0 {
			list = append(list, kindCount{e.Name(), n})
		}
	}
	return list, nil
}
