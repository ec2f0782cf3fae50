package spark

// Programs on executors: how a task finds the executable for its machine, and what it runs.

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"

	"gomosaic/mdslib"
)

// program is an executable for executors, which run Linux on amd64 or arm64. It is safe for concurrent use.
type program struct {
	name  string                                                 // for file names and errors, such as "gomosaic-worker"
	build func(ctx context.Context, arch string) (string, error) // gives the path of the executable for a GOARCH

	mu    sync.Mutex
	files map[string]artifact // by GOARCH, those built so far
}

// machines are the names that uname -m has for an architecture.
var machines = []struct{ arch, patterns string }{{"amd64", "x86_64|amd64"}, {"arm64", "aarch64|arm64"}}

// archOf is the GOARCH of a machine by its name for itself; "" where no program runs.
func archOf(machine string) string {
	for _, m := range machines {
		if slices.Contains(strings.Split(m.patterns, "|"), machine) {
			return m.arch
		}
	}
	return ""
}

// executable is the artifact of the executable for an architecture, built if need be.
func (p *program) executable(ctx context.Context, c *client, arch string) (artifact, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if a, ok := p.files[arch]; ok {
		return a, nil
	}
	path, err := p.build(ctx, arch)
	if err != nil {
		return artifact{}, fmt.Errorf("spark: %s for executors on linux/%s: %w", p.name, arch, err)
	}
	a, err := c.fileArtifact(p.name+"-"+arch, path)
	if err != nil {
		return artifact{}, err
	}
	if p.files == nil {
		p.files = map[string]artifact{}
	}
	p.files[arch] = a
	return a, nil
}

// task is what runs in each partition: a program with arguments, which process lists show, and with the paths of files, which
// only the executors' user can read, as its last arguments.
type task struct {
	program *program
	beside  *program // nil, or one whose path comes before the files'
	env     []string // additions to the environment, KEY=value, which whoever sees the plan sees too
	args    []string
	files   []artifact
}

// script readies a task for executors of some architectures: all that it needs is sent to the server, and what comes back is
// the command of the shell that finds it on an executor and becomes it.
//
// An executor has a session's files in its working folder, or in one of the session below it whose name we can't know.
func (e *engine) script(ctx context.Context, t *task, archs []string) (string, error) {
	var choices strings.Builder
	send := slices.Clone(t.files)
	for _, m := range machines {
		if slices.Contains(archs, m.arch) {
			a, err := t.program.executable(ctx, e.client, m.arch)
			if err != nil {
				return "", err
			}
			send = append(send, a)
			fmt.Fprintf(&choices, "%s) x=%s", m.patterns, a.name())
			if t.beside != nil {
				b, err := t.beside.executable(ctx, e.client, m.arch)
				if err != nil {
					return "", err
				}
				send = append(send, b)
				fmt.Fprintf(&choices, " y=%s", b.name())
			}
			choices.WriteString(";; ")
		}
	}
	if err := e.send(ctx, send...); err != nil {
		return "", err
	}
	var b strings.Builder
	// Standard input is read to its end first: otherwise Spark reports a broken pipe in place of what standard error says, of
	// which it takes the last 2 KB, and those only if they come before the end.
	fmt.Fprintf(&b, `lost() { cat >/dev/null; echo "gomosaic: $1 is not on this executor ($(uname -m))" >&2; sleep 0.3; exit 127; }
at() { for p in "./$1" ./*/"$1"; do [ -f "$p" ] && return; done; return 1; }
case $(uname -m) in %s*) x=none;; esac
at "$x" || lost %s
x=$p
`, choices.String(), t.program.name)
	for _, variable := range t.env {
		b.WriteString("export " + shellQuoted(variable) + "\n")
	}
	b.WriteString("set --")
	for _, arg := range t.args {
		b.WriteString(" " + shellQuoted(arg))
	}
	b.WriteByte('\n')
	if t.beside != nil {
		fmt.Fprintf(&b, "at \"$y\" || lost %s\nset -- \"$@\" \"$p\"\n", t.beside.name)
	}
	for _, f := range t.files {
		fmt.Fprintf(&b, "at %s || lost %[1]s\nset -- \"$@\" \"$p\"\n", f.name())
	}
	b.WriteString(`exec "$x" "$@"`)
	return b.String(), nil
}

// shellQuoted is a word of a shell's command.
func shellQuoted(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }

// lostFile is how a script says that an executor lacks a file.
var lostFile = regexp.MustCompile(`gomosaic: (\S+) is not on this executor \((\w+)\)`)

// arrange calls run with the script of a task. Where executors turn out to lack the task's files, because they are machines of
// another architecture than the first ones, or because the server has lost what it was sent, what is missing is sent, and run
// is called once more. Whatever an attempt did before it failed is for run to forget.
func (e *engine) arrange(ctx context.Context, t *task, run func(script string) error) error {
	return e.onArchs(ctx, func(archs []string) error {
		script, err := e.script(ctx, t, archs)
		if err != nil {
			return err
		}
		return run(script)
	})
}

// onArchs calls run with the architectures that executors have; see [engine.arrange] for when it does so twice.
func (e *engine) onArchs(ctx context.Context, run func(archs []string) error) error {
	archs := e.executorArchs()
	for again := false; ; again = true {
		err := run(archs)
		if err == nil || again {
			return err
		}
		m := lostFile.FindStringSubmatch(sparkText(err))
		if m == nil || ctx.Err() != nil {
			return err
		}
		arch := archOf(m[2])
		switch {
		case arch == "":
			return fmt.Errorf("spark: the executors are machines of the kind %s, for which gomosaic has no programs: %w", m[2], err)
		case slices.Contains(archs, arch):
			e.forgetArtifacts()
		default:
			archs = append(archs, arch)
			e.noteArch(arch)
		}
	}
}

// sparkText is all that Spark says of an error.
func sparkText(err error) string {
	var s *mdslib.SparkError
	if errors.As(err, &s) {
		return s.Message + "\n" + strings.Join(s.Causes, "\n")
	}
	return err.Error()
}

// executors is what a session has learnt of the machines where its tasks run.
type executors struct {
	mu     sync.Mutex
	archs  []string // GOARCHs; none: not known yet
	python string   // its minor version, such as "3.11"; "": not known yet
}

// executorArchs are the architectures that a program is sent for: before anything is known, the commonest.
func (e *engine) executorArchs() []string {
	e.executors.mu.Lock()
	defer e.executors.mu.Unlock()
	if len(e.executors.archs) == 0 {
		return []string{"amd64"}
	}
	return slices.Clone(e.executors.archs)
}

// noteArch remembers an architecture that executors have.
func (e *engine) noteArch(arch string) {
	e.executors.mu.Lock()
	defer e.executors.mu.Unlock()
	if arch != "" && !slices.Contains(e.executors.archs, arch) {
		e.executors.archs = append(e.executors.archs, arch)
	}
}
