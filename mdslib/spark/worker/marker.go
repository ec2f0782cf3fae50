package worker

// The marker: an object of the driver's by which a task knows that it sees the same folder or store, and that its work is wanted.

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"gomosaic/mdslib/store"
)

// Place is where a conversion and its tasks give each other signs, as [mdslib.Conversion.TaskOptions] says.
type Place struct {
	Root   string `json:"root"`   // a folder or a URL
	Marker string `json:"marker"` // the key of the marker there; "" is none
}

// Place is that of a conversion's job.
func (j *Job) Place() Place { return Place{Root: j.Options.Out + j.Options.Remote, Marker: j.Marker} }

// marker is where a task looks.
type marker struct {
	Place
	store store.Store
	every time.Duration // it is good to look
	most  int           // looks in a row that find nothing and may err
	// patience is how long a task that never saw the marker may take to say so: all its rows are read before Spark hears of it.
	patience time.Duration
}

// open finds the marker of a place; nil where there is none.
func (p Place) open(ctx context.Context) (*marker, error) {
	if p.Marker == "" {
		return nil, nil
	}
	s, err := store.Open(ctx, p.Root)
	if err != nil {
		return nil, err
	}
	if _, local := store.LocalPath(p.Root); local {
		return &marker{p, s, time.Second, 2, 20 * time.Second}, nil // shared folders may falter
	}
	// Each look is paid for. A store is the same from everywhere: who does not see the marker comes too late.
	return &marker{p, s, 2 * time.Second, 1, 4 * time.Second}, nil
}

// lookTimeout bounds one look.
const lookTimeout = 10 * time.Second

// gone tells whether the marker is not there. One that can't be seen for another reason, such as a key that may write to the store
// and not read it, may be.
func (m *marker) gone(ctx context.Context) bool {
	ctx, cancel := context.WithTimeout(ctx, lookTimeout)
	defer cancel()
	file := store.TempName(filepath.Join(os.TempDir(), "marker"))
	defer os.Remove(file)
	return errors.Is(m.store.Get(ctx, m.Marker, file), fs.ErrNotExist)
}

// Shared checks that this machine sees what the driver made.
func (j *Job) Shared(ctx context.Context) error {
	host, _ := os.Hostname()
	for _, place := range []string{j.Options.Out, j.Options.Remote} {
		if strings.HasPrefix(place, "/Volumes/") && store.Scheme(place) != "" {
			return fmt.Errorf("%s %s: the volume is not mounted (%s)", ErrNotShared, place, host)
		}
	}
	m, err := j.Place().open(ctx)
	if err == nil && m != nil && m.gone(ctx) {
		err = fmt.Errorf("%s %s/%s, which the driver made (%s)", ErrNotShared, store.Redacted(m.Root), m.Marker, host)
	}
	return err
}

// endWhenUseless ends this process when the one that started it is gone, or the driver has removed the marker: what we write is of
// no use then. Spark does not end us by itself: of a TRANSFORM whose task it kills it goes on to read what we print, until we end.
// written is closed when nothing is left to be removed.
func (m *marker) endWhenUseless(ctx context.Context, cancel context.CancelCauseFunc, written <-chan struct{}) {
	ctx = context.WithoutCancel(ctx) // a task that has failed may still have its rows read to the end
	parent := os.Getppid()
	most := 1
	if m != nil {
		if most = m.most; m.gone(ctx) {
			most = int(m.patience / m.every)
		}
	}
	looked := time.Now()
	for gone := 0; os.Getppid() == parent && gone < most; {
		time.Sleep(time.Second)
		if m == nil || time.Since(looked) < m.every {
			continue
		}
		looked = time.Now()
		if gone++; !m.gone(ctx) {
			gone = 0
		}
	}
	cancel(errors.New("the executor has ended, or the driver has given the conversion up"))
	select {
	case <-written:
	case <-time.After(3 * time.Second): // for what is under way to be removed
	}
	os.Exit(1)
}
