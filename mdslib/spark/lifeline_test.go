package spark

import (
	"fmt"
	"testing"
	"time"

	"gomosaic/mdslib/ship/sealed"
)

// TestLifelines: a task is dismissed when its query has ended; one that names none, when those have that ran as it came.
func TestLifelines(t *testing.T) {
	var l lifelines
	if err := l.open("127.0.0.1"); err != nil {
		t.Fatal(err)
	}
	come := func(query string) (dismissed func() bool) {
		t.Helper()
		before := held(&l)
		conn, err := sealed.Dial(t.Context(), l.listener.Invitation())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { conn.Close() })
		fmt.Fprintln(conn, query)
		heard := make(chan struct{})
		go func() {
			if _, err := conn.Read(make([]byte, 1)); err != nil {
				t.Errorf("of query %q: %v", query, err)
			}
			close(heard)
		}()
		for range 1000 { // until it is held, or not
			if held(&l) > before {
				break
			}
			select {
			case <-heard:
				return func() bool { return true }
			case <-time.After(time.Millisecond):
			}
		}
		return func() bool {
			select {
			case <-heard:
				return true
			case <-time.After(50 * time.Millisecond):
				return false
			}
		}
	}
	want := func(what string, dismissed func() bool, want bool) {
		t.Helper()
		if got := dismissed(); got != want {
			t.Errorf("%s: dismissed: %t", what, got)
		}
	}
	endA, endB := l.begin("a"), l.begin("b")
	a, b, any, late := come("a"), come("b"), come(""), come("c")
	want("of no query that runs", late, true)
	want("of a", a, false)
	endA()
	want("of a, which has ended", a, true)
	want("of a or b", any, false)
	want("of b", b, false)
	endC := l.begin("c")
	endB()
	want("of b, which has ended", b, true)
	want("of a or b, which have ended", any, true)
	c := come("c")
	want("of c", c, false)
	l.close()
	want("when the session is closed", c, true)
	endC()
	if n := held(&l); n > 0 {
		t.Errorf("%d tasks are held", n)
	}
}

// held is how many tasks are.
func held(l *lifelines) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.tasks)
}
