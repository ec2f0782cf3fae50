package streamlib

import (
	"bytes"
	"context"
	"fmt"
	"iter"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"gomosaic/mdslib"
	"gomosaic/mdslib/store"
)

// TestMain lets the test binary be one of several processes that share a cache folder.
func TestMain(m *testing.M) {
	if os.Getenv("STREAMLIB_TEST_REMOTE") != "" {
		if err := child(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// counted is a local folder that writes each Get's key to a log, slowly enough for the processes to meet.
type counted struct {
	store.Store
	log string
}

func (c counted) Get(ctx context.Context, key, path string) error {
	f, err := os.OpenFile(c.log, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o644)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(f, key)
	f.Close()
	if err != nil {
		return err
	}
	time.Sleep(10 * time.Millisecond)
	return c.Store.Get(ctx, key, path)
}

func (c counted) List(ctx context.Context, prefix string) iter.Seq2[store.Object, error] {
	return c.Store.List(ctx, prefix)
}

func child() error {
	store.Register("counted", func(ctx context.Context, url string) (store.Store, error) {
		inner, err := store.Open(ctx, strings.TrimPrefix(url, "counted://"))
		return counted{inner, os.Getenv("STREAMLIB_TEST_LOG")}, err
	})
	d, err := NewStreamingDataset(context.Background(), DatasetOptions{Remote: "counted://" + os.Getenv("STREAMLIB_TEST_REMOTE"),
		Local: os.Getenv("STREAMLIB_TEST_LOCAL"), Shuffle: true, ShuffleBlockSize: 60, BatchSize: 5, CacheLimit: os.Getenv("STREAMLIB_TEST_LIMIT")})
	if err != nil {
		return err
	}
	defer d.Close()
	// Every rank looks at all samples, so that all want every shard.
	for i := range d.Size() {
		k := (i + d.world.Rank*13) % d.Size()
		s, err := d.Get(k)
		if err != nil {
			return err
		}
		if s["id"] != int64(k) {
			return fmt.Errorf("sample %d is %v", k, s)
		}
	}
	for b, err := range NewStreamingDataLoader(d, LoaderOptions{}).Batches(context.Background()) {
		if err != nil {
			return err
		}
		for _, id := range b.Columns["id"].Data.([]int64) {
			fmt.Println(id)
		}
	}
	return nil
}

func TestProcessesShareACache(t *testing.T) {
	for _, c := range []struct {
		compression string
		limited     bool
	}{{"", false}, {"zstd", false}, {"", true}} {
		dir := writeData(t, 240, 20, mdslib.MDSOptions{Compression: c.compression, Hashes: []string{"xxh64"}})
		local, log := t.TempDir(), t.TempDir()+"/log"
		limit := ""
		if c.limited {
			limit = byteText(usage(t, dir) / 2)
		}
		const ranks = 8
		var children [ranks]*exec.Cmd
		var outs, errs [ranks]bytes.Buffer
		for rank := range children {
			cmd := exec.Command(os.Args[0])
			cmd.Env = append(os.Environ(), "STREAMLIB_TEST_REMOTE="+dir, "STREAMLIB_TEST_LOCAL="+local, "STREAMLIB_TEST_LOG="+log, "STREAMLIB_TEST_LIMIT="+limit,
				"RANK="+strconv.Itoa(rank), "LOCAL_RANK="+strconv.Itoa(rank), "WORLD_SIZE=8", "LOCAL_WORLD_SIZE=8")
			cmd.Stdout, cmd.Stderr = &outs[rank], &errs[rank]
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			children[rank] = cmd
		}
		seen := map[string]bool{}
		for rank, cmd := range children {
			if err := cmd.Wait(); err != nil {
				t.Errorf("rank %d: %v: %s", rank, err, errs[rank].String())
			}
			for id := range strings.FieldsSeq(outs[rank].String()) {
				if seen[id] {
					t.Errorf("sample %s was seen twice", id)
				}
				seen[id] = true
			}
		}
		if len(seen) != 240 {
			t.Errorf("%d samples were seen, want 240", len(seen))
		}
		if c.limited {
			if used := usage(t, local); used > usage(t, dir)/2 {
				t.Errorf("the cache takes %d bytes, the limit is %s", used, limit)
			}
			continue
		}
		data, err := os.ReadFile(log)
		if err != nil {
			t.Fatal(err)
		}
		gets := map[string]int{}
		for key := range strings.FieldsSeq(string(data)) {
			gets[key]++
		}
		delete(gets, mdslib.IndexName)
		if len(gets) != 12 {
			t.Errorf("%d shards were downloaded, want 12", len(gets))
		}
		for key, n := range gets {
			if n != 1 {
				t.Errorf("%s was downloaded %d times", key, n)
			}
		}
	}
}
