package zmtp

import (
	"bytes"
	"net"
	"slices"
	"sync"
	"time"
)

// Pub is a listening XPUB socket: it sends each message to every peer with a matching subscription, and tells its owner
// about new subscriptions. All methods are safe for concurrent use; messages published one after the other reach every
// peer in that order.
type Pub struct {
	*server
	subscribed func(topic []byte, s Subscriber)

	topicsMu sync.RWMutex
	topics   map[*peer][][]byte // prefixes, one entry per SUBSCRIBE; a peer without an entry receives nothing
}

// Subscriber is one peer of a [Pub].
type Subscriber struct{ p *peer }

// Send queues a message for this subscriber alone, whatever its subscriptions.
func (s Subscriber) Send(frames ...[]byte) {
	s.p.send(AppendMessage(make([]byte, 0, messageBytes(frames)), frames...))
}

// ListenPub serves SUB and XSUB peers on ln, which the socket owns from here on. subscribed, when not nil, is called
// (concurrently for different peers) after each new subscription has taken effect.
func ListenPub(ln net.Listener, o Options, subscribed func(topic []byte, s Subscriber)) *Pub {
	p := &Pub{subscribed: subscribed, topics: map[*peer][][]byte{}}
	p.server = serve(ln, "XPUB", []string{"SUB", "XSUB"}, p, o)
	return p
}

// Publish queues a message for all peers with a subscription that the first frame starts with. It never blocks; the
// message is encoded once and shared by the queues.
func (p *Pub) Publish(frames ...[]byte) {
	if len(frames) == 0 {
		return
	}
	p.topicsMu.RLock()
	defer p.topicsMu.RUnlock()
	var encoded []byte
	for to, prefixes := range p.topics {
		if !slices.ContainsFunc(prefixes, func(t []byte) bool { return bytes.HasPrefix(frames[0], t) }) {
			continue
		}
		if encoded == nil {
			encoded = AppendMessage(make([]byte, 0, messageBytes(frames)), frames...)
		}
		to.send(encoded)
	}
}

// Close stops the socket; peers have up to linger to take what is queued for them.
func (p *Pub) Close(linger time.Duration) error { return p.close(linger) }

func (p *Pub) joined(*peer) {}

// received takes subscriptions: a one-frame message of ZMTP 3.0 (first byte 1 or 0, then the topic), or the SUBSCRIBE
// and CANCEL commands of 3.1.
func (p *Pub) received(from *peer, t Traffic) {
	if len(t.Frames) != 1 {
		return
	}
	topic := t.Frames[0]
	add := t.Command == "SUBSCRIBE"
	switch t.Command {
	case "SUBSCRIBE", "CANCEL":
	case "":
		if len(topic) == 0 || topic[0] > 1 {
			return
		}
		add, topic = topic[0] == 1, topic[1:]
	default:
		return
	}
	p.topicsMu.Lock()
	prefixes := p.topics[from]
	if add {
		p.topics[from] = append(prefixes, topic)
	} else if i := slices.IndexFunc(prefixes, func(t []byte) bool { return bytes.Equal(t, topic) }); i >= 0 {
		p.topics[from] = slices.Delete(slices.Clone(prefixes), i, i+1)
	}
	p.topicsMu.Unlock()
	if add && p.subscribed != nil {
		p.subscribed(topic, Subscriber{from})
	}
}

func (p *Pub) left(gone *peer) {
	p.topicsMu.Lock()
	defer p.topicsMu.Unlock()
	delete(p.topics, gone)
}
