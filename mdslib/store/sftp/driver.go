// Package sftp makes stores of folders on servers that are reached by SSH: sftp://user@host:port/path, or sftp://host/~/path
// for one below the user's home. Importing it makes the scheme known to package store; the cell host links it, so that cells
// do not.
//
// Host, port, user, keys and known hosts come from the address and ~/.ssh/config, as for OpenSSH's own commands; the names
// of the reference's environment variables, COMPOSER_SFTP_KEY_FILE and COMPOSER_SFTP_KNOWN_HOSTS_FILE, come before the
// latter's. A host that is not known is refused.
package sftp

import (
	"context"
	"fmt"
	"net/url"
	"strings"

	"gomosaic/mdslib/store"
	"gomosaic/mdslib/store/remote"
)

func init() {
	store.Register("sftp", func(_ context.Context, root string) (store.Store, error) { return open(root, remote.Policy{}) })
}

func open(root string, policy remote.Policy) (store.Store, error) {
	a, err := parse(root)
	if err != nil {
		return nil, err
	}
	host, err := configure(a)
	if err != nil {
		return nil, fmt.Errorf("store: %s: %w", store.Redacted(root), err)
	}
	o := remote.Options{
		Root:        store.Redacted(root),
		Credentials: host.describe,
		Secrets:     func() []string { return []string{a.password} },
		Unsorted:    true,
		Policy:      policy,
	}
	return remote.New(newFolder(host, a.path), o), nil
}

// address is what a URL says.
type address struct {
	user, password, host, port string
	path                       string // relative to the user's home if it does not begin with a slash
}

// parse takes a URL apart. Its path stands for itself: names with "%" or "?" in them are not escaped.
func parse(root string) (a address, err error) {
	bad := func(why string) (address, error) {
		return address{}, fmt.Errorf("store: %s: %s; want sftp://user@host:port/path", store.Redacted(root), why)
	}
	_, rest, ok := strings.Cut(root, "://")
	if !ok {
		return bad("it is no address")
	}
	where, path, _ := strings.Cut(rest, "/")
	a.path = "/" + path
	if below, ok := strings.CutPrefix(a.path, "/~"); ok && (below == "" || below[0] == '/') {
		a.path = strings.TrimPrefix(below, "/")
	}
	u, err := url.Parse("sftp://" + where)
	if err != nil || u.RawQuery != "" || u.Fragment != "" {
		return bad("its host cannot be read (a password with special characters is written with %, such as %2F for a slash)")
	}
	a.host, a.port = u.Hostname(), u.Port()
	if a.host == "" {
		return bad("it has no host")
	}
	if u.User != nil {
		a.user = u.User.Username()
		a.password, _ = u.User.Password()
	}
	return a, nil
}
