package servers

// OpenSSH's server, one process for each connection.

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/pem"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/knownhosts"
)

// SSHServer is an OpenSSH server at work that has SFTP.
type SSHServer struct {
	Address, User string
	Dir           string // a folder that the user may write to
	Key           string // file of a private key that it lets in
	KnownHosts    string // file that has the server's own key

	listener net.Listener
	cancel   context.CancelFunc
	group    sync.WaitGroup
	log      lockedBuffer
}

// SSH starts an OpenSSH server as the user of this process, or as nobody for root, whose files lie in a new folder of root.
func SSH(ctx context.Context, root string) (*SSHServer, error) {
	program, err := programs(ctx, "sshd.sh")
	if err != nil {
		return nil, err
	}
	s := &SSHServer{Dir: filepath.Join(root, "data"), Key: filepath.Join(root, "key"), KnownHosts: filepath.Join(root, "known_hosts")}
	config, host := filepath.Join(root, "config"), filepath.Join(root, "host")
	_, err1 := NewSSHKey(s.Key)
	hostKey, err2 := NewSSHKey(host)
	err3 := os.WriteFile(config, fmt.Appendf(nil, "HostKey %s\nAuthorizedKeysFile %s.pub\nStrictModes no\nUsePAM yes\nPasswordAuthentication no\nLogLevel ERROR\nSubsystem sftp internal-sftp\n", host, s.Key), 0o600)
	err4 := os.Mkdir(s.Dir, 0o777)
	me, err5 := user.Current()
	if err := errors.Join(err1, err2, err3, err4, err5); err != nil {
		return nil, fmt.Errorf("servers: %w", err)
	}
	s.User = me.Username
	var attributes *syscall.SysProcAttr
	if os.Getuid() == 0 { // OpenSSH wants an account of its own to run as root
		const nobody = 65534
		s.User, attributes = "nobody", &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
		err := errors.Join(os.Chmod(filepath.Dir(root), 0o711), os.Chmod(root, 0o711)) // of tests, which Go keeps to root
		for _, name := range []string{host, s.Key + ".pub", config, s.Dir} {
			err = errors.Join(err, os.Chown(name, nobody, nobody))
		}
		if err != nil {
			return nil, fmt.Errorf("servers: %w", err)
		}
	}
	if s.listener, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
		return nil, fmt.Errorf("servers: %w", err)
	}
	s.Address = s.listener.Addr().String()
	ctx, s.cancel = context.WithCancel(ctx)
	s.group.Go(func() {
		for {
			conn, err := s.listener.Accept()
			if err != nil {
				return
			}
			s.group.Go(func() {
				defer conn.Close()
				file, err := conn.(*net.TCPConn).File()
				if err != nil {
					return
				}
				cmd := exec.CommandContext(ctx, program, "-i", "-e", "-f", config)
				cmd.Stdin, cmd.Stdout, cmd.Stderr, cmd.SysProcAttr = file, file, &s.log, attributes
				cmd.WaitDelay = 100 * time.Millisecond // its children end when they notice
				err = cmd.Start()
				file.Close()
				conn.Close()
				if err == nil {
					err = cmd.Wait()
				}
				if err != nil {
					fmt.Fprintln(&s.log, err)
				}
			})
		}
	})
	known := knownhosts.Line([]string{s.Address}, hostKey.PublicKey()) + "\n"
	if err := os.WriteFile(s.KnownHosts, []byte(known), 0o600); err != nil {
		s.Close()
		return nil, fmt.Errorf("servers: %w", err)
	}
	return s, nil
}

// Log is what the server has complained of.
func (s *SSHServer) Log() string { return s.log.String() }

// Close ends the server and all connections to it.
func (s *SSHServer) Close() {
	s.listener.Close()
	s.cancel()
	s.group.Wait()
}

// NewSSHKey writes a new private key to a file, and its public half beside it.
func NewSSHKey(file string) (ssh.Signer, error) {
	_, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return nil, err
	}
	block, err := ssh.MarshalPrivateKey(private, "")
	if err != nil {
		return nil, err
	}
	signer, err := ssh.NewSignerFromKey(private)
	if err != nil {
		return nil, err
	}
	return signer, errors.Join(os.WriteFile(file, pem.EncodeToMemory(block), 0o600), os.WriteFile(file+".pub", ssh.MarshalAuthorizedKey(signer.PublicKey()), 0o600))
}

// lockedBuffer takes text from several processes.
type lockedBuffer struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}
