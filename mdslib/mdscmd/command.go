package mdscmd

// The commands and what they share: arguments, output, progress, exit statuses.

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"
	"time"
)

// Exit statuses. Scripts may rely on them.
const (
	OK      = 0 // done; verify: sound; diff: equal
	Failed  = 1 // failed; verify: damaged; diff: different
	Misused = 2 // the command line is wrong
)

// Usage is the help text.
const Usage = `gomosaic mds reads, writes and checks data sets of MDS, JSON, CSV, TSV and XSV shards.

  convert SRC OUT     write OUT from a data set (its columns kept), Parquet, Arrow, CSV, TSV or JSON lines files, or images in folders
                      --columns name=encoding,…  --compression zstd:7  --hashes sha1,xxh64  --size-limit 16mb  --exist-ok
                      a flag left out means none of it: no compression, no hashes, no limit: one shard of up to 4 GiB, or of
                      tables and images one for each of the parts that are written side by side
  inspect SET         its shards, columns, sizes and options
  cat SET             its samples, one a line; --columns a,b  --skip N  --limit N  --allow-unsafe-types
  head SET            the first ten samples; flags as cat
  verify SET          re-read and re-hash everything: exit status 0 if sound, 1 if damaged, each shard and sample named
  merge ROOT          merge the index.json of all folders below ROOT into ROOT/index.json; --remote URL puts it there too
  merge OUT PART…     merge the partitions named, in that order
  rebuild-index SET   make a lost index.json anew from the shards; --skip-damaged leaves damaged and missing ones out
  stats SET           sizes and values of each column, and the sizes of shards
  diff A B            compare sample by sample, however they are sharded or compressed: exit status 0 if equal, 1 if not

SET and SRC are folders (SRC a file, too) or URLs whose scheme is known. Of a data set at a URL verify, stats, diff and
rebuild-index bring all shards to a temporary folder ($TMPDIR), the others one after the other as they are read; tables and
images are read where they lie. Every command takes --json; on a terminal they show how far they are.
Exit status: 0 done, 1 failed (or damaged, or different), 2 wrong command line.
`

// command is one of them, at work.
type command struct {
	name   string
	args   []string // without flags
	asJSON bool
	stdout io.Writer
	stderr io.Writer
}

// misuse is an error of the command line.
type misuse string

func (m misuse) Error() string { return string(m) }

// errFound is returned where the exit status says it all: damage or a difference that was printed.
var errFound = errors.New("found")

// Run executes `gomosaic mds` with these arguments and returns its exit status.
func Run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	if len(args) == 0 {
		fmt.Fprint(stderr, Usage)
		return Misused
	}
	commands := map[string]func(context.Context, *command, *flag.FlagSet, []string) error{
		"convert": runConvert, "inspect": runInspect, "cat": runCat, "head": runCat, "verify": runVerify, "merge": runMerge,
		"rebuild-index": runRebuild, "stats": runStats, "diff": runDiff,
	}
	run := commands[args[0]]
	switch args[0] {
	case "help", "-h", "-help", "--help":
		fmt.Fprint(stdout, Usage)
		return OK
	}
	if run == nil {
		fmt.Fprintf(stderr, "gomosaic mds: there is no command %q\n\n%s", args[0], Usage)
		return Misused
	}
	c := &command{name: args[0], stdout: stdout, stderr: stderr}
	flags := flag.NewFlagSet("gomosaic mds "+c.name, flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.BoolVar(&c.asJSON, "json", false, "print JSON")
	err := run(ctx, c, flags, args[1:])
	var wrong misuse
	switch {
	case err == nil, errors.Is(err, flag.ErrHelp):
		return OK
	case errors.Is(err, errFound):
		return Failed
	case errors.As(err, &wrong):
		if wrong != "" {
			fmt.Fprintf(stderr, "gomosaic mds %s: %s\n", c.name, wrong)
		}
		return Misused
	}
	fmt.Fprintf(stderr, "gomosaic mds %s: %s\n", c.name, asFlags.Replace(err.Error()))
	return Failed
}

// asFlags names options, which errors advise to set, as the flags that set them.
var asFlags = strings.NewReplacer("set ExistOK", "give --exist-ok", "set AllowUnsafeTypes", "give --allow-unsafe-types")

// parse reads flags, which may stand behind the other arguments, of which there must be so many.
func (c *command) parse(flags *flag.FlagSet, args []string, least, most int, usage string) error {
	for {
		if err := flags.Parse(args); err != nil {
			if errors.Is(err, flag.ErrHelp) {
				return err
			}
			return misuse("") // the flag set has said it
		}
		if flags.NArg() == 0 {
			break
		}
		c.args = append(c.args, flags.Arg(0))
		args = flags.Args()[1:]
	}
	if len(c.args) < least || len(c.args) > most {
		return misuse("want " + usage)
	}
	return nil
}

// list splits a flag's value at its commas.
func list(text string) []string {
	if text == "" {
		return nil
	}
	return strings.Split(text, ",")
}

// printJSON prints one value on one line.
func (c *command) printJSON(v any) error {
	e := json.NewEncoder(c.stdout)
	e.SetEscapeHTML(false)
	return e.Encode(v)
}

// progress is a line on a terminal that tells how far a command is; elsewhere it prints nothing.
type progress struct {
	w     io.Writer
	what  string
	total int64
	shown time.Time
	wrote bool
}

func (c *command) progress(what string, total int64) *progress {
	p := &progress{what: what, total: total}
	if f, ok := c.stderr.(*os.File); ok {
		if stat, err := f.Stat(); err == nil && stat.Mode()&os.ModeCharDevice != 0 {
			p.w = f
		}
	}
	return p
}

// at shows that so many are done, ten times a second at most.
func (p *progress) at(n int64) {
	if p.w == nil || time.Since(p.shown) < 100*time.Millisecond {
		return
	}
	p.shown, p.wrote = time.Now(), true
	if p.total > 0 {
		fmt.Fprintf(p.w, "\r%s %d of %d (%d %%)\x1b[K", p.what, n, p.total, 100*n/p.total)
	} else {
		fmt.Fprintf(p.w, "\r%s %d\x1b[K", p.what, n)
	}
}

// end clears the line.
func (p *progress) end() {
	if p.wrote {
		fmt.Fprint(p.w, "\r\x1b[K")
	}
}

// shardsText counts shards for people.
func shardsText[N int | int64](n N) string {
	if n == 1 {
		return "1 shard"
	}
	return fmt.Sprintf("%d shards", n)
}
