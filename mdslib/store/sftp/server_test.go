package sftp

// Servers for the tests: OpenSSH's, and that of the client's own library.

import (
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/pkg/sftp"
	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/knownhosts"

	"gomosaic/mdslib/store/storetest/servers"
)

// server is one on loopback with a folder that it may write to.
type server struct {
	address, user, dir string
	key                string // file of a private key that it lets in
	known              string // file of known hosts
}

func (s server) root() string { return "sftp://" + s.user + "@" + s.address + s.dir }

// settle makes an environment in which only the server and its key are known.
func (s server) settle(t *testing.T) {
	t.Setenv("HOME", t.TempDir())
	t.Setenv("SSH_AUTH_SOCK", "")
	t.Setenv("COMPOSER_SFTP_KEY_FILE", s.key)
	t.Setenv("COMPOSER_SFTP_KNOWN_HOSTS_FILE", s.known)
}

// newKey writes a key to a file, and its public half for authorized_keys beside it.
func newKey(t *testing.T, file string) ssh.Signer {
	signer, err := servers.NewSSHKey(file)
	if err != nil {
		t.Fatal(err)
	}
	return signer
}

func write(t *testing.T, file, text string) {
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func listen(t *testing.T, serve func(net.Conn)) string {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var group sync.WaitGroup
	var mu sync.Mutex
	var open []net.Conn
	t.Cleanup(func() {
		listener.Close()
		mu.Lock()
		for _, conn := range open {
			conn.Close()
		}
		mu.Unlock()
		group.Wait()
	})
	group.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			mu.Lock()
			open = append(open, conn)
			mu.Unlock()
			group.Go(func() {
				defer conn.Close()
				serve(conn)
			})
		}
	})
	return listener.Addr().String()
}

// openSSH runs OpenSSH's server.
func openSSH(t *testing.T) server {
	s, err := servers.SSH(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		s.Close()
		t.Log(s.Log())
	})
	return server{s.Address, s.User, s.Dir, s.Key, s.KnownHosts}
}

// library runs the server of package sftp. It lets in those who have the key, and the password "open%sesame/".
func library(t *testing.T) server {
	work := t.TempDir()
	s := server{user: "ali", dir: filepath.Join(work, "data"), key: filepath.Join(work, "key"), known: filepath.Join(work, "known_hosts")}
	key, hostKey := newKey(t, s.key), newKey(t, filepath.Join(work, "host"))
	config := &ssh.ServerConfig{
		PublicKeyCallback: func(who ssh.ConnMetadata, given ssh.PublicKey) (*ssh.Permissions, error) {
			if who.User() == s.user && string(given.Marshal()) == string(key.PublicKey().Marshal()) {
				return nil, nil
			}
			return nil, fmt.Errorf("not this key")
		},
		PasswordCallback: func(who ssh.ConnMetadata, given []byte) (*ssh.Permissions, error) {
			if who.User() == s.user && string(given) == password {
				return nil, nil
			}
			return nil, fmt.Errorf("not this password")
		},
	}
	config.AddHostKey(hostKey)
	s.address = listen(t, func(conn net.Conn) {
		_, channels, requests, err := ssh.NewServerConn(conn, config)
		if err != nil {
			return
		}
		go ssh.DiscardRequests(requests)
		for c := range channels {
			channel, requests, err := c.Accept()
			if err != nil {
				return
			}
			go func() {
				for r := range requests {
					r.Reply(r.Type == "subsystem", nil)
				}
			}()
			server, err := sftp.NewServer(channel, sftp.WithServerWorkingDirectory(work))
			if err == nil {
				server.Serve()
			}
			channel.Close()
		}
	})
	write(t, s.known, knownhosts.Line([]string{s.address}, hostKey.PublicKey())+"\n")
	return s
}

// proxy passes bytes on to a server, and stops or cuts a connection after so many of them.
type proxy struct {
	address string

	mu          sync.Mutex
	faults      []fault
	connections int
	released    chan struct{} // closed when connections that stand still end
}

type fault struct {
	up    bool  // counts the bytes to the server, not those from it
	after int64 // so many pass
	cut   bool  // then the connection is reset; otherwise nothing moves any more
}

func (p *proxy) inject(faults ...fault) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.faults, p.connections = faults, 0
	close(p.released)
	p.released = make(chan struct{})
}

func (p *proxy) count() (connections, faults int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.connections, len(p.faults)
}

func newProxy(t *testing.T, to string) *proxy {
	p := &proxy{released: make(chan struct{})}
	p.address = listen(t, func(conn net.Conn) {
		p.mu.Lock()
		p.connections++
		released := p.released
		var f *fault
		if len(p.faults) > 0 {
			f, p.faults = &p.faults[0], p.faults[1:]
		}
		p.mu.Unlock()
		behind, err := net.Dial("tcp", to)
		if err != nil {
			return
		}
		defer behind.Close()
		pass := func(to, from net.Conn, up bool) {
			if f == nil || f.up != up {
				io.Copy(to, from)
				return
			}
			io.CopyN(to, from, f.after)
			if f.cut {
				conn.(*net.TCPConn).SetLinger(0)
				return
			}
			<-released
		}
		ended := make(chan bool, 2)
		go func() { pass(behind, conn, true); ended <- true }()
		go func() { pass(conn, behind, false); ended <- true }()
		<-ended
	})
	t.Cleanup(func() { p.inject() })
	return p
}
