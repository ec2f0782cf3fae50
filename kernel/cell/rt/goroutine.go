package rt

import (
	"sync"
	"time"
)

// goroutine identifies the running goroutine for as long as it runs: the address of its g, which is only ever compared.
// Go has no goroutine-local storage, and an interruption must reach the goroutines of one cell and no others: a panic on
// a goroutine of a library, which nobody recovers, would end the process.
//
//go:noescape
func goroutine() uintptr

// member is a goroutine that belongs to a run. Only that goroutine uses it.
type member struct {
	run    *Run
	halted time.Time // when it was first unwound by an interruption; zero: not yet
	outer  *member   // what the goroutine belonged to before
}

// members are all goroutines that belong to runs, by [goroutine], in shards: a cell may start a million of them.
var members [64]shard

type shard struct {
	mu sync.Mutex
	of map[uintptr]*member
	_  [40]byte // no two locks in one cache line
}

func shardOf(g uintptr) *shard { return &members[uint64(g)*0x9E3779B97F4A7C15>>58] }

// self is the calling goroutine's membership, or nil.
func self() *member {
	g := goroutine()
	s := shardOf(g)
	s.mu.Lock()
	m := s.of[g]
	s.mu.Unlock()
	return m
}

func (m *member) join() {
	g := goroutine()
	s := shardOf(g)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.of == nil {
		s.of = map[uintptr]*member{}
	}
	m.outer = s.of[g]
	s.of[g] = m
}

func (m *member) leave() {
	g := goroutine()
	s := shardOf(g)
	s.mu.Lock()
	defer s.mu.Unlock()
	if m.outer != nil {
		s.of[g] = m.outer
	} else {
		delete(s.of, g)
	}
}
