package rt

// Channel operations of cells, which an interruption ends. The rewriter puts them in the place of
//
//	<-c                      Receive(c)
//	v, ok := <-c             v, ok := Receive2(c)
//	c <- v                   To(c).Send(v)
//	for v := range c {…}     for v, ꞶO, ꞶC := First(c); ꞶO; v, ꞶO = Receive2(ꞶC) {…}
//	for v = range c {…}      for v = range Each(c) {…}
//	select { cases }         select { cases; case <-Done(): panic(Halted()) }
//
// An operation that need not wait costs a call more than in plain Go; one that waits, a look at who waits.

// Receive is <-c.
func Receive[T any](c <-chan T) T {
	select {
	case v := <-c:
		return v
	default:
	}
	v, _ := receive(c)
	return v
}

// Receive2 is <-c with its second value, which tells whether v was sent and not made by the channel's end.
func Receive2[T any](c <-chan T) (v T, ok bool) {
	select {
	case v, ok = <-c:
		return v, ok
	default:
	}
	return receive(c)
}

// First is [Receive2] that also returns the channel, whose expression is evaluated once.
func First[T any](c <-chan T) (v T, ok bool, same <-chan T) {
	v, ok = Receive2(c)
	return v, ok, c
}

// Each ranges over a channel.
func Each[T any](c <-chan T) func(yield func(T) bool) {
	return func(yield func(T) bool) {
		for v, ok := Receive2(c); ok; v, ok = Receive2(c) {
			if !yield(v) {
				return
			}
		}
	}
}

// receive waits.
func receive[T any](c <-chan T) (v T, ok bool) {
	m := self()
	if m == nil {
		v, ok = <-c
		return v, ok
	}
	select {
	case v, ok = <-c:
		return v, ok
	case <-m.done():
		panic(m.halt())
	}
}

// Sender is a channel to send to; see [To].
type Sender[T any] struct{ c chan<- T }

// To begins a send. It takes the channel alone, so that the value is converted to the channel's type as Go does it.
func To[T any](c chan<- T) Sender[T] { return Sender[T]{c} }

// Send is c <- v.
func (s Sender[T]) Send(v T) {
	select {
	case s.c <- v:
		return
	default:
	}
	m := self()
	if m == nil {
		s.c <- v
		return
	}
	select {
	case s.c <- v:
	case <-m.done():
		panic(m.halt())
	}
}

// Done is what a select statement waits for beside its own cases: it is closed when the calling goroutine's run is
// interrupted, and nil for a goroutine that belongs to none.
func Done() <-chan struct{} {
	if m := self(); m != nil {
		return m.done()
	}
	return nil
}

// Halted is the panic value of a goroutine whose [Done] is closed.
func Halted() any {
	if m := self(); m != nil {
		return m.halt()
	}
	return Interrupted{}
}
