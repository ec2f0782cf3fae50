package sftp

// Who we are and where we go: the address, completed by ~/.ssh/config.

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"os/user"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/kevinburke/ssh_config"
	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"
)

// host is a server and how to log in to it. Keys are read anew for each connection.
type host struct {
	name       string // as the address has it, for known hosts the name in ~/.ssh/config
	address    string // host:port
	user       string
	password   string
	keyFiles   []string // those that must be there
	maybeFiles []string // OpenSSH's own names
	agent      string   // socket; "" for none
	knownHosts []string

	mu   sync.Mutex
	ways []string // to log in, tried with the last connection
}

// configure completes the address.
func configure(a address) (*host, error) {
	home, err := os.UserHomeDir()
	if err != nil {
		return nil, err
	}
	config, err := readConfig(filepath.Join(home, ".ssh", "config"), "/etc/ssh/ssh_config")
	if err != nil {
		return nil, err
	}
	h := &host{name: cmp.Or(config.get(a.host, "HostName"), a.host), password: a.password}
	h.name = strings.ReplaceAll(h.name, "%h", a.host)
	h.address = net.JoinHostPort(h.name, cmp.Or(a.port, config.get(a.host, "Port"), "22"))
	local := ""
	if u, err := user.Current(); err == nil {
		local = u.Username
	}
	h.user = cmp.Or(a.user, config.get(a.host, "User"), local)
	for _, option := range []string{"ProxyJump", "ProxyCommand"} {
		if v := config.get(a.host, option); v != "" && v != "none" {
			return nil, fmt.Errorf("~/.ssh/config wants %s %s for %s, which is not supported: forward a port with ssh -L, and use that", option, v, a.host)
		}
	}
	file := func(name string) string {
		if below, ok := strings.CutPrefix(name, "~/"); ok {
			name = filepath.Join(home, below)
		}
		return strings.NewReplacer("%d", home, "%h", h.name, "%r", h.user, "%u", local, "%%", "%").Replace(name)
	}
	if key := os.Getenv("COMPOSER_SFTP_KEY_FILE"); key != "" {
		h.keyFiles = []string{file(key)}
	}
	for _, key := range config.all(a.host, "IdentityFile") {
		h.maybeFiles = append(h.maybeFiles, file(key))
	}
	if len(h.maybeFiles) == 0 {
		for _, name := range []string{"id_ed25519", "id_ecdsa", "id_rsa"} {
			h.maybeFiles = append(h.maybeFiles, filepath.Join(home, ".ssh", name))
		}
	}
	if config.get(a.host, "IdentitiesOnly") != "yes" {
		h.agent = os.Getenv("SSH_AUTH_SOCK")
	}
	if known := os.Getenv("COMPOSER_SFTP_KNOWN_HOSTS_FILE"); known != "" {
		h.knownHosts = []string{file(known)}
	} else {
		user := cmp.Or(config.get(a.host, "UserKnownHostsFile"), "~/.ssh/known_hosts ~/.ssh/known_hosts2")
		for _, name := range append(strings.Fields(user), "/etc/ssh/ssh_known_hosts") {
			h.knownHosts = append(h.knownHosts, file(name))
		}
	}
	return h, nil
}

// configs are files of settings, the first of which counts.
type configs []*ssh_config.Config

func readConfig(files ...string) (configs, error) {
	var all configs
	for _, name := range files {
		file, err := os.Open(name)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		defer file.Close()
		c, err := ssh_config.Decode(file)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		all = append(all, c)
	}
	return all, nil
}

func (all configs) get(host, option string) string {
	for _, c := range all {
		if v, err := c.Get(host, option); err == nil && v != "" {
			return v
		}
	}
	return ""
}

func (all configs) all(host, option string) (values []string) {
	for _, c := range all {
		v, err := c.GetAll(host, option)
		if err == nil {
			values = append(values, v...)
		}
	}
	return values
}

// methods are the ways to log in, in the order in which they are tried, and what ends the use of the agent.
func (h *host) methods() (methods []ssh.AuthMethod, done func(), err error) {
	var ways []string
	note := func(format string, a ...any) { ways = append(ways, fmt.Sprintf(format, a...)) }
	defer func() {
		h.mu.Lock()
		h.ways = ways
		h.mu.Unlock()
	}()
	done = func() {}
	var signers []ssh.Signer
	for _, file := range h.keyFiles {
		signer, err := readKey(file)
		if err != nil {
			return nil, done, fmt.Errorf("the key that COMPOSER_SFTP_KEY_FILE names: %w", err)
		}
		signers = append(signers, signer)
		note("key %s", file)
	}
	if h.agent == "" {
		note("no agent")
	} else if conn, err := net.Dial("unix", h.agent); err != nil {
		note("the agent at SSH_AUTH_SOCK (cannot be reached)")
	} else {
		done = func() { conn.Close() }
		keys, err := agent.NewClient(conn).Signers()
		if err != nil {
			note("the agent at SSH_AUTH_SOCK (%v)", err)
		} else {
			note("the agent's keys (%d)", len(keys))
			signers = append(signers, keys...)
		}
	}
	for _, file := range h.maybeFiles {
		signer, err := readKey(file)
		switch {
		case err == nil && slices.ContainsFunc(signers, func(s ssh.Signer) bool {
			return string(s.PublicKey().Marshal()) == string(signer.PublicKey().Marshal())
		}):
		case err == nil:
			signers = append(signers, signer)
			note("key %s", file)
		case errors.Is(err, fs.ErrNotExist):
			note("key %s (not there)", file)
		default:
			note("key %v", err)
		}
	}
	if len(signers) > 0 {
		methods = append(methods, ssh.PublicKeys(signers...))
	}
	if h.password == "" {
		note("no password in the address")
		return methods, done, nil
	}
	note("the password of the address")
	return append(methods, ssh.Password(h.password), ssh.KeyboardInteractive(func(_, _ string, questions []string, _ []bool) ([]string, error) {
		answers := make([]string, len(questions))
		for i := range answers {
			answers[i] = h.password
		}
		return answers, nil
	})), done, nil
}

// readKey reads a private key. One that a passphrase protects is for the agent.
func readKey(file string) (ssh.Signer, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	signer, err := ssh.ParsePrivateKey(text)
	if _, ok := errors.AsType[*ssh.PassphraseMissingError](err); ok {
		return nil, fmt.Errorf("%s (has a passphrase: add it to ssh-agent with ssh-add)", file)
	}
	if err != nil {
		return nil, fmt.Errorf("%s (%w)", file, err)
	}
	return signer, nil
}

func (h *host) describe() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return fmt.Sprintf("user %s; tried %s", h.user, strings.Join(h.ways, ", "))
}
