package remote

// A connection that hears a server out: what it has answered before it hung up counts more than that it did.

import (
	"context"
	"net"
	"net/http"
	"sync"
	"time"
)

// Tune makes a transport fit for moving files: bytes come as they are sent, parts of a file go side by side by HTTP/1.1, and an
// answer that comes before the end of a request's content is heard.
func Tune(t *http.Transport) {
	t.DisableCompression = true
	t.MaxIdleConnsPerHost = 16
	// HTTP/2 would send all parts of a file through one connection, which is slower.
	t.ForceAttemptHTTP2, t.Protocols = false, new(http.Protocols)
	t.Protocols.SetHTTP1(true)
	dial := t.DialContext
	t.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := dial(ctx, network, address)
		if err != nil {
			return nil, err
		}
		return &hearing{Conn: conn, heard: make(chan struct{})}, nil
	}
}

// hearing is a connection whose failures to send are told after what has arrived on it. A server that refuses a file by the
// request's head, by 403 say, may answer and close the connection while the file is still on its way; net/http drops the
// answer where the broken connection is noticed first, and a refusal would be taken for a fault of the network and tried again.
type hearing struct {
	net.Conn
	heard chan struct{} // closed when nothing more arrives
	once  sync.Once
}

// hearTime is how long a failure to send is kept back at most. Where a connection breaks, nothing more arrives either.
const hearTime = time.Second

func (c *hearing) end() { c.once.Do(func() { close(c.heard) }) }

func (c *hearing) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if err != nil {
		c.end()
	}
	return n, err
}

func (c *hearing) Write(p []byte) (int, error) {
	n, err := c.Conn.Write(p)
	if err != nil {
		select {
		case <-c.heard:
		case <-time.After(hearTime):
		}
	}
	return n, err
}

func (c *hearing) Close() error {
	c.end()
	return c.Conn.Close()
}
