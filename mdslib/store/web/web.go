// Package web reads files from http:// and https:// addresses. Importing it makes the two schemes known to package store;
// only the cell host and the worker link it, so that cells do not.
package web

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"

	"gomosaic/mdslib/store"
	"gomosaic/mdslib/store/remote"
)

func init() {
	driver := func(_ context.Context, root string) (store.Store, error) { return open(root, remote.Policy{}) }
	store.Register("http", driver)
	store.Register("https", driver)
}

// folder is the files below a web address, a [remote.Reader]. The web has no listing.
type folder struct {
	root   *url.URL // its user and its query, which may be a signature, go with every request
	client *http.Client
}

func open(root string, policy remote.Policy) (store.Store, error) {
	u, err := url.Parse(root)
	if err != nil || u.Host == "" {
		return nil, fmt.Errorf("store: %s is no web address", store.Redacted(root))
	}
	who, secrets := "none in the address", []string(nil)
	if u.User != nil {
		password, _ := u.User.Password()
		who, secrets = "user "+u.User.Username()+" of the address", []string{password}
	}
	o := remote.Options{
		Root:        store.Redacted(root),
		Credentials: func() string { return who },
		Secrets:     func() []string { return secrets },
		Policy:      policy,
	}
	return remote.New(&folder{u, remote.HTTPClient()}, o), nil
}

// Open implements [remote.Reader].
func (f *folder) Open(ctx context.Context, key string, wanted remote.Span, tag string) (io.ReadCloser, remote.Info, error) {
	address := f.root.JoinPath((&url.URL{Path: key}).EscapedPath())
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address.String(), nil)
	if err != nil {
		return nil, remote.Info{}, err
	}
	request.Header.Set("Accept-Encoding", "identity") // the file as it is, not packed for the way
	if !wanted.Whole() {
		request.Header.Set("Range", wanted.Range())
		request.Header.Set("If-Range", tag)
	}
	answer, err := remote.DoHTTP(f.client, request)
	if err != nil {
		return nil, remote.Info{}, err
	}
	if answer.StatusCode/100 != 2 {
		return nil, remote.Info{}, remote.HTTPError(answer, nil)
	}
	return remote.HTTPBody(answer, wanted)
}
