package host

import (
	"context"
	"errors"
	"fmt"
	"go/token"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"gomosaic/kernel/cell"
	"gomosaic/kernel/cell/rt"
)

// Session is the client of one cell host, with the state of one notebook: what its cells declared. Its methods are safe
// for concurrent use; one cell runs at a time.
type Session struct {
	options  Options
	module   *cell.Module // of the packages that cells import; see modules.go
	extended bool         // module is the session's own
	archives *cell.Archives
	builder  *cell.Builder
	model    *cell.Session
	folder   *folder
	inputs   inputs

	cleaning sync.WaitGroup // of the cache, in the background

	execute sync.Mutex // held by the one who runs a cell or exchanges the host

	mu     sync.Mutex
	host   *process
	out    Output             // of the running or the last cell
	stop   context.CancelFunc // of the running cell
	again  bool               // it was interrupted already
	active *active
	closed bool
}

// active is the cell that the host has.
type active struct {
	unit *cell.Unit
	done chan message
}

// Start starts a host process and returns when it is ready to run cells. Where the compile cache is not warm (see
// [Warm]) that takes up to a minute, once.
func Start(ctx context.Context, o Options) (*Session, error) {
	o, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	s := &Session{options: o}
	if s.folder, err = newFolder(ctx, o.CacheDir); err != nil {
		return nil, err
	}
	if err := s.open(ctx); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	s.cleaning.Go(func() {
		_ = cleanCache(o.CacheDir, o.CacheBytes) // what cannot be removed is somebody else's to look after; doctor shows it
	})
	return s, nil
}

func (s *Session) open(ctx context.Context) error {
	starting := make(chan error, 1)
	go func() { starting <- s.startHost(ctx) }()
	err := func() (err error) {
		if s.module, s.archives, err = openCache(ctx, s.options, nil); err != nil {
			return err
		}
		if s.builder, err = cell.NewBuilder(ctx, s.module.Tools(), s.archives, s.options.CacheDir, s.folder.path, s.options.slimFor(s.options.Binary)); err != nil {
			return err
		}
		s.model = s.newModel(0)
		return s.noteUses()
	}()
	return errors.Join(err, <-starting)
}

// noteUses protects what the session works with in the cache.
func (s *Session) noteUses() error {
	key := s.archives.Key()
	return s.folder.uses(append(s.builder.Files(), s.options.Binary, s.options.extensionFolder(),
		filepath.Join(s.options.CacheDir, "archives-"+key), filepath.Join(s.options.CacheDir, "programs-"+key))...)
}

// newModel makes an empty session model whose packages are numbered from behind seq.
func (s *Session) newModel(seq int) *cell.Session {
	fset := token.NewFileSet()
	return cell.NewSession(cell.Config{Fset: fset, Importer: s.archives.Importer(fset), Preloads: s.options.preloads(), Suggest: s.archives.Suggest, Seq: seq})
}

// startHost starts a process and makes it the session's.
func (s *Session) startHost(ctx context.Context) error {
	p, err := startProcess(s.options, s.folder.path, s.stream, s.handle)
	if err != nil {
		return err
	}
	if err := p.waitReady(ctx); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		go p.kill()
		return errClosed
	}
	s.host = p
	return nil
}

var errClosed = errors.New("host: the session is closed")

// Execute compiles and runs one cell; cell is its number in messages, `cell[3]`. It returns nil or a *[CellError], after
// everything that the cell printed and displayed has been given to out. The end of ctx interrupts the cell.
func (s *Session) Execute(ctx context.Context, code string, cell int, out Output) error {
	s.execute.Lock()
	defer s.execute.Unlock()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	bounded := newSpill(&serialOutput{Output: out}, s.options.OutputBytes, s.options.CacheDir, filepath.Base(s.folder.path), cell)
	defer bounded.finish()
	out = bounded
	s.inputs.add(cell, code)
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return errClosed
	}
	if last, ok := s.out.(*spill); ok {
		last.close()
	}
	s.out, s.stop, s.again = out, cancel, false
	s.mu.Unlock()
	defer func() {
		s.mu.Lock()
		s.stop = nil
		s.mu.Unlock()
	}()
	if expression, detail, ok := question(code); ok {
		return s.answer(expression, detail, out)
	}
	if err := s.magics(ctx, code, cell, out); err != nil {
		return err
	}
	if err := s.updateLocal(ctx, out); err != nil {
		return err
	}
	unit, err := s.model.Compile(code, cell)
	if err != nil {
		return compileError(err)
	}
	if unit.Empty() {
		s.model.Commit(unit)
		return nil
	}
	plugin, err := s.builder.Build(ctx, unit)
	if ctx.Err() != nil {
		return &CellError{Name: "interrupted", Value: "interrupted", Traceback: []string{"interrupted while the cell was being compiled; it did not run"}}
	}
	if err != nil {
		return compileError(err)
	}
	for _, note := range unit.Notes {
		out.Stream("stderr", note+"\n")
	}
	return s.run(ctx, unit, plugin)
}

// compileError makes a cell error of what the checker, the compiler or the linker said.
func compileError(err error) error {
	var found cell.Errors
	if errors.As(err, &found) {
		return &CellError{Name: "compile error", Value: found.Error(), Traceback: strings.Split(found.Text(), "\n")}
	}
	return &CellError{Name: "build error", Value: err.Error(), Traceback: strings.Split("build error: "+cell.Demangle(err.Error()), "\n")}
}

// run gives a plugin to the host and waits for its end, or the host's.
func (s *Session) run(ctx context.Context, unit *cell.Unit, plugin string) error {
	p, err := s.liveHost(ctx)
	if err != nil {
		return err
	}
	a := &active{unit: unit, done: make(chan message, 1)}
	s.mu.Lock()
	s.active = a
	s.mu.Unlock()
	defer func() {
		s.mu.Lock()
		s.active = nil
		s.mu.Unlock()
	}()
	err = p.send(message{Kind: msgRun, Seq: unit.Seq, Label: unit.Label, Plugin: plugin})
	stopped := context.AfterFunc(ctx, func() { _ = p.send(message{Kind: msgInterrupt}) })
	defer stopped()
	for whole := false; err == nil; whole = true {
		select {
		case m := <-a.done:
			if m.Status != statusLoad || whole || !strings.Contains(m.Error, "undefined symbol") {
				return s.outcome(m)
			}
			// The host lacks what the plugin left out, as when the host's file was exchanged under the session.
			plugin, linkErr := s.builder.Relink(ctx, unit)
			if linkErr != nil || plugin == "" {
				return s.outcome(m)
			}
			err = p.send(message{Kind: msgRun, Seq: unit.Seq, Label: unit.Label, Plugin: plugin})
			continue
		case <-p.exited:
		}
		break
	}
	<-p.exited
	select {
	case m := <-a.done: // it ended and then the host did, before anybody looked
		if m.Status != statusOK {
			return s.outcome(m)
		}
	default:
	}
	death := p.death()
	if err := s.replaceHost(context.WithoutCancel(ctx)); err != nil {
		death.Traceback = append(death.Traceback, "The fresh process did not start: "+err.Error())
	}
	return death
}

// liveHost returns the host; one that died between two cells is reported and replaced.
func (s *Session) liveHost(ctx context.Context) (*process, error) {
	s.mu.Lock()
	p, out := s.host, s.out
	s.mu.Unlock()
	if p != nil {
		select {
		case <-p.exited:
			out.Stream("stderr", "Between two cells, "+strings.Join(p.death().Traceback, "\n")+"\n")
		default:
			return p, nil
		}
	}
	err := s.replaceHost(ctx)
	if p != nil && err == nil {
		// The cell was compiled against variables that are gone.
		err = &CellError{Name: "host died", Value: "the cell's process died before this cell ran; run the notebook from the top",
			Traceback: []string{"The cell was not run: the notebook's variables and functions are gone. Run the cells that it needs again."}}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.host, err
}

// replaceHost starts a fresh host and forgets what the cells of the old one declared.
func (s *Session) replaceHost(ctx context.Context) error {
	s.model.Reset()
	s.forgetLoaded()
	return s.startHost(ctx)
}

// outcome turns the end of a run into Execute's result.
func (s *Session) outcome(m message) error {
	switch m.Status {
	case statusOK:
		return nil
	case statusLoad:
		text := m.Error
		if strings.Contains(text, "different version of package") {
			text += "\nThe gomosaic binary does not fit the sources in " + s.options.ModuleDir + ": build it again (make)."
		}
		return &CellError{Name: "load error", Value: text, Traceback: strings.Split("load error: "+text, "\n")}
	}
	e := &CellError{Name: m.Status, Value: cell.Demangle(m.Error)}
	head := e.Value
	switch m.Status {
	case statusPanic:
		head = "panic: " + e.Value
	case statusAbandoned:
		e.Name = statusInterrupted
		e.Value = "interrupted; the cell was left behind: it " + waitsIn(m.Error)
		head = e.Value
	}
	e.Traceback = strings.Split(head, "\n")
	for _, line := range rt.FramesText(m.Frames, s.model.SourceLine) {
		e.Traceback = append(e.Traceback, cell.Demangle(line))
	}
	if m.Status == statusAbandoned {
		e.Traceback = append(e.Traceback, "The next cell can run, with all variables. "+restartOffer)
	}
	return e
}

// stream is called by a host's collector.
func (s *Session) stream(p *process, name, text string) {
	if out := s.output(p); out != nil {
		out.Stream(name, text)
	}
}

// output is where a host's output goes; nil for what comes from one that was replaced on purpose.
func (s *Session) output(p *process) Output {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.host != p {
		return nil
	}
	return s.out
}

// handle is called by a host's collector for each event in its place among the output.
func (s *Session) handle(p *process, m message) {
	if m.Kind == msgPeeked {
		p.peeks.answer(m.ID, m.Text)
		return
	}
	out := s.output(p)
	if out == nil {
		return
	}
	switch m.Kind {
	case msgLoaded, msgDone:
		s.mu.Lock()
		a := s.active
		s.mu.Unlock()
		if a == nil || a.unit.Seq != m.Seq {
			return
		}
		if m.Kind == msgLoaded {
			s.model.Commit(a.unit)
		} else {
			a.done <- m
		}
	case msgDisplay:
		out.Display(demangleData(m.Data), m.Metadata, m.Transient, m.Update)
	case msgResult:
		out.Result(demangleData(m.Data), m.Metadata)
	case msgClear:
		out.ClearOutput(m.Wait)
	case msgInput:
		go func() { // takes its time, and the output must flow meanwhile
			text, err := out.Input(m.Text, m.Password)
			if err == io.EOF {
				text, err = endOfInput, nil
			}
			reply(p, m.ID, message{Text: text}, err)
		}()
	case msgSource:
		go reply(p, m.ID, message{Text: s.model.SourceLine(m.Text)}, nil) // waits for a cell that is being compiled
	case msgPlan:
		plan, err := s.model.Captured(m.Function)
		var variables []variable
		for _, v := range plan {
			variables = append(variables, variable{Name: v.Name, Cell: v.Cell, Key: v.Key})
		}
		reply(p, m.ID, message{Plan: variables}, err)
	case msgBuild:
		go func() {
			path, err := s.buildProgram(m)
			reply(p, m.ID, message{Text: path}, err)
		}()
	}
}

func reply(p *process, id int, m message, err error) {
	m.Kind, m.ID = msgReply, id
	if err != nil {
		m.Error = err.Error()
		if m.Error == "" {
			m.Error = fmt.Sprintf("%T", err)
		}
	}
	_ = p.send(m) // the host is gone: nobody waits
}

// demangleData gives text in a bundle the user's names.
func demangleData(data map[string]any) map[string]any {
	for mime, v := range data {
		if text, ok := v.(string); ok {
			data[mime] = cell.Demangle(text)
		}
	}
	return data
}

// Interrupt stops the running cell: its compilation, or its run. A second one leaves a cell behind that does not stop;
// one between cells tells on the last cell's Output what was left behind.
func (s *Session) Interrupt() {
	s.mu.Lock()
	stop, p := s.stop, s.host
	again := stop == nil || s.again
	s.again = true
	s.mu.Unlock()
	if stop != nil {
		stop()
	}
	if again && p != nil {
		_ = p.send(message{Kind: msgInterrupt}) // a host that is gone has nothing to stop
	}
}

// Restart ends the host and starts a fresh one; the notebook's variables are gone. A running cell ends with an error.
func (s *Session) Restart(ctx context.Context) error {
	s.mu.Lock()
	old := s.host
	s.mu.Unlock()
	if old != nil {
		old.kill() // ends the cell that holds the lock
	}
	s.execute.Lock()
	defer s.execute.Unlock()
	s.mu.Lock()
	fresh := s.host != old
	closed := s.closed
	s.mu.Unlock()
	switch {
	case closed:
		return errClosed
	case fresh: // the running cell's end has brought one already
		s.model.Reset()
		return nil
	}
	return s.replaceHost(ctx)
}

// Close ends the host and removes the session's files.
func (s *Session) Close() error {
	s.mu.Lock()
	p, was := s.host, s.closed
	s.closed, s.host = true, nil
	s.mu.Unlock()
	if was {
		return nil
	}
	if p != nil {
		p.kill()
	}
	s.cleaning.Wait()
	return s.folder.remove()
}

// withDefaults fills in what is left out.
func (o Options) withDefaults() (Options, error) {
	var err error
	if o.Binary == "" {
		if o.Binary, err = os.Executable(); err != nil {
			return o, fmt.Errorf("host: Options.Binary: %w", err)
		}
	}
	if o.ModuleDir == "" {
		if o.ModuleDir, err = os.Getwd(); err != nil {
			return o, fmt.Errorf("host: Options.ModuleDir: %w", err)
		}
	}
	if o.MainPackage == "" {
		o.MainPackage = "gomosaic/kernel/cmd/gomosaic"
	}
	if o.CacheDir == "" {
		if o.CacheDir, err = defaultCacheDir(); err != nil {
			return o, err
		}
	}
	if o.CacheBytes == 0 {
		o.CacheBytes = DefaultCacheBytes
	}
	if o.OutputBytes == 0 {
		o.OutputBytes = defaultOutputBytes
	}
	if o.StackBytes == 0 {
		o.StackBytes = defaultStackBytes
	}
	return o, nil
}

// slimFor is the executable whose symbols plugins leave out, "" for whole plugins.
func (o Options) slimFor(host string) string {
	if o.WholePlugins {
		return ""
	}
	return host
}
