package mdscmd

// verify, merge and rebuild-index: whether a data set is whole, and making it so.

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math"
	"os"
	"path"
	"path/filepath"
	"strings"

	"gomosaic/mdslib"
	"gomosaic/mdslib/store"
)

// verified is what verify prints with --json.
type verified struct {
	Name     string            `json:"name"`
	Shards   int               `json:"shards"`
	Samples  int64             `json:"samples"`
	Bytes    int64             `json:"bytes"`
	Problems []verifiedProblem `json:"problems"`
}

type verifiedProblem struct {
	Shard    int    `json:"shard"`
	Basename string `json:"basename"`
	Sample   *int   `json:"sample"` // null if the whole shard is meant
	Error    string `json:"error"`
}

func runVerify(ctx context.Context, c *command, flags *flag.FlagSet, args []string) error {
	if err := c.parse(flags, args, 1, 1, "a data set: verify SET"); err != nil {
		return err
	}
	s, err := openSet(ctx, c.args[0])
	if err != nil {
		return err
	}
	defer s.close()
	if err := s.whole(ctx, c); err != nil {
		return err
	}
	bar := c.progress("shards verified:", int64(len(s.index.Shards)))
	report, err := mdslib.Verify(ctx, s.dir, mdslib.VerifyOptions{Progress: func(n int) { bar.at(int64(n)) }})
	bar.end()
	if err != nil {
		return err
	}
	out := verified{Name: s.name, Shards: report.Shards, Samples: report.Samples, Bytes: report.Bytes, Problems: []verifiedProblem{}}
	for _, p := range report.Problems {
		problem := verifiedProblem{Shard: p.Shard, Basename: p.Basename, Error: p.Err.Error()}
		if p.Sample >= 0 {
			problem.Sample = &p.Sample
		}
		out.Problems = append(out.Problems, problem)
	}
	if c.asJSON {
		err = c.printJSON(out)
	} else {
		for _, p := range report.Problems {
			fmt.Fprintf(c.stdout, "damaged: %v\n", p)
		}
		word := "sound"
		if len(report.Problems) > 0 {
			word = "damaged"
		}
		_, err = fmt.Fprintf(c.stdout, "%s: %s; %s, %d samples, %s\n", s.name, word, shardsText(out.Shards), out.Samples, mdslib.FormatBytes(out.Bytes))
	}
	if err == nil && len(report.Problems) > 0 {
		err = errFound
	}
	return err
}

// merged is what merge and rebuild-index print with --json.
type merged struct {
	Name    string `json:"name"`
	Shards  int    `json:"shards"`
	Samples int    `json:"samples"`
}

func (c *command) printMerged(name string, index *mdslib.Index) error {
	out := merged{name, len(index.Shards), index.NumSamples()}
	if c.asJSON {
		return c.printJSON(out)
	}
	_, err := fmt.Fprintf(c.stdout, "%s: %d samples in %s\n", out.Name, out.Samples, shardsText(out.Shards))
	return err
}

func runMerge(ctx context.Context, c *command, flags *flag.FlagSet, args []string) error {
	remote := flags.String("remote", "", "folder or `URL` that also receives the merged index")
	if err := c.parse(flags, args, 1, math.MaxInt, "a folder: merge ROOT, or merge OUT PART…"); err != nil {
		return err
	}
	out, opts := c.args[0], mdslib.MergeOptions{Remote: *remote}
	var err error
	if len(c.args) == 1 {
		err = mdslib.MergeIndex(ctx, out, opts)
	} else {
		err = mdslib.MergeIndexFiles(ctx, c.args[1:], out, opts)
	}
	if err != nil {
		return err
	}
	s, err := openSet(ctx, out)
	if err != nil {
		return err
	}
	defer s.close()
	return c.printMerged(filepath.ToSlash(store.Redacted(store.Join(out, mdslib.IndexName))), s.index)
}

func runRebuild(ctx context.Context, c *command, flags *flag.FlagSet, args []string) error {
	skip := flags.Bool("skip-damaged", false, "leave out damaged and missing shards")
	if err := c.parse(flags, args, 1, 1, "a folder or URL: rebuild-index DIR"); err != nil {
		return err
	}
	place, opts := c.args[0], mdslib.RebuildOptions{SkipDamaged: *skip}
	dir, local := store.LocalPath(place)
	if local {
		index, err := mdslib.RebuildIndex(ctx, dir, opts)
		if err != nil {
			return err
		}
		return c.printMerged(filepath.Join(dir, mdslib.IndexName), index)
	}
	index, err := rebuildRemote(ctx, c, place, opts)
	if err != nil {
		return err
	}
	return c.printMerged(store.Redacted(store.Join(place, mdslib.IndexName)), index)
}

// rebuildRemote downloads the shards at a URL, whose sizes and hashes the index holds, and uploads the index.
func rebuildRemote(ctx context.Context, c *command, url string, opts mdslib.RebuildOptions) (_ *mdslib.Index, err error) {
	remote, err := store.Open(ctx, url)
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "mds-set-")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	var keys []string
	for o, err := range remote.List(ctx, "") {
		if err != nil {
			return nil, err
		}
		if strings.HasPrefix(path.Base(o.Key), "shard.") && store.CheckKey(o.Key) == nil {
			keys = append(keys, o.Key)
		}
	}
	if err := c.download(ctx, remote, keys, dir); err != nil {
		return nil, err
	}
	index, err := mdslib.RebuildIndex(ctx, dir, opts)
	if err != nil {
		return nil, err
	}
	return index, remote.Put(ctx, filepath.Join(dir, mdslib.IndexName), mdslib.IndexName)
}
