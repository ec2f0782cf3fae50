package host

import (
	"context"
	"errors"
	"go/token"
	"path/filepath"
	"sync"

	"gomosaic/kernel/cell"
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
	ctx  context.Context // done when it is to stop
	told chan struct{}   // closed when the host has been told so
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

var errClosed = errors.New("host: the session is closed")

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
