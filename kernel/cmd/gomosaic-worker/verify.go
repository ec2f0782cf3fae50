package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"gomosaic/mdslib"
)

// verified is what verify prints with -json.
type verified struct {
	Shards   int      `json:"shards"`
	Samples  int64    `json:"samples"`
	Bytes    int64    `json:"bytes"`
	Problems []string `json:"problems"`
}

// verify checks a data set and prints what is in it.
func verify(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	fs := flag.NewFlagSet("gomosaic-worker verify", flag.ContinueOnError)
	fs.SetOutput(stderr)
	show := fs.Int("samples", 3, "print the first `N` samples")
	asJSON := fs.Bool("json", false, "print JSON, and no samples")
	if err := fs.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return 0
		}
		return 2
	}
	if fs.NArg() != 1 {
		fmt.Fprintln(stderr, "usage: gomosaic-worker verify [-samples N] [-json] DIR")
		return 2
	}
	dir := fs.Arg(0)
	report, err := mdslib.Verify(ctx, dir, mdslib.VerifyOptions{})
	if err != nil {
		fmt.Fprintf(stderr, "gomosaic-worker verify: %v\n", err)
		return 1
	}
	result := verified{Shards: report.Shards, Samples: report.Samples, Bytes: report.Bytes, Problems: []string{}}
	for _, p := range report.Problems {
		result.Problems = append(result.Problems, p.Error())
	}
	if *asJSON {
		e := json.NewEncoder(stdout)
		e.SetEscapeHTML(false)
		err = e.Encode(result)
	} else {
		fmt.Fprintf(stdout, "%s: %d shards, %d samples, %d bytes\n", dir, result.Shards, result.Samples, result.Bytes)
		for _, p := range result.Problems {
			fmt.Fprintf(stdout, "problem: %s\n", p)
		}
		err = printSamples(stdout, dir, *show)
	}
	if err != nil {
		fmt.Fprintf(stderr, "gomosaic-worker verify: %v\n", err)
		return 1
	}
	if len(result.Problems) > 0 {
		return 1
	}
	return 0
}

// printSamples prints a line for each column of the first n samples.
func printSamples(w io.Writer, dir string, n int) (err error) {
	d, err := mdslib.OpenDataset(dir, mdslib.ReadOptions{AllowUnsafeTypes: true})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.Close()) }()
	for i := range min(n, d.NumSamples()) {
		sample, err := d.Get(i)
		if err != nil {
			return err
		}
		fmt.Fprintf(w, "sample %d\n", i)
		for _, name := range slices.Sorted(maps.Keys(sample)) {
			fmt.Fprintf(w, "  %s: %s\n", name, brief(sample[name]))
		}
	}
	return nil
}

// briefRunes is how much of a value is printed.
const briefRunes = 80

// brief prints a value on one line; of bytes the length and the beginning.
func brief(v any) string {
	if b, ok := v.([]byte); ok {
		return fmt.Sprintf("%d bytes % x…", len(b), b[:min(len(b), 8)])
	}
	s := strings.Map(func(r rune) rune {
		if r < ' ' {
			return ' '
		}
		return r
	}, fmt.Sprintf("%T %v", v, v))
	if utf8.RuneCountInString(s) > briefRunes {
		s = string([]rune(s)[:briefRunes]) + "…"
	}
	return s
}
