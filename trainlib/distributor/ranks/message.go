package ranks

import (
	"encoding/gob"
	"sync"
	"syscall"
	"time"

	"gomosaic/mdslib/ship/sealed"
)

// Arrival is what a task says of itself when it comes.
type Arrival struct {
	Number int       // 0 … tasks-1
	Host   string    // its machine's name
	Node   string    // tells machines of one name apart
	Addr   string    // its machine's address, on the way to the launcher
	Port   int       // a port that is free there until the ranks start
	CPUs   int       // processors that it may use
	GPUs   []string  // those that are the task's own, as CUDA_VISIBLE_DEVICES names them; nil when nobody said
	Clock  time.Time // when it said so
}

// Work is what a task is to do: to run one or more ranks of one program.
type Work struct {
	First int        // number of its first rank
	Args  []string   // the program's
	Env   []string   // additions to each rank's environment, KEY=value
	Paths []string   // more of them, whose values are paths: left out where there is no such path
	Files Files      // what the ranks read, brought along
	Ranks [][]string // each rank's own additions
	Data  []string   // data sets whose index.json must be readable there: folders or URLs
}

// Files are put on a task's machine while its ranks run.
type Files struct {
	Env     string            // names the environment variable that tells the ranks their folder
	Content map[string][]byte // by path below the folder
}

// order is what the launcher says to a task: one of the fields.
type order struct {
	Refuse string         // it is not wanted, and why
	Work   *Work          // what it is to do; it answers that it is ready, or why it is not
	Go     bool           // begin
	Signal syscall.Signal // to the ranks' process groups
}

// report is what a task says to the launcher after its arrival.
type report struct {
	Ready  bool
	Fault  string // why it is not
	Rank   int    // which rank the rest is about
	Output []byte // what it printed
	Result []byte // a part of its result
	Ended  bool
	Exit   string // how; see [End]
}

// line carries messages over a sealed connection. Sending is safe for concurrent use.
type line struct {
	conn *sealed.Conn
	dec  *gob.Decoder

	mu  sync.Mutex
	enc *gob.Encoder
}

// sendTimeout is how long the other side may be deaf.
const sendTimeout = 10 * time.Second

func newLine(c *sealed.Conn) *line {
	return &line{conn: c, dec: gob.NewDecoder(c), enc: gob.NewEncoder(c)}
}

func (l *line) send(message any) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.conn.SetWriteDeadline(time.Now().Add(sendTimeout))
	return l.enc.Encode(message)
}
