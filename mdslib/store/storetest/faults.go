package storetest

// Faults of the network and of the server, by a proxy in front of a real one.

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"gomosaic/mdslib/store"
	"gomosaic/mdslib/store/remote"
	"gomosaic/mdslib/store/storetest/fault"
)

// partBytes is the size of parts in the tests, the least that S3 takes.
const partBytes = 5 << 20

// Quick is a policy with the real one's shape whose pauses are those of a test. What stands still has the real one's time: a
// busy machine is slow, not wrong.
var Quick = remote.Policy{
	Attempts: 4, FirstPause: 5 * time.Millisecond, MaxPause: 20 * time.Millisecond, Stall: time.Minute,
	PartBytes: partBytes, Parallel: 3,
}

// Brief is how long a request stands still, where a test wants it to, before it is given up; longer on a busy machine.
const Brief = 400 * time.Millisecond

// Target is a store behind a server that speaks HTTP.
type Target struct {
	Server  string   // its address, such as http://127.0.0.1:9000
	Secrets []string // what no error may show
	Content map[string][]byte

	// PieceBytes is what one request takes of a file, where the service takes no larger ones whole; 0 where it does.
	PieceBytes int64

	// Open opens the store by way of the given address of the server, with the policy [Quick] or one like it. With Content
	// the store can only be read and holds that: the keys "small", of some bytes, and "large", of more than two parts of the
	// policy's (or of any size, where parts are none of the service's). Without it the store is empty.
	Open func(ctx context.Context, address string, p remote.Policy) (store.Store, error)
}

// Faults returns what the store does against the contract when the network and the server fail, joined, or nil: it tries
// again after statuses 429 and 5xx, resets and standstills, and only then; it gives up when that does not help; it stops
// when it is cancelled; it never leaves half a file or object behind, and never shows a secret.
func Faults(ctx context.Context, target Target, scratch string) error {
	f := faults{tester{ctx: ctx, scratch: scratch}, target}
	s, err := target.Open(ctx, target.Server, f.policy(Quick.Stall))
	if err != nil {
		return err
	}
	f.s = s
	if target.Content == nil {
		f.Content = map[string][]byte{"small": []byte("some bytes"), "large": pattern(2*int(f.policy(Quick.Stall).PartBytes) + 123_456)}
		for key, data := range f.Content {
			if err := f.put(key, data); err != nil {
				return fmt.Errorf("before any fault: %w", err)
			}
		}
		if err := f.clear(); err != nil {
			return err
		}
	}
	var all []error
	for _, o := range f.operations() {
		began := time.Now()
		if err := f.one(o, failing{}, Quick.Stall); err != nil {
			return errors.Join(append(all, fmt.Errorf("%s, before any fault: %w", o.name, err))...)
		}
		stall := max(Brief, time.Since(began))
		for _, c := range f.cases(o) {
			if err := f.patiently(o, c, stall); err != nil {
				all = append(all, fmt.Errorf("%s, %s: %w", o.name, c.name, err))
			}
		}
	}
	if target.Content == nil {
		for key := range f.Content {
			all = append(all, s.Delete(ctx, key))
		}
	}
	return errors.Join(all...)
}

// faults are the tests of a target. Their own store knows no faults.
type faults struct {
	tester
	Target
}

// policy is [Quick] with another time for requests that stand still, and parts of the pieces' size where there are any.
func (f *faults) policy(stall time.Duration) remote.Policy {
	p := Quick
	p.Stall, p.PartBytes = stall, cmp.Or(f.PieceBytes, p.PartBytes)
	return p
}

// operation is one use of a store, that has one request to fail.
type operation struct {
	name   string
	match  func(*http.Request) bool // the request that fails
	middle int64                    // bytes of its content that may pass before
	hits   int                      // requests that a refusal of all meets, at most
	single bool                     // it is the only request
	sends  bool                     // files go to the server,
	whole  bool                     // by one request, however large
	pieces bool                     // it reads an open object
	do     func(ctx context.Context, s store.Store) error
	check  func() error // after it has succeeded
	undone func() error // after it has failed
}

func (f *faults) operations() []operation {
	local := filepath.Join(f.scratch, "got")
	get := func(key, name string) operation {
		return operation{
			name: name, match: method(http.MethodGet), middle: min(1<<20, int64(len(f.Content[key])/2)), hits: 1, single: key == "small",
			do: func(ctx context.Context, s store.Store) error { return s.Get(ctx, key, local) },
			check: func() error {
				got, err := os.ReadFile(local)
				if err == nil && !bytes.Equal(got, f.Content[key]) {
					err = fmt.Errorf("got %d bytes that are not the %d of the object", len(got), len(f.Content[key]))
				}
				return errors.Join(err, os.Remove(local), f.onlyFile())
			},
			undone: func() error { return f.onlyFile() },
		}
	}
	pieces := get("large", "read in pieces")
	pieces.pieces = true
	pieces.do = func(ctx context.Context, s store.Store) error {
		file, err := store.OpenFile(ctx, s, "large")
		if err != nil {
			return err
		}
		data, err := io.ReadAll(file)
		if err = errors.Join(err, file.Close()); err != nil {
			return err
		}
		return os.WriteFile(local, data, 0o600)
	}
	operations := []operation{get("small", "get"), get("large", "get in parts"), pieces}
	if store.ReadOnly(f.s) {
		return operations
	}
	put := func(key, name string) operation {
		source := filepath.Join(f.scratch, "source")
		return operation{
			name: name, match: uploads, sends: true, middle: min(1<<20, int64(len(f.Content[key])/2)), hits: 1, single: key == "small",
			do: func(ctx context.Context, s store.Store) error {
				if err := os.WriteFile(source, f.Content[key], 0o600); err != nil {
					return err
				}
				return s.Put(ctx, source, "new")
			},
			check: func() error {
				return errors.Join(f.want("new", f.Content[key]), f.s.Delete(f.ctx, "new"), f.clear())
			},
			undone: func() error {
				return errors.Join(f.wantKeys("", "large", "small"), f.onlyFile("source"), f.clear())
			},
		}
	}
	parts, atOnce := put("large", "put in parts"), put("large", "put at once")
	parts.hits = 4 // three parts, and the end of the upload or another way to send it
	atOnce.whole, atOnce.single = true, true
	operations = append(operations, put("small", "put"), parts)
	if f.PieceBytes == 0 {
		operations = append(operations, atOnce)
	}
	return append(operations,
		operation{
			name: "list", match: method(http.MethodGet), hits: 1, single: true,
			do: func(ctx context.Context, s store.Store) error {
				t := f.tester
				t.ctx, t.s = ctx, s
				return t.wantKeys("", "large", "small")
			},
		},
		operation{
			name: "delete", match: not(method(http.MethodGet)), hits: 1, single: true,
			do: func(ctx context.Context, s store.Store) error { return s.Delete(ctx, "small") },
			check: func() error {
				return errors.Join(f.wantKeys("", "large"), f.put("small", f.Content["small"]), f.clear())
			},
			undone: func() error { return f.wantKeys("", "large", "small") },
		})
}

func method(name string) func(*http.Request) bool {
	return func(r *http.Request) bool { return r.Method == name }
}

func not(match func(*http.Request) bool) func(*http.Request) bool {
	return func(r *http.Request) bool { return !match(r) }
}

// uploads tells the requests that carry a file or a part of it.
func uploads(r *http.Request) bool {
	return (r.Method == http.MethodPut || r.Method == http.MethodPost) && r.ContentLength != 0
}

// large tells the requests that carry more than fits on its way: the server may answer while it is being sent.
func large(r *http.Request) bool { return r.ContentLength > 1<<20 }

// failing is a case: what goes wrong, and how it must end. The zero value is that nothing does.
type failing struct {
	name   string
	faults []fault.Fault
	is     error // that the error is; nil: the operation succeeds, unless fails
	fails  bool
	hits   int  // so many requests meet the fault, at most, for none is made again; 0: no matter
	still  bool // it is about a request that stands still
	cancel bool // the context is cancelled meanwhile
}

func (f *faults) cases(o operation) []failing {
	next := func(x fault.Fault) fault.Fault { x.Match = o.match; return x }
	always := func(x fault.Fault) fault.Fault { x.Match, x.Always = o.match, true; return x }
	refused := func(name string, status int, is error) failing {
		hits := o.hits
		if status == http.StatusNotFound && o.hits > 1 {
			hits *= 2 // the upload may be gone: it is begun anew, once
		}
		return failing{name: name, faults: []fault.Fault{always(fault.Fault{Status: status})}, fails: true, is: is, hits: hits}
	}
	var cases []failing
	if o.middle > 0 {
		cases = append(cases, failing{name: "reset midway", faults: []fault.Fault{next(fault.Fault{Reset: true, After: o.middle})}})
	}
	if o.sends && o.middle > 1<<19 {
		early := func(c failing) failing {
			c.name += " before the content is sent"
			c.faults[0].Match, c.faults[0].Early = large, true
			return c
		}
		cases = append(cases, early(refused("403", 403, fs.ErrPermission)), early(refused("404", 404, fs.ErrNotExist)),
			early(failing{name: "503", faults: []fault.Fault{next(fault.Fault{Status: 503})}}))
	}
	midway := []failing{
		{name: "standstill midway", faults: []fault.Fault{next(fault.Fault{Stall: true, After: o.middle})}, still: true},
		{name: "cancelled midway", faults: []fault.Fault{always(fault.Fault{Stall: true, After: o.middle})}, fails: true, is: context.Canceled, still: true, cancel: true},
	}
	switch { // the rest is the same as in parts
	case o.whole:
		return cases
	case o.pieces:
		return append(append(cases, refused("403", 403, fs.ErrPermission)), midway...)
	}
	cases = append(cases,
		failing{name: "503 twice", faults: []fault.Fault{next(fault.Fault{Status: 503}), next(fault.Fault{Status: 503})}},
		failing{name: "429", faults: []fault.Fault{next(fault.Fault{Status: 429, RetryAfter: 1})}},
		failing{name: "500", faults: []fault.Fault{next(fault.Fault{Status: 500})}},
		failing{name: "reset", faults: []fault.Fault{next(fault.Fault{Reset: true})}},
		failing{name: "standstill", faults: []fault.Fault{next(fault.Fault{Stall: true})}, still: true},
		failing{name: "503 for good", faults: []fault.Fault{always(fault.Fault{Status: 503})}, fails: true},
		refused("403", 403, fs.ErrPermission),
		failing{name: "cancelled", faults: []fault.Fault{always(fault.Fault{Stall: true})}, fails: true, is: context.Canceled, still: true, cancel: true},
	)
	if o.middle > 0 {
		cases = append(cases, midway...)
	}
	if o.name != "list" && o.name != "delete" { // for those it is an answer
		cases = append(cases, refused("404", 404, fs.ErrNotExist))
	}
	return cases
}

// patiently tries a case. One that is about a standstill gets twice the time again and again where the machine is so busy that
// also other requests stand still for as long.
func (f *faults) patiently(o operation, c failing, stall time.Duration) error {
	if !c.still {
		stall = Quick.Stall
	}
	for {
		err := f.one(o, c, stall)
		if !errors.Is(err, remote.ErrStalled) || stall >= Quick.Stall {
			return err
		}
		stall *= 2
		f.s.Delete(f.ctx, "new") // it may have come too late for its answer to be heard
		if err := f.clear(); err != nil {
			return err
		}
	}
}

// one tries a case with a store and a proxy of its own: what an earlier case has given up may still be under way to another.
// A request that moves no byte for as long as stall is given up.
func (f *faults) one(o operation, c failing, stall time.Duration) error {
	proxy, err := fault.New(f.Server)
	if err != nil {
		return err
	}
	defer proxy.Close()
	policy := f.policy(stall)
	if o.whole {
		policy.PartBytes = 1 << 30
	}
	s, err := f.Open(f.ctx, proxy.URL, policy)
	if err != nil {
		return err
	}
	warm := filepath.Join(f.scratch, "warm")
	if err := errors.Join(s.Get(f.ctx, "small", warm), os.Remove(warm)); err != nil { // there is a connection, to be used again
		return fmt.Errorf("before the fault: %w", err)
	}
	ctx, cancel := context.WithCancel(f.ctx)
	defer cancel()
	proxy.Inject(c.faults...)
	if c.cancel {
		defer time.AfterFunc(stall/4, cancel).Stop()
	}
	start := time.Now()
	err = o.do(ctx, s)
	took := time.Since(start)
	_, met := proxy.Requests()
	hits := proxy.Hits()
	if !c.fails {
		if err != nil {
			return err
		}
		if !met {
			return errors.New("the fault was not met")
		}
		if o.check != nil {
			return o.check()
		}
		return nil
	}
	switch {
	case err == nil:
		err = errors.New("no error")
		os.Remove(filepath.Join(f.scratch, "got"))
	case c.is != nil && !errors.Is(err, c.is):
		err = fmt.Errorf("got error %w, want one that is %q", err, c.is)
	case c.hits > 0 && hits > c.hits:
		err = fmt.Errorf("%d requests were refused, want %d: %w", hits, c.hits, err)
	case c.cancel && took > Quick.Stall/2:
		err = fmt.Errorf("came back %v after being cancelled", took)
	case c.hits == 0 && !c.cancel && o.single && hits != Quick.Attempts:
		err = fmt.Errorf("%d requests, want %d: %w", hits, Quick.Attempts, err)
	default:
		err = hides(err, f.Secrets)
	}
	if o.undone != nil {
		err = errors.Join(err, o.undone())
	}
	return err
}

// onlyFile returns an error if there are other files in scratch than the named ones.
func (f *faults) onlyFile(names ...string) error {
	entries, err := os.ReadDir(f.scratch)
	for _, e := range entries {
		if len(names) == 0 || e.Name() != names[0] {
			err = errors.Join(err, fmt.Errorf("%s was left behind", e.Name()))
		}
	}
	return err
}

// clear empties scratch.
func (f *faults) clear() error {
	entries, err := os.ReadDir(f.scratch)
	for _, e := range entries {
		err = errors.Join(err, os.Remove(filepath.Join(f.scratch, e.Name())))
	}
	return err
}
