package sftp

// One connection to a server, shared by all transfers of a store, made anew when it breaks and closed when it is idle.

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"strings"
	"sync"
	"time"

	"github.com/pkg/sftp"
	"golang.org/x/crypto/ssh"
)

const (
	idleTime  = time.Minute            // without a transfer, before a connection is closed
	graceTime = 300 * time.Millisecond // for a request to end by itself when its context is done, before the connection is closed
)

// connector keeps the connection. It is safe for concurrent use.
type connector struct {
	*host
	dialing chan struct{} // holds a token while somebody dials

	mu      sync.Mutex
	current *connection
}

// connection is one to the server. It is safe for concurrent use.
type connection struct {
	*sftp.Client
	users  int // transfers under way; guarded by connector.mu
	idle   *time.Timer
	socket net.Conn
	broken bool // guarded by connector.mu
}

func newConnector(h *host) *connector { return &connector{host: h, dialing: make(chan struct{}, 1)} }

// acquire returns the connection; release must be called after its use.
func (c *connector) acquire(ctx context.Context) (*connection, error) {
	if have := c.join(); have != nil {
		return have, nil
	}
	select {
	case c.dialing <- struct{}{}:
		defer func() { <-c.dialing }()
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	if have := c.join(); have != nil {
		return have, nil
	}
	made, err := c.dial(ctx)
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	c.current = made
	c.mu.Unlock()
	return c.join(), nil
}

// join adds a user to the connection, if there is one.
func (c *connector) join() *connection {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.current == nil {
		return nil
	}
	c.current.users++
	c.current.idle.Stop()
	return c.current
}

// release ends a use of the connection, which had the given outcome.
func (c *connector) release(used *connection, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	used.users--
	if errors.Is(err, errBroken) && !used.broken {
		used.broken = true
		used.socket.Close()
	}
	if used.broken && c.current == used {
		c.current = nil
	}
	if used.users == 0 && c.current == used {
		used.idle.Reset(idleTime)
	}
}

// closeIdle closes a connection that nobody uses.
func (c *connector) closeIdle(idle *connection) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if idle.users > 0 {
		return
	}
	if c.current == idle {
		c.current = nil
	}
	idle.socket.Close()
}

// errBroken is wrapped by the errors of a connection that is of no use any more. Another attempt makes a new one.
var errBroken = fmt.Errorf("the connection broke: %w", io.ErrUnexpectedEOF)

// broken tells the errors of a connection, which its library does not, from a server's answers and from errors of files.
func broken(err error) bool {
	if _, answered := errors.AsType[*sftp.StatusError](err); err == nil || answered {
		return false
	}
	if _, local := errors.AsType[*fs.PathError](err); local {
		return false
	}
	return err != io.EOF && !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, fs.ErrPermission) && !errors.Is(err, fs.ErrExist) && !errors.Is(err, io.ErrShortWrite)
}

func (c *connector) dial(ctx context.Context) (*connection, error) {
	methods, done, err := c.methods()
	defer func() { done() }()
	if err != nil {
		return nil, err
	}
	check, kinds, err := c.hostKeys()
	if err != nil {
		return nil, fmt.Errorf("known hosts: %w", err)
	}
	var dialer net.Dialer
	socket, err := dialer.DialContext(ctx, "tcp", c.address)
	if err != nil {
		return nil, err
	}
	stop := context.AfterFunc(ctx, func() { socket.Close() })
	made, err := c.shake(socket, &ssh.ClientConfig{User: c.user, Auth: methods, HostKeyCallback: check, HostKeyAlgorithms: kinds})
	if !stop() && err == nil {
		err = context.Cause(ctx)
	}
	if err == nil {
		return made, nil
	}
	socket.Close()
	switch {
	case ctx.Err() != nil:
		return nil, context.Cause(ctx)
	case strings.Contains(err.Error(), "unable to authenticate"):
		return nil, fmt.Errorf("the server does not let us in: %w (%w)", err, fs.ErrPermission)
	}
	return nil, err
}

// shake makes a connection of a socket.
func (c *connector) shake(socket net.Conn, config *ssh.ClientConfig) (*connection, error) {
	inner, channels, requests, err := ssh.NewClientConn(socket, c.address, config)
	if err != nil {
		return nil, err
	}
	client, err := sftp.NewClient(ssh.NewClient(inner, channels, requests), sftp.UseConcurrentWrites(true))
	if err != nil {
		return nil, fmt.Errorf("the server has no SFTP: %w", err)
	}
	made := &connection{Client: client, socket: socket}
	made.idle = time.AfterFunc(idleTime, func() { c.closeIdle(made) })
	return made, nil
}

// use makes a request on the connection. It returns when the context is done; a request that does not end then within a
// short time stands still, and the connection is closed under it.
func (c *connector) use(ctx context.Context, request func(*connection) error) (err error) {
	connected, err := c.acquire(ctx)
	if err != nil {
		return err
	}
	defer func() { c.release(connected, err) }()
	return connected.do(ctx, func() error { return request(connected) })
}

func (c *connection) do(ctx context.Context, request func() error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	ended := make(chan error, 1)
	go func() { ended <- request() }()
	select {
	case err := <-ended:
		if broken(err) {
			return fmt.Errorf("%w (%w)", err, errBroken)
		}
		return err
	case <-ctx.Done():
	}
	select {
	case <-ended:
		return context.Cause(ctx)
	case <-time.After(graceTime):
		c.socket.Close()
		<-ended
		return fmt.Errorf("%w (%w)", context.Cause(ctx), errBroken)
	}
}
