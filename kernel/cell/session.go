package cell

import (
	"fmt"
	"go/token"
	"go/types"
	"strings"
	"sync"
	"sync/atomic"
)

// Config is what a [Session] needs to know of the world.
type Config struct {
	Importer types.Importer // export data of packages, for example [Archives.Importer]; with the session's FileSet
	Fset     *token.FileSet // the importer's
	Preloads []Preload
	Seq      int // packages are numbered from Seq+1: a host loads each number once
	// Suggest lists import paths of packages with the given name, best first, for hints; may be nil.
	Suggest func(name string) []string
}

// Session is the state of a notebook: what its cells declared and where that lives. It holds types and source, never
// values. Its methods are safe for concurrent use.
type Session struct {
	published atomic.Pointer[Session] // what Completers see: a copy made by publish

	mu       sync.Mutex
	config   Config
	fset     *token.FileSet
	importer types.Importer
	seq      int // last cell package made

	objects   map[string]types.Object // the user's names now in force
	places    map[types.Object]place
	imports   map[string]string // name → import path
	dots      []string          // dot-imported paths
	types     map[string]*typeSource
	prelude   map[string]types.Object
	fragments map[*token.File]*fragment
	units     map[int]*Unit            // committed cells that made a package
	uses      map[owner]map[use]string // what each function and method refers to, by the user's name
	bound     map[owner][]int          // function variable → cells that rebind it
}

// typeSource is the kept source of a type declared in a cell.
type typeSource struct {
	declaration piece
	methods     map[string]piece
}

// NewSession makes an empty session.
func NewSession(config Config) *Session {
	s := &Session{config: config, fset: config.Fset, importer: config.Importer, seq: config.Seq, fragments: map[*token.File]*fragment{}}
	s.clear()
	s.imports = map[string]string{}
	for _, p := range config.Preloads {
		s.imports[p.Name] = p.Path
	}
	s.publish()
	return s
}

// Seq is the number of the last package made.
func (s *Session) Seq() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.seq
}

func (s *Session) clear() {
	s.objects = map[string]types.Object{}
	s.places = map[types.Object]place{}
	s.types = map[string]*typeSource{}
	s.units = map[int]*Unit{}
	s.uses = map[owner]map[use]string{}
	s.bound = map[owner][]int{}
	s.prelude = nil
}

// Reset forgets all that cells declared, as after the host's death; imports stay in force.
func (s *Session) Reset() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.clear()
	s.fragments = map[*token.File]*fragment{}
	for _, p := range s.config.Preloads { // a name that a variable had taken means the package again
		if s.imports[p.Name] == "" {
			s.imports[p.Name] = p.Path
		}
	}
	s.publish()
}

// Forget takes names out of the session, as if no cell had declared them: what they hid is seen again, and functions that
// refer to them go on with them. It takes all of the names or, with an error, none.
func (s *Session) Forget(names ...string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, name := range names {
		if s.objects[name] == nil {
			return fmt.Errorf("no cell declared %s", name)
		}
	}
	for _, name := range names {
		delete(s.objects, name)
		for _, p := range s.config.Preloads {
			if p.Name == name {
				s.imports[name] = p.Path
			}
		}
	}
	s.publish()
	return nil
}

// Unit is a cell as a Go package. It is part of its session only after Commit.
type Unit struct {
	Seq     int    // number of the package: nb/c<Seq>
	Label   int    // number of the cell in messages
	Source  string // Go source of the package; empty if the cell asks for nothing but imports
	Loader  string // a second file, of the plugin only: it makes the package known to the host as it is loaded
	Imports []string
	Cells   []int    // packages of earlier cells that it imports
	Notes   []string // what the user should know before the cell runs

	code   string // the cell
	commit func()
}

// Path is the unit's import path.
func (u *Unit) Path() string { return cellPath(u.Seq) }

// Empty tells that there is nothing to build and to run.
func (u *Unit) Empty() bool { return u.Source == "" }

// Compile checks and rewrites one cell. label is its number in messages. The error is of type [Errors] where it is the
// user's; the session changes only by [Session.Commit].
func (s *Session) Compile(code string, label int) (*Unit, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.seq++
	c := newCompilation(s, normalize(code), label)
	if list := c.run(); len(list) > 0 {
		c.drop()
		s.publish() // its imports are kept
		return nil, c.finish(list)
	}
	return c.unit, nil
}

// Commit makes a compiled cell part of the session, once its package has been loaded.
func (s *Session) Commit(u *Unit) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if u.commit != nil {
		u.commit()
		u.commit = nil
		s.publish()
	}
}

// SourceLine is the line of a cell that a place in a message stands for, "cell[3]:7"; empty if it is not known.
func (s *Session) SourceLine(place string) string {
	var label, line int
	if _, err := fmt.Sscanf(place, "cell[%d]:%d", &label, &line); err != nil {
		return ""
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	var found *Unit
	for _, u := range s.units { // what is evaluated beside a cell (user_expressions) has its label and comes after it
		if u.Label == label && (found == nil || u.Seq < found.Seq) {
			found = u
		}
	}
	if found == nil {
		return ""
	}
	lines := strings.Split(found.code, "\n")
	if line < 1 || line > len(lines) {
		return ""
	}
	return lines[line-1]
}

// normalize takes off a byte order mark and makes line ends \n.
func normalize(code string) string {
	return strings.ReplaceAll(strings.TrimPrefix(code, "\ufeff"), "\r\n", "\n")
}
