// Package hf reads files from the Hugging Face Hub: hf://datasets/org/name@revision/folder, hf://org/name/folder for a model
// and hf://spaces/…. Importing it makes the scheme known to package store; the cell host links it, so that cells do not.
package hf

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path"
	"strings"

	"gomosaic/mdslib/store"
	"gomosaic/mdslib/store/remote"
)

func init() {
	store.Register("hf", func(_ context.Context, root string) (store.Store, error) { return open(root, remote.Policy{}) })
}

// repository is a folder of a repository, a [remote.Reader] and a [remote.Lister].
type repository struct {
	place
	endpoint string // https://huggingface.co
	token    token
	client   *http.Client
}

func open(root string, policy remote.Policy) (store.Store, error) {
	p, err := parse(root)
	if err != nil {
		return nil, fmt.Errorf("store: %s: %w", root, err)
	}
	if v := os.Getenv("HF_HUB_OFFLINE"); v != "" && v != "0" {
		return nil, fmt.Errorf("store: %s: HF_HUB_OFFLINE=%s keeps the Hub from being asked", root, v)
	}
	r := &repository{
		place:    p,
		endpoint: strings.TrimRight(cmp.Or(os.Getenv("HF_ENDPOINT"), "https://huggingface.co"), "/"),
		token:    findToken(),
		client:   remote.HTTPClient(),
	}
	if u, err := url.Parse(r.endpoint); err != nil || u.Host == "" {
		return nil, fmt.Errorf("store: %s: HF_ENDPOINT is no web address", root)
	}
	return remote.New(r, remote.Options{
		Root:        root,
		Credentials: func() string { return r.token.from },
		Secrets:     func() []string { return []string{r.token.secret} },
		Unsorted:    true,
		Policy:      policy,
	}), nil
}

// place is what a URL says.
type place struct {
	kind     string // of the repository: models, datasets or spaces
	id       string // org/name
	revision string // a branch, a tag or a commit
	folder   string // below the repository's root, "" or without a slash at its ends
}

// parse takes a URL apart, in the Hub's own spelling: a revision's slashes are %2F, but for refs/pr/1 and refs/convert/parquet.
func parse(root string) (p place, err error) {
	wrong := errors.New("want hf://datasets/org/name@revision/folder, or hf://org/name/… for a model")
	rest, ok := strings.CutPrefix(root, "hf://")
	if !ok {
		return p, wrong
	}
	p.kind = "models"
	for _, kind := range []string{"models", "datasets", "spaces"} {
		if below, ok := strings.CutPrefix(rest, kind+"/"); ok {
			p.kind, rest = kind, below
			break
		}
	}
	org, rest, _ := strings.Cut(rest, "/")
	name, rest, _ := strings.Cut(rest, "/")
	name, revision, at := strings.Cut(name, "@")
	if revision == "refs" {
		var kind, which string
		kind, rest, _ = strings.Cut(rest, "/")
		which, rest, _ = strings.Cut(rest, "/")
		revision += "/" + kind + "/" + which
	}
	if p.revision, err = url.PathUnescape(revision); err != nil {
		return p, wrong
	}
	if org == "" || name == "" || at && revision == "" || strings.Contains(org, "@") {
		return p, wrong
	}
	p.id, p.revision, p.folder = org+"/"+name, cmp.Or(p.revision, "main"), strings.Trim(path.Clean("/"+rest), "/")
	return p, nil
}

// get makes a request with the token, which does not go along to other servers.
func (r *repository) get(ctx context.Context, address string, header http.Header) (*http.Response, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, err
	}
	request.Header = header
	request.Header.Set("User-Agent", "gomosaic")
	if r.token.secret != "" {
		request.Header.Set("Authorization", "Bearer "+r.token.secret)
	}
	answer, err := remote.DoHTTP(r.client, request)
	if err != nil {
		return nil, err
	}
	if answer.StatusCode/100 != 2 {
		return nil, remote.HTTPError(answer, func(status *remote.StatusError, body []byte) {
			var text struct{ Error string }
			json.Unmarshal(body, &text) // often it is none
			status.Code = answer.Header.Get("X-Error-Code")
			status.Message = cmp.Or(answer.Header.Get("X-Error-Message"), text.Error)
		})
	}
	return answer, nil
}

// Open implements [remote.Reader]. Large files lie on other servers, which the Hub leads to.
func (r *repository) Open(ctx context.Context, key string, wanted remote.Span, tag string) (io.ReadCloser, remote.Info, error) {
	header := http.Header{"Accept-Encoding": {"identity"}}
	if !wanted.Whole() {
		header.Set("Range", wanted.Range())
		header.Set("If-Range", tag)
	}
	kind := r.kind + "/"
	if r.kind == "models" {
		kind = ""
	}
	file := (&url.URL{Path: path.Join(r.folder, key)}).EscapedPath()
	answer, err := r.get(ctx, r.endpoint+"/"+kind+r.id+"/resolve/"+url.PathEscape(r.revision)+"/"+file, header)
	if err != nil {
		return nil, remote.Info{}, err
	}
	return remote.HTTPBody(answer, wanted)
}

// Page implements [remote.Lister]. The token is the address of the next page.
func (r *repository) Page(ctx context.Context, prefix, token string) ([]store.Object, string, error) {
	address := token
	if address == "" {
		address = r.endpoint + "/api/" + r.kind + "/" + r.id + "/tree/" + url.PathEscape(r.revision)
		if folder := path.Join(r.folder, prefix[:strings.LastIndexByte(prefix, '/')+1]); folder != "" {
			address += "/" + url.PathEscape(folder)
		}
		address += "?recursive=true&expand=false"
	}
	answer, err := r.get(ctx, address, http.Header{"Accept": {"application/json"}})
	if err != nil {
		return nil, "", err
	}
	defer answer.Body.Close()
	var entries []struct {
		Type string
		Path string
		Size int64 // of the file, where it lies elsewhere too
	}
	if err := json.NewDecoder(answer.Body).Decode(&entries); err != nil {
		return nil, "", fmt.Errorf("the answer is no list of files: %w", err)
	}
	var objects []store.Object
	for _, e := range entries {
		key, ok := e.Path, true
		if r.folder != "" {
			key, ok = strings.CutPrefix(e.Path, r.folder+"/")
		}
		if ok && e.Type == "file" && strings.HasPrefix(key, prefix) {
			objects = append(objects, store.Object{Key: key, Bytes: e.Size})
		}
	}
	next := nextPage(answer.Header)
	if next != "" && !strings.HasPrefix(next, r.endpoint+"/") {
		return nil, "", errors.New("the next page of the list is on another server")
	}
	return objects, next, nil
}

// nextPage finds the address in the header Link (RFC 8288): <https://…>; rel="next".
func nextPage(header http.Header) string {
	for link := range strings.SplitSeq(strings.Join(header.Values("Link"), ","), ",") {
		target, parameters, _ := strings.Cut(strings.TrimSpace(link), ";")
		if strings.Contains(strings.ReplaceAll(parameters, " ", ""), `rel="next"`) {
			return strings.TrimSuffix(strings.TrimPrefix(strings.TrimSpace(target), "<"), ">")
		}
	}
	return ""
}
