package rt

import (
	"context"
	"fmt"
	"iter"
	"sync"
	"time"
)

// Waits of the standard library that an interruption ends. What waits is another goroutine; of an interrupted wait it
// stays behind until what it waits for happens.

// Sleep is time.Sleep.
func Sleep(d time.Duration) {
	m := self()
	if m == nil || d <= 0 {
		time.Sleep(d)
		return
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-m.done():
		panic(m.halt())
	}
}

// Wait is wait(), a method value like (*sync.WaitGroup).Wait.
func Wait(wait func()) { WaitFor(func() struct{} { wait(); return struct{}{} }) }

// WaitFor is wait(), a method value like (*errgroup.Group).Wait. Its panic is the caller's.
func WaitFor[T any](wait func() T) T {
	m := self()
	if m == nil {
		return wait()
	}
	type result struct {
		value    T
		panicked any
	}
	results := make(chan result, 1)
	go func() {
		var r result
		defer func() {
			r.panicked = recover()
			results <- r
		}()
		r.value = wait()
	}()
	select {
	case r := <-results:
		if r.panicked != nil {
			panic(r.panicked)
		}
		return r.value
	case <-m.done():
		panic(m.halt())
	}
}

// WaitCond is c.Wait(). Whatever ends it, c.L is locked when it does: a deferred Unlock finds what it expects. A signal
// that comes for a wait that was given up goes to the next waiter.
func WaitCond(c *sync.Cond) {
	m := self()
	if m == nil {
		c.Wait()
		return
	}
	woken, gone := make(chan struct{}), make(chan struct{})
	go func() {
		c.Wait()
		select {
		case woken <- struct{}{}: // with the lock
		case <-gone:
			c.L.Unlock()
			c.Signal()
		}
	}()
	select {
	case <-woken:
	case <-m.done():
		close(gone)
		c.L.Lock()
		panic(m.halt())
	}
}

// Go prepares a function that a library will start as a goroutine: it belongs to the run of the one who hands it over,
// and its panic is reported.
func Go(f func()) func() {
	run := Starting()
	return func() {
		defer run.Enter().End()
		f()
	}
}

// AfterFunc is [Go] for a function that a context's end starts. It often cleans up after an interruption: like a deferred
// function it is left in peace for a moment then.
func AfterFunc(f func()) func() {
	run := Starting()
	return func() {
		m := run.Enter()
		defer m.End()
		if run.Interrupted() {
			m.m.halted = time.Now()
		}
		f()
	}
}

// Seq is [Go] for the iterator that iter.Pull runs on a goroutine of its own; its panic is the puller's.
func Seq[V any](seq iter.Seq[V]) iter.Seq[V] {
	run := Starting()
	return func(yield func(V) bool) {
		defer run.Enter().Leave()
		seq(yield)
	}
}

// Seq2 is [Seq] for iter.Pull2.
func Seq2[K, V any](seq iter.Seq2[K, V]) iter.Seq2[K, V] {
	run := Starting()
	return func(yield func(K, V) bool) {
		defer run.Enter().Leave()
		seq(yield)
	}
}

// GoError is [Go] for a function with an error: that of a panic is the panic, that of an interruption context.Canceled.
func GoError(f func() error) func() error {
	run := Starting()
	return func() (err error) {
		m := run.Enter()
		defer func() {
			defer m.Leave()
			switch value := recover(); value.(type) {
			case nil:
			case Interrupted:
				err = context.Canceled
			default:
				report(value)
				err = fmt.Errorf("panic: %s", PanicText(value))
			}
		}()
		return f()
	}
}
