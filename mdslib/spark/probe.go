package spark

// What a platform permits: found by one row, once a session.

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"

	"gomosaic/mdslib"
	"gomosaic/mdslib/plan"
)

// probes are the answers that a session has had.
type probes struct {
	mu       sync.Mutex // held while asking, so that nobody asks twice
	refusals map[writers]string

	files struct {
		mu           sync.Mutex // held while asking
		known, local bool       // whether paths that don't say where are those of the machines' file systems
	}
}

// permitted tells whether tasks may run on executors in a way, by running the smallest one that says what machine it is on. A
// refusal is an errUnable that has Spark's reason; it stays for the session. Other errors, of the connection or an interrupt,
// are asked about again.
func (e *engine) permitted(ctx context.Context, who writers) error {
	e.probes.mu.Lock()
	defer e.probes.mu.Unlock()
	refusal, known := e.probes.refusals[who]
	if !known {
		input, err := relationOf(&plan.Range{End: 1, Step: 1, Partitions: 1})
		if err != nil {
			return err
		}
		const script = "cat >/dev/null; uname -sm"
		var lines []string
		if who == byTransform {
			lines, err = e.collectLines(ctx, transformed(input, []string{"id"}, script))
		} else {
			lines, err = e.collectMapped(ctx, input, script, false)
		}
		var refused *mdslib.SparkError
		switch {
		case err == nil:
			system, machine, _ := strings.Cut(strings.Join(lines, ""), " ")
			if arch := archOf(machine); arch == "" || system != "Linux" {
				refusal = fmt.Sprintf("executors run %s, not Linux on amd64 or arm64", strings.Join(lines, " "))
			} else {
				e.noteArch(arch)
			}
		case errors.As(err, &refused) && ctx.Err() == nil:
			refusal = oneLine(strings.TrimPrefix(refused.Error(), "spark: "))
		default:
			return err
		}
		if e.probes.refusals == nil {
			e.probes.refusals = map[writers]string{}
		}
		e.probes.refusals[who] = refusal
	}
	if refusal != "" {
		return unable("%s does not run here (%s)", who.name(), refusal)
	}
	return nil
}

// name is how Spark's users know it.
func (w writers) name() string {
	if w == byTransform {
		return "TRANSFORM"
	}
	return string(w)
}

// oneLine is the beginning of a text of several lines.
func oneLine(text string) string {
	line, _, _ := strings.Cut(strings.TrimSpace(text), "\n")
	if runes := []rune(line); len(runes) > 300 {
		line = string(runes[:300]) + "…"
	}
	return line
}
