// Package flowers draws the data set on which the tutorial runs when no photographs are given: five kinds of flower, one
// folder each, named as in TensorFlow's flowers data set. The pictures are made so that colours tell nothing and shapes
// tell all; equal options give equal bytes on every machine.
package flowers

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"sync/atomic"

	"golang.org/x/sync/errgroup"
)

// recipe is the version of the drawing: folders made by another one are replaced.
const recipe = 1

// recipeFile is the marker that stands in a complete folder. Spark and this module's readers skip names that start with _.
const recipeFile = "_flowers.json"

// Options are the options of [Generate]; the zero value gives the tutorial's set.
type Options struct {
	Images int    // in all, the kinds taking turns; default 1,800: about 1,620 to train and 180 to validate
	Seed   uint64 // default 1
}

// set is what the marker records.
type set struct {
	Recipe int    `json:"recipe"`
	Images int    `json:"images"`
	Seed   uint64 `json:"seed"`
}

func (o Options) set() set {
	s := set{recipe, o.Images, o.Seed}
	if s.Images == 0 {
		s.Images = 1800
	}
	if s.Seed == 0 {
		s.Seed = 1
	}
	return s
}

// Generate draws the set into dir/daisy, dir/dandelion, dir/roses, dir/sunflowers and dir/tulips, on all processors. The
// folder appears complete or not at all; one that holds the same set already is left as it is, one that holds another
// generated set is replaced, and a folder with anything else in it is an error.
func Generate(ctx context.Context, dir string, o Options) error {
	s := o.set()
	if s.Images < 0 {
		return fmt.Errorf("flowers: %d images", s.Images)
	}
	dir, err := filepath.Abs(dir)
	if err != nil {
		return fmt.Errorf("flowers: %w", err)
	}
	old, err := readSet(dir)
	switch {
	case err == nil && old == s && s.complete(dir):
		return nil
	case errors.Is(err, fs.ErrNotExist):
		if entries, err := os.ReadDir(dir); err == nil && len(entries) > 0 {
			return fmt.Errorf("flowers: %s holds files that were not generated here: name an empty folder", dir)
		}
	case err != nil:
		return fmt.Errorf("flowers: %w", err)
	}
	if err := os.MkdirAll(filepath.Dir(dir), 0o777); err != nil {
		return fmt.Errorf("flowers: %w", err)
	}
	temp, err := os.MkdirTemp(filepath.Dir(dir), "."+filepath.Base(dir)+"-*")
	if err != nil {
		return fmt.Errorf("flowers: %w", err)
	}
	defer os.RemoveAll(temp)
	fresh := filepath.Join(temp, "new")
	if err := s.write(ctx, fresh); err != nil {
		return fmt.Errorf("flowers: %w", err)
	}
	return replace(dir, fresh, filepath.Join(temp, "old"), s)
}

// replace puts the new folder in place of the old one. When another process was faster with the same set, its folder stays.
func replace(dir, fresh, aside string, s set) error {
	if err := os.Rename(dir, aside); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("flowers: %w", err)
	}
	if err := os.Rename(fresh, dir); err != nil {
		if now, readErr := readSet(dir); readErr == nil && now == s {
			return nil
		}
		return fmt.Errorf("flowers: %w", err)
	}
	return nil
}

// write draws all pictures into a folder that does not exist yet.
func (s set) write(ctx context.Context, dir string) error {
	for _, kind := range Kinds() {
		if err := os.MkdirAll(filepath.Join(dir, kind), 0o777); err != nil {
			return err
		}
	}
	group, ctx := errgroup.WithContext(ctx)
	var next atomic.Int64
	for range runtime.GOMAXPROCS(0) {
		group.Go(func() error {
			for {
				number := int(next.Add(1)) - 1
				if number >= s.Images {
					return nil
				}
				if err := ctx.Err(); err != nil {
					return err
				}
				data, err := s.picture(number)
				if err != nil {
					return err
				}
				if err := os.WriteFile(filepath.Join(dir, name(number)), data, 0o666); err != nil {
					return err
				}
			}
		})
	}
	if err := group.Wait(); err != nil {
		return err
	}
	marker, err := json.Marshal(s)
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, recipeFile), append(marker, '\n'), 0o666)
}

// name is the file of a picture: the kind's folder and a number within it.
func name(number int) string {
	kind := Kinds()[number%len(Kinds())]
	return filepath.Join(kind, fmt.Sprintf("%s_%04d.jpg", kind, number/len(Kinds())))
}

// readSet reads a folder's marker.
func readSet(dir string) (s set, err error) {
	text, err := os.ReadFile(filepath.Join(dir, recipeFile))
	if err != nil {
		return s, err
	}
	if err := json.Unmarshal(text, &s); err != nil {
		return s, fmt.Errorf("%s: %w", filepath.Join(dir, recipeFile), err)
	}
	return s, nil
}

// complete reports whether all files of the set are still there.
func (s set) complete(dir string) bool {
	for number := range s.Images {
		if info, err := os.Stat(filepath.Join(dir, name(number))); err != nil || info.Size() == 0 {
			return false
		}
	}
	return true
}
