package host

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"unicode"

	"gomosaic/kernel/cell"
	"gomosaic/kernel/cell/magic"
	_ "gomosaic/kernel/cell/rt/measure" // linked, as cells call it
	"gomosaic/kernel/cell/rt/shell"
)

// magicCall is a magic of kind [magic.Front] on its way: it is carried out before its cell is compiled, while the
// session's execute lock is held.
type magicCall struct {
	magic.Use
	cell int // number of the cell
	out  Output
}

func (m magicCall) printf(format string, args ...any) {
	m.out.Stream("stdout", fmt.Sprintf(format, args...))
}

// frontMagics are what the front does for a magic, by its name. An error is shown at the magic's place in the cell,
// unless it is a *[CellError]; the cell does not run then.
var frontMagics = map[string]func(s *Session, ctx context.Context, m magicCall) error{
	"help":    (*Session).magicHelp,
	"who":     (*Session).magicWho,
	"forget":  (*Session).magicForget,
	"reset":   (*Session).magicReset,
	"history": (*Session).magicHistory,
	"load":    (*Session).magicLoad,
	"get":     (*Session).magicGet,
	"use":     (*Session).magicUse,
}

// magics carries out the cell's magics of kind Front, in the order of its text.
func (s *Session) magics(ctx context.Context, code string, label int, out Output) error {
	uses, err := s.model.Magics(code, label)
	if err != nil {
		return compileError(err)
	}
	for _, use := range uses {
		if use.Kind != magic.Front {
			if name, value, ok := shell.Assignment(use.Args); ok && use.Name == "env" {
				s.module.Setenv(name, value) // %get asks for modules here, and not in the host
			}
			continue
		}
		err := frontMagics[use.Name](s, ctx, magicCall{use, label, out})
		var whole *CellError
		switch {
		case err == nil:
		case errors.As(err, &whole):
			return whole
		case ctx.Err() != nil:
			return &CellError{Name: "interrupted", Value: "interrupted", Traceback: []string{"interrupted in " + use.String() + "; the cell did not run"}}
		default:
			return compileError(cell.MagicError(code, label, use, err))
		}
	}
	return nil
}

func (s *Session) magicHelp(_ context.Context, m magicCall) error {
	packages := s.options.preloads()
	m.out.Display(map[string]any{"text/plain": helpText(packages), "text/markdown": helpMarkdown(packages)}, nil, nil, false)
	return nil
}

func (s *Session) magicWho(_ context.Context, m magicCall) error {
	names := s.model.Names()
	if names.Empty() {
		m.printf("nothing is declared\n")
	}
	for _, kind := range []struct {
		title string
		list  []string
	}{{"variables", names.Variables}, {"constants", names.Constants}, {"functions", names.Functions}, {"types", names.Types}} {
		if len(kind.list) > 0 {
			m.printf("%-10s %s\n", kind.title, strings.Join(kind.list, "  "))
		}
	}
	return nil
}

func (s *Session) magicForget(_ context.Context, m magicCall) error {
	return s.model.Forget(forgottenNames(m.Use)...)
}

// forgottenNames are the arguments of %forget.
func forgottenNames(use magic.Use) []string {
	return strings.FieldsFunc(use.Args, func(r rune) bool { return r == ',' || unicode.IsSpace(r) })
}

// magicReset starts a fresh host: what cells declared, the memory they hold and what they started are gone. There is no
// question to confirm, which IPython's -f spares.
func (s *Session) magicReset(ctx context.Context, m magicCall) error {
	if m.Args != "" && m.Args != "-f" {
		return fmt.Errorf("%%reset forgets all that cells declared and takes no names, got %s; nothing was forgotten; %%forget takes names", m.Args)
	}
	s.mu.Lock()
	p := s.host
	s.mu.Unlock()
	if p != nil {
		p.kill()
	}
	return s.replaceHost(context.WithoutCancel(ctx)) // an interruption must not leave the session without a host
}

// serialOutput lets the front's magics and the host's collector write to one Output, which wants one caller at a time:
// goroutines of earlier cells may print while a magic does.
type serialOutput struct {
	mu sync.Mutex
	Output
}

func (o *serialOutput) Stream(name, text string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.Output.Stream(name, text)
}

func (o *serialOutput) Display(data, metadata, transient map[string]any, update bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.Output.Display(data, metadata, transient, update)
}

func (o *serialOutput) ClearOutput(wait bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.Output.ClearOutput(wait)
}

func (o *serialOutput) Payload(payload map[string]any) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.Output.Payload(payload)
}
