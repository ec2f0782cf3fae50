package fault

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"sync"
)

// A proxy that stands between a store and its server and makes requests fail.

// Fault is what happens to a request.
type Fault struct {
	Match  func(*http.Request) bool // which requests; nil for all
	Always bool                     // every request that matches, not only the next one

	Status     int         // answer with this status in the server's stead, unless 0
	RetryAfter int         // with Status: seconds in the header of that name
	Header     http.Header // with Status
	Body       string      // with Status: the answer's text
	Early      bool        // with Status: the answer comes before the request's content, of which the server wants none: it hangs up

	Reset bool  // the connection is reset
	Stall bool  // nothing moves any more on this connection
	After int64 // Reset and Stall: so many bytes of the content (the answer's, or with PUT and POST the request's) pass before; with 0 the server sees nothing of the request
}

// Proxy passes requests on to a server as they are and counts them. Its methods may be called concurrently.
type Proxy struct {
	URL    string // its address, such as http://127.0.0.1:40000
	target *url.URL
	server *httptest.Server
	client *http.Transport

	mu       sync.Mutex
	faults   []Fault
	requests int
	hits     int
	stalled  []net.Conn
}

// New starts a proxy before the server at an address, such as http://127.0.0.1:9000. The caller closes it.
func New(target string) (*Proxy, error) {
	u, err := url.Parse(target)
	if err != nil {
		return nil, err
	}
	p := &Proxy{target: u, client: &http.Transport{DisableCompression: true}}
	p.server = httptest.NewServer(http.HandlerFunc(p.serve))
	p.URL = p.server.URL
	return p, nil
}

// Close ends the proxy.
func (p *Proxy) Close() {
	p.Inject()
	p.server.CloseClientConnections()
	p.server.Close()
	p.client.CloseIdleConnections()
}

// Inject replaces the faults to come and sets the counts to 0. A request takes the first fault that matches it.
func (p *Proxy) Inject(faults ...Fault) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.faults, p.requests, p.hits = append([]Fault(nil), faults...), 0, 0
	for _, conn := range p.stalled {
		conn.Close()
	}
	p.stalled = nil
}

// Requests returns how many requests came since the last Inject, and whether all faults that are not for Always were met.
func (p *Proxy) Requests() (n int, met bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	met = true
	for _, f := range p.faults {
		met = met && f.Always
	}
	return p.requests, met
}

// Hits returns how many requests met a fault since the last Inject.
func (p *Proxy) Hits() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.hits
}

func (p *Proxy) next(r *http.Request) Fault {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.requests++
	for i, f := range p.faults {
		if f.Match != nil && !f.Match(r) {
			continue
		}
		p.hits++
		if !f.Always {
			p.faults = append(p.faults[:i:i], p.faults[i+1:]...)
		}
		return f
	}
	return Fault{}
}

func (p *Proxy) serve(w http.ResponseWriter, r *http.Request) {
	f := p.next(r)
	upload := r.Method == http.MethodPut || r.Method == http.MethodPost
	switch {
	case f.Status != 0 && f.Early:
		p.hangUp(w, f)
		return
	case f.Status != 0:
		io.Copy(io.Discard, r.Body)
		if f.RetryAfter > 0 {
			w.Header().Set("Retry-After", strconv.Itoa(f.RetryAfter))
		}
		for name, values := range f.Header {
			w.Header()[name] = values
		}
		w.WriteHeader(f.Status)
		io.WriteString(w, f.Body)
		return
	case (f.Reset || f.Stall) && (upload || f.After == 0):
		io.CopyN(io.Discard, r.Body, f.After)
		p.end(w, f)
		return
	}
	out := r.Clone(r.Context())
	out.RequestURI = ""
	out.URL = &url.URL{Scheme: p.target.Scheme, Host: p.target.Host, Opaque: r.URL.EscapedPath(), RawQuery: r.URL.RawQuery}
	if r.ContentLength == 0 {
		out.Body = nil
	}
	answer, err := p.client.RoundTrip(out)
	if err != nil {
		if !errors.Is(err, context.Canceled) {
			p.end(w, Fault{Reset: true})
		}
		return
	}
	defer answer.Body.Close()
	for name, values := range answer.Header {
		w.Header()[name] = values
	}
	if location, ok := strings.CutPrefix(answer.Header.Get("Location"), p.target.String()); ok {
		w.Header().Set("Location", p.URL+location) // what follows comes by the proxy, too
	}
	if answer.ContentLength >= 0 {
		w.Header().Set("Content-Length", strconv.FormatInt(answer.ContentLength, 10))
	}
	if !f.Reset && !f.Stall {
		w.WriteHeader(answer.StatusCode)
		io.Copy(w, answer.Body)
		return
	}
	w.WriteHeader(answer.StatusCode)
	io.CopyN(w, answer.Body, f.After)
	http.NewResponseController(w).Flush()
	p.end(w, f)
}

// hangUp answers and closes the connection, on which the client may still be sending.
func (p *Proxy) hangUp(w http.ResponseWriter, f Fault) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	defer conn.Close()
	header := f.Header.Clone()
	if header == nil {
		header = http.Header{}
	}
	if f.RetryAfter > 0 {
		header.Set("Retry-After", strconv.Itoa(f.RetryAfter))
	}
	(&http.Response{
		StatusCode: f.Status, ProtoMajor: 1, ProtoMinor: 1, Header: header, Close: true,
		ContentLength: int64(len(f.Body)), Body: io.NopCloser(strings.NewReader(f.Body)),
	}).Write(conn)
}

// end resets the connection, or leaves the client alone with it until the next Inject.
func (p *Proxy) end(w http.ResponseWriter, f Fault) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	if f.Stall {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.stalled = append(p.stalled, conn)
		return
	}
	if tcp, ok := conn.(*net.TCPConn); ok {
		tcp.SetLinger(0)
	}
	conn.Close()
}
