package rt

import (
	"context"
	"fmt"
	"runtime"
	"sync"
	"testing"
	"time"
	"weak"
)

// interruptible runs f as a goroutine of a run and returns the run and what f panicked with.
func interruptible(f func()) (*Run, chan any) {
	r, ended := NewRun(), make(chan any, 1)
	began := make(chan struct{})
	go func() {
		m := r.Enter()
		defer func() {
			v := recover()
			m.Leave()
			ended <- v
		}()
		close(began)
		f()
	}()
	<-began
	return r, ended
}

func TestRunsAreInterruptedAlone(t *testing.T) {
	var c chan int
	one, oneEnded := interruptible(func() { Receive(c) })
	two, twoEnded := interruptible(func() {
		for {
			if Stop.Load() != 0 {
				Halt()
			}
		}
	})
	one.Interrupt()
	one.Interrupt()
	if v := <-oneEnded; v != (Interrupted{}) {
		t.Errorf("ended with %v", v)
	}
	<-one.Over()
	select {
	case v := <-twoEnded:
		t.Errorf("the other run ended with %v", v)
	case <-time.After(20 * time.Millisecond):
	}
	two.Interrupt()
	if v := <-twoEnded; v != (Interrupted{}) {
		t.Errorf("ended with %v", v)
	}
	<-two.Over()
	if n := Stop.Load(); n != 0 {
		t.Errorf("Stop is %d when no run is left", n)
	}
}

func TestGoroutinesBelongToTheRunThatStartsThem(t *testing.T) {
	var child *Run
	r, ended := interruptible(func() {
		run := Starting()
		var wg sync.WaitGroup
		wg.Add(1)
		go func() {
			defer wg.Done()
			defer run.Enter().End()
			child = Starting()
		}()
		wg.Wait()
	})
	if v := <-ended; v != nil || child != r {
		t.Errorf("the child belongs to %p, its parent to %p (%v)", child, r, v)
	}
	if Starting() != nil {
		t.Error("a goroutine that no run started belongs to one")
	}
	r.Interrupt()
	<-r.Over()
	if n := Stop.Load(); n != 0 {
		t.Errorf("Stop is %d for a run without goroutines", n)
	}
}

// TestContextsAreLetGo: of runs that are over nothing stays, whatever was hung on their contexts.
func TestContextsAreLetGo(t *testing.T) {
	const runs = 10_000
	var old []weak.Pointer[Run]
	for range runs {
		r, ended := interruptible(func() {
			context.AfterFunc(*Context(), func() {})
			child, cancel := context.WithCancel(*Context())
			_, _ = child, cancel
		})
		r.Begin()
		<-ended
		old = append(old, weak.Make(r))
	}
	runtime.GC()
	kept := 0
	for _, r := range old {
		if r.Value() != nil {
			kept++
		}
	}
	if kept > 1 {
		t.Errorf("%d of %d runs are kept, want the last one at most", kept, runs)
	}
}

// loud is a value whose String method ends by an interruption only.
type loud struct{}

func (loud) String() string {
	for {
		if Stopped() {
			Halt()
		}
	}
}

// TestInterruptionsPassFmt: fmt recovers from panics of String methods, but not from an interruption.
func TestInterruptionsPassFmt(t *testing.T) {
	r, ended := interruptible(func() {
		for {
			_ = fmt.Sprintf("%v %v", loud{}, []any{loud{}})
		}
	})
	r.Interrupt()
	if v := <-ended; v != (Interrupted{}) {
		t.Errorf("ended with %v", v)
	}
	if text := fmt.Sprint(Interrupted{}); text != "interrupted" {
		t.Errorf("on a goroutine that is not interrupted it prints %q", text)
	}
}

func TestForgottenGoroutinesCostNothing(t *testing.T) {
	release := make(chan struct{})
	r, ended := interruptible(func() { <-release })
	r.Interrupt()
	if Stop.Load() != 1 {
		t.Error("a blocked goroutine of an interrupted run must find Stop set when it comes back")
	}
	r.Forget()
	if n := Stop.Load(); n != 0 {
		t.Errorf("Stop is %d", n)
	}
	close(release)
	<-ended
	<-r.Over()
	if n := Stop.Load(); n != 0 {
		t.Errorf("Stop is %d", n)
	}
}

// The price of waits that can be interrupted, each beside plain Go's.
func BenchmarkChannels(b *testing.B) {
	within := func(name string, f func(b *testing.B)) {
		b.Run(name, func(b *testing.B) {
			defer NewRun().Enter().Leave()
			f(b)
		})
	}
	buffered := make(chan int, 1)
	within("buffered/go", func(b *testing.B) {
		for range b.N {
			buffered <- 1
			<-buffered
		}
	})
	within("buffered/cell", func(b *testing.B) {
		for range b.N {
			To(buffered).Send(1)
			Receive(buffered)
		}
	})
	within("handover/go", func(b *testing.B) {
		c := make(chan int)
		go func() {
			for i := range b.N {
				c <- i
			}
			close(c)
		}()
		for range c {
		}
	})
	within("handover/cell", func(b *testing.B) {
		c := make(chan int)
		run := Starting()
		go func() {
			defer run.Enter().End()
			for i := range b.N {
				To(c).Send(i)
			}
			close(c)
		}()
		for _, ok, c := First(c); ok; _, ok = Receive2(c) {
		}
	})
	within("select/go", func(b *testing.B) {
		var none chan int
		for range b.N {
			select {
			case buffered <- 1:
			case <-none:
			}
			<-buffered
		}
	})
	within("select/cell", func(b *testing.B) {
		var none chan int
		for range b.N {
			select {
			case buffered <- 1:
			case <-none:
			case <-Done():
				panic(Halted())
			}
			<-buffered
		}
	})
	within("go/go", func(b *testing.B) {
		var wg sync.WaitGroup
		for range b.N {
			wg.Add(1)
			go func() { wg.Done() }()
		}
		wg.Wait()
	})
	within("go/cell", func(b *testing.B) {
		var wg sync.WaitGroup
		for range b.N {
			wg.Add(1)
			run := Starting()
			go func() {
				defer run.Enter().End()
				wg.Done()
			}()
		}
		Wait(wg.Wait)
	})
}
