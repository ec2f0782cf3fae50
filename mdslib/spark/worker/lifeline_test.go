package worker

import (
	"net"
	"strings"
	"testing"
	"time"

	"gomosaic/mdslib/ship/sealed"
)

// TestLifeline: when a task learns that it is not wanted, and when it goes without a lifeline.
func TestLifeline(t *testing.T) {
	const silent = "255.255.255.255" // no connection is made to it, and none refused
	for name, test := range map[string]struct {
		host   string                                      // that the task is told
		before func(l *sealed.Listener)                    // the task comes
		then   func(l *sealed.Listener, task *sealed.Conn) // with the tasks that come
		comes  int                                         // how often
		want   string
	}{
		"dismissed": {then: func(_ *sealed.Listener, task *sealed.Conn) { Dismiss(task) }, comes: 1, want: "given up"},
		"the driver ends": {then: func(l *sealed.Listener, task *sealed.Conn) {
			l.Close()
			task.Close()
		}, comes: 1, want: "connection refused"},
		"the driver has ended": {before: func(l *sealed.Listener) { l.Close() }, want: "connection refused"},
		"out of reach":         {host: silent},
		"another one there": {before: func(l *sealed.Listener) {
			l.Close()
			other, err := net.Listen("tcp", l.Address())
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { other.Close() })
			go func() {
				for conn, err := other.Accept(); err == nil; conn, err = other.Accept() {
					conn.Write(make([]byte, 1000))
					conn.Close()
				}
			}()
		}, want: "does not know the token"},
	} {
		t.Run(name, func(t *testing.T) {
			listener, err := sealed.Listen("127.0.0.1:0", test.host)
			if err != nil {
				t.Fatal(err)
			}
			defer listener.Close()
			if test.before != nil {
				test.before(listener)
			}
			come := make(chan int)
			go func() {
				n := 0
				for task, err := listener.Accept(); err == nil; task, err = listener.Accept() {
					if query, err := AskedFor(task); query != "tulips" || err != nil {
						t.Errorf("query %q, %v", query, err)
					}
					n++
					test.then(listener, task)
				}
				come <- n
			}()
			l := lifeline{listener.Invitation(), "tulips", time.Millisecond, 50 * time.Millisecond}
			if err := l.hold(t.Context()); (err == nil) != (test.want == "") || err != nil && !strings.Contains(err.Error(), test.want) {
				t.Errorf("%v, want %s", err, test.want)
			}
			listener.Close()
			if n := <-come; n != test.comes {
				t.Errorf("it came %d times", n)
			}
		})
	}
}

// TestLifelineBreaks: a task whose connection breaks comes again.
func TestLifelineBreaks(t *testing.T) {
	listener, err := sealed.Listen("127.0.0.1:0", "")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	go func() {
		for range 2 * lifelineTries {
			task, err := listener.Accept()
			if err != nil {
				return
			}
			_, _ = AskedFor(task)
			task.Close()
		}
		task, err := listener.Accept()
		if err == nil {
			Dismiss(task)
		}
	}()
	l := lifeline{listener.Invitation(), "", time.Millisecond, time.Minute}
	if err := l.hold(t.Context()); err == nil || !strings.Contains(err.Error(), "given up") {
		t.Error(err)
	}
}
