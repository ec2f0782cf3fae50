package sftp

// The server is who it was: known hosts.

import (
	"crypto/ed25519"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"strings"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/knownhosts"
)

// hostKeys returns the check of a server's key against the files of known hosts, and the kinds of keys that they have for
// it: a server has several, and another kind than the known one would look like an impostor's.
func (h *host) hostKeys() (ssh.HostKeyCallback, []string, error) {
	var files []string
	for _, name := range h.knownHosts {
		if _, err := os.Stat(name); err == nil {
			files = append(files, name)
		} else if !errors.Is(err, fs.ErrNotExist) {
			return nil, nil, err
		}
	}
	known, err := knownhosts.New(files...)
	if err != nil {
		return nil, nil, err
	}
	check := func(name string, address net.Addr, key ssh.PublicKey) error {
		err := known(name, address, key)
		problem, ok := errors.AsType[*knownhosts.KeyError](err)
		switch {
		case !ok:
			return err
		case len(problem.Want) == 0:
			port := ""
			if _, p, _ := net.SplitHostPort(h.address); p != "22" {
				port = "-p " + p + " "
			}
			return fmt.Errorf("%w: its key %s %s is in none of %s; if that is the right one, add it: ssh-keyscan %s%s >> %s",
				errUnknownHost, key.Type(), ssh.FingerprintSHA256(key), strings.Join(h.knownHosts, ", "), port, h.name, h.knownHosts[0])
		}
		return fmt.Errorf("%w: its key %s is another one than %s:%d has; somebody may listen in. If the server has a new key, remove the old one with ssh-keygen -R",
			errUnknownHost, ssh.FingerprintSHA256(key), problem.Want[0].Filename, problem.Want[0].Line)
	}
	// The way to ask what is known: show a key that nobody has.
	nobody, err := ssh.NewPublicKey(ed25519.PublicKey(make([]byte, ed25519.PublicKeySize)))
	if err != nil {
		return nil, nil, err
	}
	var kinds []string
	if problem, ok := errors.AsType[*knownhosts.KeyError](known(h.address, &net.TCPAddr{}, nobody)); ok {
		for _, k := range problem.Want {
			if k.Key.Type() == ssh.KeyAlgoRSA {
				kinds = append(kinds, ssh.KeyAlgoRSASHA512, ssh.KeyAlgoRSASHA256)
			}
			kinds = append(kinds, k.Key.Type())
		}
	}
	return check, kinds, nil
}

// errUnknownHost is wrapped by the error of a server whose key is not known.
var errUnknownHost = errors.New("the server is not known")
