package zmtp

import (
	"net"
	"time"
)

// Rep is a listening REP socket whose peers are answered independently of each other: a Jupyter heartbeat.
type Rep struct {
	*server
	answer func(request [][]byte) [][]byte
}

// ListenRep serves REQ, DEALER and ROUTER peers on ln, which the socket owns from here on. answer is called (concurrently for
// different peers) with the frames behind the empty delimiter and returns those of the reply.
func ListenRep(ln net.Listener, o Options, answer func(request [][]byte) [][]byte) *Rep {
	r := &Rep{answer: answer}
	r.server = serve(ln, "REP", []string{"REQ", "DEALER", "ROUTER"}, r, o)
	return r
}

// Close stops the socket; peers have up to linger to take what is queued for them.
func (r *Rep) Close(linger time.Duration) error { return r.close(linger) }

func (r *Rep) joined(*peer) {}

// received splits the envelope (identities up to an empty frame) off, answers, and puts the envelope back.
func (r *Rep) received(from *peer, t Traffic) {
	if t.Command != "" {
		return
	}
	for i, f := range t.Frames {
		if len(f) == 0 {
			envelope := t.Frames[: i+1 : i+1]
			frames := append(envelope, r.answer(t.Frames[i+1:])...)
			from.send(AppendMessage(make([]byte, 0, messageBytes(frames)), frames...))
			return
		}
	}
}

func (r *Rep) left(*peer) {}
