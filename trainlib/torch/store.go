package torch

import (
	"context"
	"net"
	"runtime"
	"strconv"
	"time"
	"unsafe"
)

// Store is a c10d key-value store, through which the ranks of a job find each other. It is safe for concurrent use until
// Close.
type Store struct{ h uintptr }

// TCPStoreOptions are the arguments of torch.distributed.TCPStore; the zero value is a client with a timeout of five minutes
// that waits for nobody.
type TCPStoreOptions struct {
	Server         bool          // this process keeps the store
	WorldSize      int           // processes that will connect; 0: not known
	WaitForWorkers bool          // the server returns only when all have connected
	Timeout        time.Duration // of connecting and of waiting for keys; default 5 minutes
}

const defaultTimeout = 5 * time.Minute

func milliseconds(d time.Duration) int64 {
	if d <= 0 {
		d = defaultTimeout
	}
	return d.Milliseconds()
}

// NewTCPStore connects to the store at host:port, or opens it there. Port 0 on the server takes a free port; the port in use
// is returned. torch.distributed's env:// rendezvous keeps the store in rank 0 unless TORCHELASTIC_USE_AGENT_STORE is "True".
func NewTCPStore(host string, port int, opts TCPStoreOptions) (*Store, int, error) {
	l, err := load(context.Background())
	if err != nil {
		return nil, 0, err
	}
	var h uintptr
	var bound int32
	if e := l.tcpStoreNew(host, int32(port), cbool(opts.Server), int64(opts.WorldSize), cbool(opts.WaitForWorkers), milliseconds(opts.Timeout), &h, &bound); e != 0 {
		return nil, 0, failure("store "+net.JoinHostPort(host, strconv.Itoa(port)), e)
	}
	return &Store{h}, int(bound), nil
}

// NewPrefixStore is a view of a store whose keys all begin with prefix and a slash.
func NewPrefixStore(prefix string, s *Store) (*Store, error) {
	var h uintptr
	if e := lib().prefixStoreNew(prefix, s.h, &h); e != 0 {
		return nil, failure("prefix store "+prefix, e)
	}
	return &Store{h}, nil
}

// Close lets go of the store; a server stops when the groups made of it are closed, too. Closing twice does nothing.
func (s *Store) Close() {
	if s.h != 0 {
		lib().storeFree(s.h)
		s.h = 0
	}
}

// Set stores a value.
func (s *Store) Set(key string, value []byte) error {
	e := lib().storeSet(s.h, key, unsafe.Pointer(unsafe.SliceData(value)), int64(len(value)))
	runtime.KeepAlive(value)
	return failure("store: set "+key, e)
}

// Get is the value of a key; it waits, up to the store's timeout, until there is one.
func (s *Store) Get(key string) ([]byte, error) {
	var p uintptr
	var n int64
	if e := lib().storeGet(s.h, key, &p, &n); e != 0 {
		return nil, failure("store: get "+key, e)
	}
	v := append([]byte{}, unsafe.Slice((*byte)(pointer(p)), n)...)
	lib().free(p)
	return v, nil
}

// Add adds to the counter of a key, which begins at 0, and returns the sum.
func (s *Store) Add(key string, delta int64) (int64, error) {
	var sum int64
	e := lib().storeAdd(s.h, key, delta, &sum)
	return sum, failure("store: add "+key, e)
}

// Has reports whether a key has a value now.
func (s *Store) Has(key string) (bool, error) {
	var there int32
	e := lib().storeCheck(s.h, key, &there)
	return there != 0, failure("store: check "+key, e)
}

// Delete removes a key and reports whether it was there.
func (s *Store) Delete(key string) (bool, error) {
	var deleted int32
	e := lib().storeDelete(s.h, key, &deleted)
	return deleted != 0, failure("store: delete "+key, e)
}

// Wait waits until a key has a value; timeout 0 is the store's.
func (s *Store) Wait(key string, timeout time.Duration) error {
	return failure("store: wait for "+key, lib().storeWait(s.h, key, timeout.Milliseconds()))
}
