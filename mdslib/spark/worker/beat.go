package worker

// Signs of life of a task, which the driver reads while it waits: a small file beside the task's folder, for tasks that take
// longer than a moment and write to a folder that the driver sees.

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"

	"gomosaic/mdslib"
	"gomosaic/mdslib/store"
)

// Beat is how far a task is.
type Beat struct {
	Rows        int64 `json:"rows"`         // read
	Samples     int64 `json:"samples"`      // in shards that are stored
	RawBytes    int64 `json:"raw_bytes"`    // of those shards
	StoredBytes int64 `json:"stored_bytes"` // of those shards
	Shards      int   `json:"shards"`
}

// beatMark follows the name of the task's folder in these files' names, which are those of temporary files.
const beatMark = ".progress"

// ReadBeats reads the signs of the tasks that write to a folder, by partition; of one that is tried several times at once,
// those of some try.
func ReadBeats(out string) (map[int]Beat, error) {
	entries, err := os.ReadDir(out)
	if err != nil {
		return nil, err
	}
	all := map[int]Beat{}
	for _, e := range entries {
		if !store.IsTemp(e.Name()) || !strings.Contains(e.Name(), beatMark) {
			continue
		}
		number, _, _ := strings.Cut(strings.TrimPrefix(e.Name(), "."), "-")
		partition, err := strconv.Atoi(number)
		if err != nil {
			continue
		}
		var b Beat
		if text, err := os.ReadFile(filepath.Join(out, e.Name())); err == nil && json.Unmarshal(text, &b) == nil { // else it is just being written
			all[partition] = b
		}
	}
	return all, nil
}

// beatEvery is how often a task writes one.
const beatEvery = time.Second

// beats writes the signs of one task.
type beats struct {
	file string // "" writes none

	mu   sync.Mutex
	beat Beat
	stop chan struct{}
	done chan struct{}
}

func newBeats(out, dir string) *beats {
	b := &beats{stop: make(chan struct{}), done: make(chan struct{})}
	if local, ok := store.LocalPath(out); ok && out != "" {
		b.file = store.TempName(filepath.Join(local, dir+beatMark))
	}
	go b.run()
	return b
}

// row notes that so many rows are read.
func (b *beats) row(rows int64) {
	b.mu.Lock()
	b.beat.Rows = rows
	b.mu.Unlock()
}

// written notes what is stored.
func (b *beats) written(p mdslib.WriteProgress) {
	b.mu.Lock()
	b.beat.Samples, b.beat.RawBytes, b.beat.StoredBytes, b.beat.Shards = p.Samples, p.RawBytes, p.StoredBytes, p.Shards
	b.mu.Unlock()
}

func (b *beats) run() {
	defer close(b.done)
	tick := time.NewTicker(beatEvery)
	defer tick.Stop()
	for b.file != "" {
		select {
		case <-b.stop:
			_ = os.Remove(b.file)
			return
		case <-tick.C:
		}
		b.mu.Lock()
		text, err := json.Marshal(b.beat)
		b.mu.Unlock()
		if err == nil {
			_ = os.WriteFile(b.file, text, 0o666) // who can't write it has greater troubles
		}
	}
}

func (b *beats) end() {
	close(b.stop)
	<-b.done
}
