package storetest

// Faults of the network and of the server, by a proxy in front of a real one.

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"gomosaic/mdslib/store"
	"gomosaic/mdslib/store/remote"
	"gomosaic/mdslib/store/storetest/fault"
)

// partBytes is the size of parts in the tests, the least that S3 takes.
const partBytes = 5 << 20

// Quick is a policy with the real one's shape whose times are those of a test.
var Quick = remote.Policy{
	Attempts: 4, FirstPause: 5 * time.Millisecond, MaxPause: 20 * time.Millisecond, Stall: 400 * time.Millisecond,
	PartBytes: partBytes, Parallel: 3,
}

// Target is a store behind a server that speaks HTTP.
type Target struct {
	Server  string   // its address, such as http://127.0.0.1:9000
	Secrets []string // what no error may show
	Content map[string][]byte

	// Open opens the store by way of the given address of the server, with the policy [Quick] or one like it. With Content
	// the store can only be read and holds that: the keys "small", of some bytes, and "large", of more than two parts of 5 MiB
	// (or of any size, where parts are none of the service's). Without it the store is empty.
	Open func(ctx context.Context, address string, p remote.Policy) (store.Store, error)
}

// Faults returns what the store does against the contract when the network and the server fail, joined, or nil: it tries
// again after statuses 429 and 5xx, resets and standstills, and only then; it gives up when that does not help; it stops
// when it is cancelled; it never leaves half a file or object behind, and never shows a secret.
func Faults(ctx context.Context, target Target, scratch string) error {
	proxy, err := fault.New(target.Server)
	if err != nil {
		return err
	}
	defer proxy.Close()
	policy := Quick
	policy.Stall = time.Minute // until it is known how long things take here and now
	s, err := target.Open(ctx, proxy.URL, policy)
	if err != nil {
		return err
	}
	f := faults{tester{ctx: ctx, s: s, scratch: scratch}, target, proxy, 0}
	began := time.Now()
	if target.Content == nil {
		f.Content = map[string][]byte{"small": []byte("some bytes"), "large": pattern(2*partBytes + 123_456)}
		for key, data := range f.Content {
			if err := f.put(key, data); err != nil {
				return fmt.Errorf("before any fault: %w", err)
			}
		}
		if err := f.clear(); err != nil {
			return err
		}
	} else {
		to := filepath.Join(scratch, "got")
		if err := errors.Join(s.Get(ctx, "large", to), os.Remove(to)); err != nil {
			return fmt.Errorf("before any fault: %w", err)
		}
	}
	f.stall = max(Quick.Stall, time.Since(began)/4)
	policy.Stall = f.stall
	if f.s, err = target.Open(ctx, proxy.URL, policy); err != nil {
		return err
	}
	var all []error
	for _, o := range f.operations() {
		for _, c := range f.cases(o) {
			if err := f.one(o, c); err != nil {
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

type faults struct {
	tester
	Target
	proxy *fault.Proxy
	stall time.Duration // of the policy: more than Quick's where the machine is busy
}

// operation is one use of a store, that has one request to fail.
type operation struct {
	name   string
	match  func(*http.Request) bool // the request that fails
	middle int64                    // bytes of its content that may pass before
	single bool                     // it is the only request
	do     func(ctx context.Context) error
	check  func() error // after it has succeeded
	undone func() error // after it has failed
}

func (f *faults) operations() []operation {
	local := filepath.Join(f.scratch, "got")
	get := func(key, name string) operation {
		return operation{
			name: name, match: method(http.MethodGet), middle: min(1<<20, int64(len(f.Content[key])/2)), single: key == "small",
			do: func(ctx context.Context) error { return f.s.Get(ctx, key, local) },
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
	operations := []operation{get("small", "get"), get("large", "get in parts")}
	if store.ReadOnly(f.s) {
		return operations
	}
	put := func(key, name string) operation {
		source := filepath.Join(f.scratch, "source")
		return operation{
			name: name, match: uploads, middle: min(1<<20, int64(len(f.Content[key])/2)), single: key == "small",
			do: func(ctx context.Context) error {
				if err := os.WriteFile(source, f.Content[key], 0o600); err != nil {
					return err
				}
				return f.s.Put(ctx, source, "new")
			},
			check: func() error {
				f.proxy.Inject()
				return errors.Join(f.want("new", f.Content[key]), f.s.Delete(f.ctx, "new"), f.clear())
			},
			undone: func() error {
				f.proxy.Inject()
				return errors.Join(f.wantKeys("", "large", "small"), f.onlyFile("source"), f.clear())
			},
		}
	}
	return append(operations, put("small", "put"), put("large", "put in parts"),
		operation{
			name: "list", match: method(http.MethodGet), single: true,
			do: func(ctx context.Context) error {
				t := f.tester
				t.ctx = ctx
				return t.wantKeys("", "large", "small")
			},
		},
		operation{
			name: "delete", match: not(method(http.MethodGet)), single: true,
			do: func(ctx context.Context) error { return f.s.Delete(ctx, "small") },
			check: func() error {
				f.proxy.Inject()
				return errors.Join(f.wantKeys("", "large"), f.put("small", f.Content["small"]), f.clear())
			},
			undone: func() error {
				f.proxy.Inject()
				return f.wantKeys("", "large", "small")
			},
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

// failing is a case: what goes wrong, and how it must end.
type failing struct {
	name   string
	faults []fault.Fault
	is     error // that the error is; nil: the operation succeeds, unless fails
	fails  bool
	once   bool // no request is made again
	cancel bool // the context is cancelled while the request stands still
}

func (f *faults) cases(o operation) []failing {
	next := func(x fault.Fault) fault.Fault { x.Match = o.match; return x }
	always := func(x fault.Fault) fault.Fault { x.Match, x.Always = o.match, true; return x }
	cases := []failing{
		{name: "503 twice", faults: []fault.Fault{next(fault.Fault{Status: 503}), next(fault.Fault{Status: 503})}},
		{name: "429", faults: []fault.Fault{next(fault.Fault{Status: 429, RetryAfter: 1})}},
		{name: "500", faults: []fault.Fault{next(fault.Fault{Status: 500})}},
		{name: "reset", faults: []fault.Fault{next(fault.Fault{Reset: true})}},
		{name: "standstill", faults: []fault.Fault{next(fault.Fault{Stall: true})}},
		{name: "503 for good", faults: []fault.Fault{always(fault.Fault{Status: 503})}, fails: true},
		{name: "403", faults: []fault.Fault{always(fault.Fault{Status: 403})}, fails: true, is: fs.ErrPermission, once: true},
		{name: "cancelled", faults: []fault.Fault{always(fault.Fault{Stall: true})}, fails: true, is: context.Canceled, cancel: true},
	}
	if o.middle > 0 {
		cases = append(cases,
			failing{name: "reset midway", faults: []fault.Fault{next(fault.Fault{Reset: true, After: o.middle})}},
			failing{name: "standstill midway", faults: []fault.Fault{next(fault.Fault{Stall: true, After: o.middle})}},
			failing{name: "cancelled midway", faults: []fault.Fault{always(fault.Fault{Stall: true, After: o.middle})}, fails: true, is: context.Canceled, cancel: true},
		)
	}
	if o.name != "list" && o.name != "delete" { // for those it is an answer
		cases = append(cases, failing{name: "404", faults: []fault.Fault{always(fault.Fault{Status: 404})}, fails: true, is: fs.ErrNotExist, once: true})
	}
	return cases
}

func (f *faults) one(o operation, c failing) error {
	ctx, cancel := context.WithCancel(f.ctx)
	defer cancel()
	f.proxy.Inject(c.faults...)
	if c.cancel {
		defer time.AfterFunc(f.stall/4, cancel).Stop()
	}
	start := time.Now()
	err := o.do(ctx)
	took := time.Since(start)
	requests, met := f.proxy.Requests()
	if !c.fails {
		if err != nil {
			return err
		}
		if !met {
			return fmt.Errorf("the fault was not met in %d requests", requests)
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
	case c.once && o.single && requests != 1:
		err = fmt.Errorf("%d requests, want 1", requests)
	case c.cancel && took > f.stall/4+5*f.stall:
		err = fmt.Errorf("came back %v after being cancelled", took)
	case !c.once && !c.cancel && o.single && requests != Quick.Attempts:
		err = fmt.Errorf("%d requests, want %d: %w", requests, Quick.Attempts, err)
	default:
		err = f.hides(err)
	}
	if o.undone != nil {
		err = errors.Join(err, o.undone())
	}
	return err
}

// hides returns an error if a text shows a secret.
func (f *faults) hides(err error) error { return hides(err, f.Secrets) }

func hides(err error, secrets []string) error {
	for ; err != nil; err = errors.Unwrap(err) {
		for _, s := range secrets {
			if strings.Contains(err.Error(), s) {
				return fmt.Errorf("the error shows the secret %q: %q", s, err)
			}
		}
	}
	return nil
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

// Denied returns an error unless every use of s, a store opened with credentials that the server does not take, ends in an
// error that is fs.ErrPermission, has each of the words of ways (how credentials were sought), and shows no secret.
func Denied(ctx context.Context, s store.Store, scratch string, ways, secrets []string) error {
	source := filepath.Join(scratch, "source")
	if err := os.WriteFile(source, []byte("x"), 0o600); err != nil {
		return err
	}
	defer os.Remove(source)
	var list error
	for _, list = range s.List(ctx, "") {
		break
	}
	uses := map[string]error{"get": s.Get(ctx, "k", filepath.Join(scratch, "got")), "list": list}
	if !store.ReadOnly(s) {
		uses["put"], uses["delete"] = s.Put(ctx, source, "k"), s.Delete(ctx, "k")
	}
	var all []error
	for use, err := range uses {
		if !errors.Is(err, fs.ErrPermission) {
			all = append(all, fmt.Errorf("%s: got error %v, want fs.ErrPermission", use, err))
			continue
		}
		for _, way := range ways {
			if !strings.Contains(err.Error(), way) {
				all = append(all, fmt.Errorf("%s: the error does not speak of %q: %v", use, way, err))
			}
		}
		all = append(all, hides(err, secrets))
	}
	return errors.Join(all...)
}
