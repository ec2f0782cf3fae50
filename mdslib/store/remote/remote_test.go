package remote_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"gomosaic/mdslib/store"
	"gomosaic/mdslib/store/remote"
	"gomosaic/mdslib/store/storetest"
)

// server is a small object server: GET with ranges, PUT with parts, DELETE, and a listing as JSON of three keys a page.
type server struct {
	sync.Mutex
	objects map[string][]byte
	parts   map[string]map[int][]byte
	version int
	tags    map[string]string
	forgets int // so many uploads in parts it knows nothing of when they are to be completed
}

func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil || r.ContentLength >= 0 && int64(len(body)) != r.ContentLength {
		return
	}
	s.Lock()
	defer s.Unlock()
	key, query := strings.TrimPrefix(r.URL.Path, "/"), r.URL.Query()
	switch {
	case r.Method == http.MethodGet && key == "":
		var page []store.Object
		for k, data := range s.objects {
			if strings.HasPrefix(k, query.Get("prefix")) && k > query.Get("after") {
				page = append(page, store.Object{Key: k, Bytes: int64(len(data))})
			}
		}
		slices.SortFunc(page, func(a, b store.Object) int { return strings.Compare(a.Key, b.Key) })
		json.NewEncoder(w).Encode(page[:min(3, len(page))])
	case r.Method == http.MethodGet:
		data, ok := s.objects[key]
		if !ok {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("ETag", s.tags[key])
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(data))
	case r.Method == http.MethodPut && query.Has("part"):
		n, _ := strconv.Atoi(query.Get("part"))
		if s.parts[key] == nil {
			s.parts[key] = map[int][]byte{}
		}
		s.parts[key][n] = body
	case r.Method == http.MethodPut:
		s.put(key, body)
	case r.Method == http.MethodPost && s.forgets > 0:
		s.forgets--
		delete(s.parts, key)
		http.NotFound(w, r)
	case r.Method == http.MethodPost && s.parts[key] == nil: // completed before, when the answer came too late
		http.NotFound(w, r)
	case r.Method == http.MethodPost:
		var whole []byte
		for n := 1; n <= len(s.parts[key]); n++ {
			whole = append(whole, s.parts[key][n]...)
		}
		delete(s.parts, key)
		s.put(key, whole)
	case r.Method == http.MethodDelete && query.Has("parts"):
		delete(s.parts, key)
	case r.Method == http.MethodDelete:
		delete(s.objects, key)
	}
}

func (s *server) put(key string, data []byte) {
	s.version++
	s.objects[key], s.tags[key] = data, fmt.Sprintf(`"%d"`, s.version)
}

// client is the driver of server.
type client struct {
	http     *http.Client
	address  string
	noRanges bool
}

func newClient(address string) client { return client{http: remote.HTTPClient(), address: address} }

func (c client) send(ctx context.Context, method, key, query string, body io.Reader, bytes int64, header ...string) (*http.Response, error) {
	request, err := http.NewRequestWithContext(ctx, method, c.address+"/"+(&url.URL{Path: key}).EscapedPath()+query, body)
	if err != nil {
		return nil, err
	}
	request.ContentLength = bytes
	for i := 0; i+1 < len(header); i += 2 {
		request.Header.Set(header[i], header[i+1])
	}
	answer, err := c.http.Do(request)
	if err != nil {
		return nil, fmt.Errorf("signed with sesame: %w", err)
	}
	if answer.StatusCode >= 300 {
		answer.Body.Close()
		return nil, &remote.StatusError{Status: answer.StatusCode, Message: "your key is sesame", RetryAfter: remote.RetryAfter(answer.Header)}
	}
	return answer, nil
}

func (c client) Open(ctx context.Context, key string, wanted remote.Span, tag string) (io.ReadCloser, remote.Info, error) {
	var header []string
	if !wanted.Whole() {
		header = []string{"Range", wanted.Range(), "If-Match", tag}
	}
	answer, err := c.send(ctx, http.MethodGet, key, "", nil, 0, header...)
	if err != nil {
		return nil, remote.Info{}, err
	}
	return answer.Body, remote.Info{Bytes: answer.ContentLength, Tag: answer.Header.Get("ETag"), Ranges: !c.noRanges}, nil
}

func (c client) done(answer *http.Response, err error) error {
	if err == nil {
		answer.Body.Close()
	}
	return err
}

func (c client) Upload(ctx context.Context, key string, body io.ReadSeeker, bytes int64) error {
	return c.done(c.send(ctx, http.MethodPut, key, "", body, bytes))
}

func (c client) Delete(ctx context.Context, key string) error {
	return c.done(c.send(ctx, http.MethodDelete, key, "", nil, 0))
}

func (c client) Begin(ctx context.Context, key string, bytes int64) (remote.Parts, error) {
	return upload{c, key}, nil
}

func (c client) Page(ctx context.Context, prefix, token string) ([]store.Object, string, error) {
	answer, err := c.send(ctx, http.MethodGet, "", "?"+url.Values{"prefix": {prefix}, "after": {token}}.Encode(), nil, 0)
	if err != nil {
		return nil, "", err
	}
	defer answer.Body.Close()
	var page []store.Object
	if err := json.NewDecoder(answer.Body).Decode(&page); err != nil || len(page) < 3 {
		return page, "", err
	}
	return page, page[2].Key, nil
}

type upload struct {
	client
	key string
}

func (u upload) Put(ctx context.Context, part remote.Part, body io.ReadSeeker) error {
	return u.done(u.send(ctx, http.MethodPut, u.key, fmt.Sprintf("?part=%d", part.Number), body, part.Bytes))
}

func (u upload) Complete(ctx context.Context) error {
	return u.done(u.send(ctx, http.MethodPost, u.key, "", nil, 0))
}

func (u upload) Abort(ctx context.Context) error {
	return u.done(u.send(ctx, http.MethodDelete, u.key, "?parts", nil, 0))
}

func serve(t *testing.T) (*server, string) {
	s := &server{objects: map[string][]byte{}, parts: map[string]map[int][]byte{}, tags: map[string]string{}}
	h := httptest.NewServer(s)
	t.Cleanup(h.Close)
	return s, h.URL
}

func options(p remote.Policy) remote.Options {
	return remote.Options{
		Root: "test://bucket/folder?sig=sesame", Prefix: "folder/", Policy: p,
		Credentials: func() string { return "the key sesame of $TEST_KEY" }, Secrets: func() []string { return []string{"sesame"} },
	}
}

func TestContract(t *testing.T) {
	t.Parallel()
	s, address := serve(t)
	p := storetest.Quick
	p.PartBytes = 1 << 18 // so that the suite's objects of 1 MiB come in parts
	if err := storetest.Test(t.Context(), remote.New(newClient(address), options(p)), t.TempDir()); err != nil {
		t.Error(err)
	}
	if err := storetest.Large(t.Context(), remote.New(newClient(address), options(p)), 10<<20+1, t.TempDir()); err != nil {
		t.Error(err)
	}
	if len(s.parts) > 0 {
		t.Errorf("parts were left behind: %d", len(s.parts))
	}
}

func TestFaults(t *testing.T) {
	t.Parallel()
	s, address := serve(t)
	target := storetest.Target{Server: address, Secrets: []string{"sesame"},
		Open: func(ctx context.Context, address string, p remote.Policy) (store.Store, error) {
			return remote.New(newClient(address), options(p)), nil
		}}
	if err := storetest.Faults(t.Context(), target, t.TempDir()); err != nil {
		t.Error(err)
	}
	if len(s.parts) > 0 {
		t.Errorf("parts were left behind: %d", len(s.parts))
	}
}

// TestUploadGone: an upload that the service forgot is made anew once, and is an error the second time.
func TestUploadGone(t *testing.T) {
	t.Parallel()
	s, address := serve(t)
	p := storetest.Quick
	p.PartBytes = 1000
	st := remote.New(newClient(address), options(p))
	file := filepath.Join(t.TempDir(), "file")
	data := bytes.Repeat([]byte("0123456789"), 250)
	if err := os.WriteFile(file, data, 0o666); err != nil {
		t.Fatal(err)
	}
	s.forgets = 1
	if err := st.Put(t.Context(), file, "once"); err != nil || !bytes.Equal(s.objects["folder/once"], data) {
		t.Errorf("forgotten once: %v, %d bytes", err, len(s.objects["folder/once"]))
	}
	s.forgets = 2
	if err := st.Put(t.Context(), file, "twice"); err == nil || !strings.Contains(err.Error(), "twice: put: the service does not know the upload any more: 404") {
		t.Errorf("forgotten twice: %v", err)
	}
	if s.objects["folder/twice"] != nil || len(s.parts) > 0 {
		t.Errorf("left behind: %d bytes, %d parts", len(s.objects["folder/twice"]), len(s.parts))
	}
}

// readOnly is a service that can be read, without ranges.
type readOnly struct{ remote.Reader }

func TestReadOnly(t *testing.T) {
	t.Parallel()
	s, address := serve(t)
	content := map[string][]byte{"small": []byte("abc"), "large": bytes.Repeat([]byte("0123456789"), 100_000)}
	for key, data := range content {
		s.put("folder/"+key, data)
	}
	open := func(_ context.Context, address string, p remote.Policy) (store.Store, error) {
		return remote.New(readOnly{client{remote.HTTPClient(), address, true}}, options(p)), nil
	}
	only, err := open(t.Context(), address, storetest.Quick)
	if err != nil {
		t.Fatal(err)
	}
	if err := storetest.TestReadOnly(t.Context(), only, content, false, t.TempDir()); err != nil {
		t.Error(err)
	}
	target := storetest.Target{Server: address, Secrets: []string{"sesame"}, Content: content, Open: open}
	if err := storetest.Faults(t.Context(), target, t.TempDir()); err != nil {
		t.Error(err)
	}
}

// replacing replaces an object once while it is read.
type replacing struct {
	client
	once func()
}

func (r replacing) Open(ctx context.Context, key string, wanted remote.Span, tag string) (io.ReadCloser, remote.Info, error) {
	if !wanted.Whole() {
		r.once()
	}
	return r.client.Open(ctx, key, wanted, tag)
}

func TestReplacedWhileRead(t *testing.T) {
	s, address := serve(t)
	s.put("folder/k", bytes.Repeat([]byte("a"), 1<<20))
	want := bytes.Repeat([]byte("b"), 3<<18)
	service := replacing{newClient(address), sync.OnceFunc(func() {
		s.Lock()
		defer s.Unlock()
		s.put("folder/k", want)
	})}
	p := storetest.Quick
	p.PartBytes = 1 << 18
	path := filepath.Join(t.TempDir(), "k")
	if err := remote.New(service, options(p)).Get(t.Context(), "k", path); err != nil {
		t.Fatal(err)
	}
	if got, _ := os.ReadFile(path); !bytes.Equal(got, want) {
		t.Errorf("got %d bytes, want the %d of the new object", len(got), len(want))
	}
}

// noting notes what is asked for.
type noting struct {
	client
	asked *[]remote.Span
	mu    *sync.Mutex
}

func (n noting) Open(ctx context.Context, key string, wanted remote.Span, tag string) (io.ReadCloser, remote.Info, error) {
	n.mu.Lock()
	*n.asked = append(*n.asked, wanted)
	n.mu.Unlock()
	return n.client.Open(ctx, key, wanted, tag)
}

// TestSpans: the whole is asked for once, to learn its size, and then piece by piece.
func TestSpans(t *testing.T) {
	s, address := serve(t)
	s.put("folder/k", bytes.Repeat([]byte("a"), 3<<18+5))
	var asked []remote.Span
	p := storetest.Quick
	p.PartBytes = 1 << 18
	if err := remote.New(noting{newClient(address), &asked, new(sync.Mutex)}, options(p)).Get(t.Context(), "k", filepath.Join(t.TempDir(), "k")); err != nil {
		t.Fatal(err)
	}
	slices.SortFunc(asked, func(a, b remote.Span) int { return int(a.Offset - b.Offset) })
	if want := []remote.Span{{}, {Offset: 1 << 18, Bytes: 1 << 18}, {Offset: 2 << 18, Bytes: 1 << 18}, {Offset: 3 << 18, Bytes: 5}}; !slices.Equal(asked, want) {
		t.Errorf("asked for %v, want %v", asked, want)
	}
	for _, c := range []struct {
		span remote.Span
		want string
	}{{remote.Span{Offset: 5}, "bytes=5-"}, {remote.Span{Offset: 5, Bytes: 2}, "bytes=5-6"}, {remote.Span{Bytes: 1}, "bytes=0-0"}} {
		if got := c.span.Range(); got != c.want || c.span.Whole() {
			t.Errorf("%+v.Range() = %q, want %q", c.span, got, c.want)
		}
	}
}

func TestErrorsName(t *testing.T) {
	_, address := serve(t)
	err := remote.New(newClient(address), options(storetest.Quick)).Get(t.Context(), "no", filepath.Join(t.TempDir(), "no"))
	if want := "store: test://bucket/folder/no: get: 404 Not Found: your key is …"; err == nil || err.Error() != want {
		t.Errorf("err = %v, want %s", err, want)
	}
	if !errors.Is(err, fs.ErrNotExist) || errors.Unwrap(err) != nil {
		t.Error("it is no fs.ErrNotExist, or hands out the text with the secret")
	}
}
