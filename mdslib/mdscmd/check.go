package mdscmd

// verify, merge and rebuild-index: whether a data set is whole, and making it so.

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math"
	"path/filepath"

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
	if err := s.whole(ctx); err != nil {
		return err
	}
	report, err := mdslib.Verify(ctx, s.dir)
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
	return c.printMerged(filepath.ToSlash(store.Join(out, mdslib.IndexName)), s.index)
}

func runRebuild(ctx context.Context, c *command, flags *flag.FlagSet, args []string) error {
	skip := flags.Bool("skip-damaged", false, "leave out damaged and missing shards")
	if err := c.parse(flags, args, 1, 1, "a folder: rebuild-index DIR"); err != nil {
		return err
	}
	dir, local := store.LocalPath(c.args[0])
	if !local {
		return errors.New("want a local folder: download the shards, make the index anew, upload it")
	}
	index, err := mdslib.RebuildIndex(ctx, dir, mdslib.RebuildOptions{SkipDamaged: *skip})
	if err != nil {
		return err
	}
	return c.printMerged(filepath.Join(dir, mdslib.IndexName), index)
}
