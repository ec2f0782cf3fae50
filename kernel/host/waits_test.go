package host

import "testing"

// TestWaits: channels, select and waits mean in a cell what they mean in Go, although the rewriter replaces them.
func TestWaits(t *testing.T) {
	n := openNotebook(t)
	n.want(`import ("context"; "errors"; "fmt"; "sync"; "time"; "golang.org/x/sync/errgroup")
type flag bool
type pipe chan string
type pair struct { a int; b string }
var log []string
func say(s string) string { log = append(log, s); return s }
func filled[T any](vs ...T) chan T { c := make(chan T, len(vs)); for _, v := range vs { c <- v }; close(c); return c }
func drain[C ~chan T, T any](c C) (all []T) { for v := range c { all = append(all, v) }; v, ok := <-c; if ok { panic(v) }; return append(all, <-c) }
func first(a, b <-chan int) int { select { case v := <-a: return v; case v := <-b: return -v } }`, "")
	for _, test := range []struct{ code, want string }{
		{"c := filled(1, 2)\na, b := <-c, <-c\nv, ok := <-c\n[]any{a, b, v, ok}", "[1 2 0 false]"},
		{"var f flag = true\nvar v2 int\nv2, f = <-filled[int]()\nf", "false (main.flag)"},
		{"var any1, any2 any\nany1, any2 = <-filled(7)\n[]any{any1, any2}", "[7 true]"},
		{"var w, is = <-filled(pair{1, \"x\"})\nfmt.Sprint(w.b, is)", "xtrue"},
		{"(<-filled(pair{2, \"y\"})).a + len(<-filled(\"abc\"))", "5"},
		{"_, ok3 := <-filled[int](); if v, ok := <-filled(4); ok && !ok3 { fmt.Println(\"got\", v) }", "got 4"},
		{"anys := make(chan any, 4)\nanys <- 1; anys <- \"two\"; anys <- nil\nanys <- 'x' +\n\t1\n[]any{<-anys, <-anys, <-anys, <-anys}", "[1 \"two\" <nil> 121]"},
		{"errs := make(chan error, 1)\nerrs <- errors.New(\"e\")\n<-errs", "=> e"},
		{"fs := make(chan float32, 1)\nfs <- 1 << 3\n<-fs", "8 (float32)"},
		{"ends := func(in chan<- int, out <-chan int) int { in <- 3; return <-out }\nboth := make(chan int, 1)\nends(both, both)", "=> 3"},
		{"p := make(pipe, 1)\np <- \"named\"\n<-p", "named"},
		{"func give(c chan chan int) chan chan int { say(\"channel\"); return c }\nlog = nil\ncc := make(chan chan int, 1)\nfunc val() chan int { say(\"value\"); return filled(9) }\ngive(cc) <- val()\n<-<-cc + len(log)", "=> 11"},
		{"drain(filled(1, 2, 3))", "[1 2 3 0]"},
		{"var fns []func() int\nfor v := range filled(1, 2, 3) { if v == 2 { continue }; fns = append(fns, func() int { v++; return v }) }\n[]int{fns[0](), fns[0](), fns[1]()}", "[2 3 4]"},
		{"at := map[string]int{}\nfor at[\"k\"] = range filled(4, 5) { at[\"n\"]++ }\nat", "map[\"k\":5 \"n\":2]"},
		{"count := 0\nfor range filled(1, 2, 3) { count++ }\nouter: for v := range filled(1, 2) { for range filled(1, 2) { count += 10; if v == 1 { continue outer }; break outer } }\ncount", "=> 23"},
		{"func find(c chan int) int { for v := range c { if v > 1 { return v } }; return -1 }\nfind(filled(1, 2, 3))", "=> 2"},
		{"first(nil, filled(5))", "=> -5"},
		{"var nothing chan int\nselect { case <-nothing: case nothing <- 1: default: fmt.Println(\"default\") }", "default"},
		{"got := []string{}\nfeed := filled(\"a\", \"b\")\nloop: for { select { case s, ok := <-feed: if !ok { break loop }; got = append(got, s); case <-time.After(time.Hour): break loop } }\ngot", "[\"a\" \"b\"]"},
		{"log = nil\nfunc ch(s string, c chan int) chan int { say(s); return c }\nselect { case <-ch(\"1\", nil): case ch(\"2\", make(chan int, 1)) <- len(say(\"3\")): }\nlog", "[\"1\" \"2\" \"3\"]"},
		{"var slots [2]int\nselect { case slots[1] = <-filled(6): }\nslots", "[0 6]"},
		{"select { case <-(<-filled(filled(1))): fmt.Println(\"nested\") }", "nested"},
		{"type job struct { sync.WaitGroup; n int }\nj := &job{}\nj.Add(2)\ngo func(k int) { defer j.Done(); j.n += k }(3)\ngo func() { defer j.Done() }()\nj.Wait()\nj.n", "=> 3"},
		{"var g errgroup.Group\ng.Go(func() error { return nil })\ng.Go(func() error { return errors.New(\"bad\") })\ng.Wait()", "=> bad"},
		{"var g2 errgroup.Group\ng2.Go(func() error { var m map[int]int; m[1]++; return nil })\ng2.Wait()", "panic in goroutine: assignment to entry in nil map"},
		{"var mu sync.Mutex; cond := sync.NewCond(&mu); ready := 0\nfor range 3 { go func() { mu.Lock(); ready++; mu.Unlock(); cond.Signal() }() }\nmu.Lock(); for ready < 3 { cond.Wait() }; mu.Unlock(); ready", "=> 3"},
		{"func into[T any](c chan T, vs ...T) { for _, v := range vs { c <- v } ; close(c) }\nd := make(chan int)\ngo into(d, 1, 2)\ne := make(chan string)\ngo into(e, []string{\"x\"}...)\nfmt.Sprint(<-d, <-d, <-e)", "1 2x"},
		{"res := make(chan int, 1)\nhand := func(v int, c chan int) { c <- v }\ngo hand(<-filled(8), res)\n<-res", "=> 8"},
		{"wait := time.Sleep; start := time.Now(); time.Sleep(3 * time.Millisecond); wait(1); defer time.Sleep(1); time.Since(start) > 3*time.Millisecond", "true"},
		{"timeout, cancel := context.WithTimeout(ctx, time.Millisecond)\ndefer cancel()\n<-timeout.Done()\ntimeout.Err()", "deadline exceeded"},
		{"stop := context.AfterFunc(timeout, func() { panic(\"after\") })\ntime.Sleep(10 * time.Millisecond); stop()", "panic in goroutine: after\n    at cell[33]:1 in a function literal\n        stop := context.AfterFunc"},
	} {
		n.want(test.code, test.want)
	}
	n.fails("closed := filled[int]()\n\nclosed <- 1", "send on closed channel", "cell["+itoa(n.count+1)+"]:3")
}
