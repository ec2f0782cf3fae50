package sftp

import (
	"bytes"
	"context"
	"crypto"
	"encoding/pem"
	"errors"
	"io/fs"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"

	"gomosaic/mdslib/store"
	"gomosaic/mdslib/store/remote"
	"gomosaic/mdslib/store/storetest"
)

const password = "open%sesame/"

func TestContract(t *testing.T) {
	for name, start := range map[string]func(*testing.T) server{"OpenSSH": openSSH, "library": library} {
		t.Run(name, func(t *testing.T) {
			s := start(t)
			s.settle(t)
			opened, err := store.Open(t.Context(), s.root()+"/some folder?/100%")
			if err != nil {
				t.Fatal(err)
			}
			if err := storetest.Test(t.Context(), opened, t.TempDir()); err != nil {
				t.Error(err)
			}
			size := int64(40<<20 + 12345) // parts, as of a large file
			if os.Getenv("GOMOSAIC_LONG") != "" && name == "OpenSSH" {
				size = 5<<30 + 12345
			}
			if err := storetest.Large(t.Context(), opened, size, t.TempDir()); err != nil {
				t.Error(err)
			}
			if left, err := filepath.Glob(s.dir + "/*/*/.*"); len(left) > 0 || err != nil {
				t.Errorf("left behind: %v, %v", left, err)
			}
		})
	}
}

// TestFaults: connections break and stand still before and while files move.
func TestFaults(t *testing.T) {
	s := openSSH(t)
	behind := newProxy(t, s.address)
	write(t, s.known, strings.ReplaceAll(read(t, s.known), known(s.address), known(behind.address)))
	s.address = behind.address
	s.settle(t)
	dir := t.TempDir()
	data := bytes.Repeat([]byte("0123456789abcde"), 1<<20)
	source := filepath.Join(dir, "source")
	write(t, source, string(data))
	policy := storetest.Quick
	fresh := func() store.Store { // with no connection yet
		opened, err := open(s.root(), policy)
		if err != nil {
			t.Fatal(err)
		}
		return opened
	}
	began := time.Now()
	if err := fresh().Put(t.Context(), source, "old"); err != nil {
		t.Fatal(err)
	}
	stall := max(storetest.Brief, 2*time.Since(began))
	got := filepath.Join(dir, "got")
	get := func(ctx context.Context, s store.Store) error { return s.Get(ctx, "old", got) }
	put := func(ctx context.Context, s store.Store) error { return s.Put(ctx, source, "new") }
	for name, c := range map[string]struct {
		fault fault
		do    func(context.Context, store.Store) error
	}{
		"get, refused":           {fault{after: 0, cut: true}, get},
		"get, cut in greeting":   {fault{after: 100, cut: true}, get},
		"get, no greeting":       {fault{after: 100}, get},
		"get, cut midway":        {fault{after: 4 << 20, cut: true}, get},
		"get, standstill midway": {fault{after: 4 << 20}, get},
		"put, cut midway":        {fault{up: true, after: 4 << 20, cut: true}, put},
		"put, standstill midway": {fault{up: true, after: 4 << 20}, put},
	} {
		t.Run(name, func(t *testing.T) {
			if policy.Stall = stall; c.fault.cut {
				policy.Stall = storetest.Quick.Stall
			}
			behind.inject(c.fault, c.fault) // twice
			if err := c.do(t.Context(), fresh()); err != nil {
				t.Fatal(err)
			}
			if _, left := behind.count(); left > 0 {
				t.Errorf("%d faults were not met", left)
			}
			file := got
			if strings.HasPrefix(name, "put") {
				file = filepath.Join(s.dir, "new")
			}
			if now := read(t, file); now != string(data) {
				t.Errorf("%s has %d bytes, not the %d of the file", file, len(now), len(data))
			}
			os.Remove(file)
			nothingLeft(t, s.dir, dir)

			faults := make([]fault, storetest.Quick.Attempts)
			for i := range faults {
				faults[i] = c.fault
			}
			ctx, cancel := context.WithCancel(t.Context())
			if !c.fault.cut {
				time.AfterFunc(100*time.Millisecond, cancel)
			}
			behind.inject(faults...)
			start := time.Now()
			err := c.do(ctx, fresh())
			if c.fault.cut && err == nil || !c.fault.cut && !errors.Is(err, context.Canceled) || time.Since(start) > time.Minute {
				t.Errorf("for good, or cancelled: err = %v after %v", err, time.Since(start))
			}
			cancel()
			behind.inject()
			if files, _ := filepath.Glob(s.dir + "/new"); len(files) > 0 {
				t.Error("a failed Put left an object")
			}
			if !strings.HasPrefix(name, "put") {
				nothingLeft(t, s.dir, dir)
			}
			os.RemoveAll(filepath.Join(s.dir, "new"))
			for _, hidden := range hiddenFiles(s.dir) {
				os.Remove(hidden)
			}
		})
	}
}

// TestRefused: what the server does not let us do is not tried again, which would be in an hour.
func TestRefused(t *testing.T) {
	s := openSSH(t)
	s.settle(t)
	if err := errors.Join(os.Mkdir(filepath.Join(s.dir, "closed"), 0o555), os.Mkdir(filepath.Join(s.dir, "taken"), 0o755), os.WriteFile(filepath.Join(s.dir, "taken", "x"), nil, 0o644)); err != nil {
		t.Fatal(err)
	}
	opened, err := open(s.root(), remote.Policy{FirstPause: time.Hour, MaxPause: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	source := filepath.Join(t.TempDir(), "source")
	write(t, source, strings.Repeat("0123456789abcde", 1<<20))
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if err := opened.Put(ctx, source, "closed/new"); !errors.Is(err, fs.ErrPermission) || !strings.Contains(err.Error(), "user "+s.user) {
		t.Errorf("Put into a folder that is not ours: %v", err)
	}
	if err := opened.Put(ctx, source, "taken"); err == nil || ctx.Err() != nil {
		t.Errorf("Put in the place of a folder: %v", err)
	}
	nothingLeft(t, s.dir, filepath.Join(s.dir, "closed"))
}

func read(t *testing.T, file string) string {
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// known is an address as known_hosts has it.
func known(address string) string {
	host, port, _ := net.SplitHostPort(address)
	return "[" + host + "]:" + port
}

func hiddenFiles(dir string) []string {
	hidden, _ := filepath.Glob(dir + "/.*")
	return hidden
}

// nothingLeft looks for files that are still being written. What was cut off needs a moment to be removed.
func nothingLeft(t *testing.T, dirs ...string) {
	t.Helper()
	for _, dir := range dirs {
		if hidden := hiddenFiles(dir); len(hidden) > 0 {
			t.Errorf("left behind: %v", hidden)
		}
	}
}

// TestLogin: the ways to log in, and what is said when none leads in.
func TestLogin(t *testing.T) {
	s := library(t)
	work := t.TempDir()
	newKey(t, filepath.Join(work, "stranger"))
	ring := agent.NewKeyring()
	signerKey, err := ssh.ParseRawPrivateKey([]byte(read(t, s.key)))
	if err == nil {
		var block *pem.Block
		if block, err = ssh.MarshalPrivateKeyWithPassphrase(signerKey.(crypto.PrivateKey), "", []byte("phrase")); err == nil {
			write(t, filepath.Join(work, "locked"), string(pem.EncodeToMemory(block)))
		}
	}
	if err == nil {
		err = ring.Add(agent.AddedKey{PrivateKey: signerKey})
	}
	if err != nil {
		t.Fatal(err)
	}
	socket := filepath.Join(work, "agent")
	listener, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go agent.ServeAgent(ring, conn)
		}
	}()
	host, port, _ := net.SplitHostPort(s.address)
	config := "Host flowers\n  HostName " + host + "\n  Port " + port + "\n  User ali\n  IdentityFile " + s.key + "\n  UserKnownHostsFile " + s.known + "\nHost far\n ProxyJump gate\n"
	for name, c := range map[string]struct {
		root string
		env  map[string]string
		want []string // words of the error; none: it works
	}{
		"key":                   {s.root(), nil, nil},
		"agent":                 {s.root(), map[string]string{"COMPOSER_SFTP_KEY_FILE": "", "SSH_AUTH_SOCK": socket}, nil},
		"password":              {"sftp://ali:" + url.PathEscape(password) + "@" + s.address + s.dir, map[string]string{"COMPOSER_SFTP_KEY_FILE": ""}, nil},
		"configured":            {"sftp://flowers" + s.dir, map[string]string{"COMPOSER_SFTP_KEY_FILE": "", "COMPOSER_SFTP_KNOWN_HOSTS_FILE": ""}, nil},
		"below the home folder": {"sftp://ali@" + s.address + "/~/data", nil, nil},
		"stranger's key": {s.root(), map[string]string{"COMPOSER_SFTP_KEY_FILE": work + "/stranger"},
			[]string{"user ali", "key " + work + "/stranger", "no agent", "id_ed25519 (not there)", "no password in the address"}},
		"agent gone":     {s.root(), map[string]string{"COMPOSER_SFTP_KEY_FILE": "", "SSH_AUTH_SOCK": socket + "2"}, []string{"the agent at SSH_AUTH_SOCK (cannot be reached)"}},
		"wrong password": {"sftp://ali:" + "wrong-word" + "@" + s.address + s.dir, map[string]string{"COMPOSER_SFTP_KEY_FILE": ""}, []string{"the password of the address", "sftp://ali:…@"}},
		"locked key":     {s.root(), map[string]string{"COMPOSER_SFTP_KEY_FILE": work + "/locked"}, []string{"has a passphrase", "ssh-add"}},
		"no such key":    {s.root(), map[string]string{"COMPOSER_SFTP_KEY_FILE": work + "/none"}, []string{"COMPOSER_SFTP_KEY_FILE", "no such file"}},
		"jump":           {"sftp://far/x", nil, []string{"ProxyJump gate", "ssh -L"}},
		"no host":        {"sftp:///x", nil, []string{"it has no host"}},
		"slash in password": {"sftp://ali:" + password + "@" + s.address + s.dir, nil,
			[]string{"written with %", "sftp://ali:…@"}},
	} {
		t.Run(name, func(t *testing.T) {
			s.settle(t)
			for k, v := range c.env {
				t.Setenv(k, v)
			}
			home := os.Getenv("HOME")
			if err := os.Mkdir(filepath.Join(home, ".ssh"), 0o700); err != nil {
				t.Fatal(err)
			}
			write(t, filepath.Join(home, ".ssh", "config"), config)
			opened, err := open(c.root, storetest.Quick)
			if err == nil {
				file := filepath.Join(t.TempDir(), "x")
				write(t, file, "x")
				if err = opened.Put(t.Context(), file, "a/x"); err == nil {
					_, err = os.Stat(filepath.Join(s.dir, "a", "x"))
					err = errors.Join(err, opened.Delete(t.Context(), "a/x"))
				}
			}
			if len(c.want) == 0 && err != nil {
				t.Fatal(err)
			}
			for _, want := range c.want {
				if err == nil || !strings.Contains(err.Error(), want) {
					t.Errorf("err = %v, want %q in it", err, want)
				}
			}
			if err != nil && (strings.Contains(err.Error(), "wrong-word") || strings.Contains(err.Error(), password)) {
				t.Errorf("the error shows the password: %v", err)
			}
		})
	}
	t.Run("denied", func(t *testing.T) {
		s.settle(t)
		t.Setenv("COMPOSER_SFTP_KEY_FILE", work+"/stranger")
		opened, err := store.Open(t.Context(), s.root())
		if err == nil {
			err = storetest.Denied(t.Context(), opened, t.TempDir(), []string{"user ali", "stranger"}, nil)
		}
		if err != nil {
			t.Error(err)
		}
	})
}

// TestKnownHosts: a server that is not known, or another one than before, is not used.
func TestKnownHosts(t *testing.T) {
	s := library(t)
	other := newKey(t, filepath.Join(t.TempDir(), "other"))
	line := known(s.address) + " " + string(ssh.MarshalAuthorizedKey(other.PublicKey()))
	for name, c := range map[string]struct{ known, want string }{
		"nobody":         {"", "ssh-keyscan -p"},
		"somebody else":  {"other.example " + string(ssh.MarshalAuthorizedKey(other.PublicKey())), "ssh-keyscan -p"},
		"another key":    {line, "somebody may listen in"},
		"both, any will": {line + read(t, s.known), ""},
		"a broken file":  {"what is this", "known hosts"},
	} {
		s.settle(t)
		file := filepath.Join(t.TempDir(), "known_hosts")
		write(t, file, c.known)
		t.Setenv("COMPOSER_SFTP_KNOWN_HOSTS_FILE", file)
		opened, err := open(s.root(), storetest.Quick)
		if err == nil {
			for _, err = range opened.List(t.Context(), "") {
			}
		}
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: err = %v, want %q", name, err, c.want)
		}
	}
}

// TestIdle: a connection that nobody uses is closed, and made anew when there is something to do.
func TestIdle(t *testing.T) {
	s := library(t)
	behind := newProxy(t, s.address)
	write(t, s.known, strings.ReplaceAll(read(t, s.known), known(s.address), known(behind.address)))
	s.address = behind.address
	s.settle(t)
	a, err := parse(s.root())
	if err != nil {
		t.Fatal(err)
	}
	h, err := configure(a)
	if err != nil {
		t.Fatal(err)
	}
	f := newFolder(h, a.path)
	list := func() {
		if _, _, err := f.Page(t.Context(), "", ""); err != nil {
			t.Error(err)
		}
	}
	list()
	list()
	if n, _ := behind.count(); n != 1 {
		t.Errorf("%d connections for two requests", n)
	}
	f.current.idle.Reset(time.Millisecond)
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(time.Millisecond) {
		f.mu.Lock()
		closed := f.current == nil
		f.mu.Unlock()
		if closed {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("an idle connection stays")
		}
	}
	list()
	if n, _ := behind.count(); n != 2 {
		t.Errorf("%d connections, want a second one", n)
	}
}

var _ remote.Lister = (*folder)(nil)
