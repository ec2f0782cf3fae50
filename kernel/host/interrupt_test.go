package host

import (
	"context"
	"errors"
	"os"
	"strings"
	"testing"
	"time"
)

// stopped is within what an interrupted cell must stop.
const stopped = 100 * time.Millisecond

// starter tells when the cell's first text arrives.
type starter struct {
	*recorder
	started chan struct{}
}

func (s *starter) Stream(name, text string) {
	s.recorder.Stream(name, text)
	if s.started != nil {
		close(s.started)
		s.started = nil
	}
}

// begin runs a cell and returns when it has begun.
func (n *notebook) begin(code string) (out *recorder, done chan error) {
	n.t.Helper()
	running := make(chan struct{})
	out = &recorder{}
	done = make(chan error, 1)
	n.count++
	go func() {
		done <- n.Execute(context.Background(), "println(\"running\")\n"+code, n.count, &starter{recorder: out, started: running})
	}()
	select {
	case <-running:
	case err := <-done:
		n.t.Fatalf("%s\nended before it was interrupted: %v", code, err)
	}
	time.Sleep(20 * time.Millisecond)
	return out, done
}

// tellsBlocked is what the cells need that [notebook.blocks] runs: a goroutine that says when one more waits for mu.
const tellsBlocked = `func waiting() int64 { return reflect.ValueOf(&mu).Elem().FieldByName("mu").FieldByName("state").Int() >> 3 }
func tellWhenBlocked(before int64) {
	for waiting() == before { time.Sleep(time.Millisecond) }
	fmt.Println("blocked")
}`

// blocks runs a cell that blocks at mu and returns when it does.
func (n *notebook) blocks(code string) (done chan error) {
	n.t.Helper()
	out, done := n.begin("go tellWhenBlocked(waiting())\n" + code)
	eventually(n.t, func() bool { return strings.Contains(out.text(), "blocked") }, out.text)
	return done
}

// stops interrupts a cell and wants it to stop in time. One that a busy machine lets not come to that, and that is left behind for it,
// was late.
func (n *notebook) stops(code string) {
	n.t.Helper()
	inTime(n.t, stopped, code, func() time.Duration {
		_, done := n.begin(code)
		at := time.Now()
		n.Interrupt()
		err := <-done
		took := time.Since(at)
		var e *CellError
		if !errors.As(err, &e) || e.Name != "interrupted" || took < patience && e.Value != "interrupted" {
			n.t.Errorf("%s\ngave %v after %v, want interrupted", code, err, took)
		}
		return took
	})
}

// inTime does something until it says that it took no more than most: a busy machine may be late many times, but not always.
func inTime(t *testing.T, most time.Duration, what string, do func() time.Duration) {
	t.Helper()
	var took time.Duration
	for range 30 {
		if took = do(); took <= most || t.Failed() {
			return
		}
	}
	t.Errorf("%s\ntook %v, and never less than %v", what, took, most)
}

// ages is longer than the busiest machine takes for what takes a moment.
const ages = time.Minute

func TestInterrupt(t *testing.T) {
	n := openNotebook(t)
	n.want(`import ("context"; "fmt"; "sort"; "sync"; "time")
x := 0
var none chan int
var wg sync.WaitGroup
wg.Add(1)
var mu sync.Mutex
cond := sync.NewCond(&mu)
type named chan string
func wait(ctx context.Context) error { <-ctx.Done(); return context.Cause(ctx) }
type loud struct{}
func (loud) String() string { for { } }`, "")
	n.want("func second(k int) {}\nfunc first(k int) { second(k); second(k) }", "")
	for _, code := range []string{
		"for {}",
		"for { x++ }",
		"for i := 0; i < 1<<62; i++ { x += i }",
		"for i := 1; i < 1<<62; i += 2 { x += i }",
		"for i := uint8(0); i < 255; i += 2 { x++ }",
		"n := 1; for n != 0 { n = n*4 + 1 }\nx += n",
		"for range 1<<62 { x++ }",
		"xs := make([]int, 1<<24)\nfor { for _, v := range xs { x += v } }",
		"for a := range 1<<30 { for b := 1; b < 1000; b++ { for c := range 3 { x += a*b*c } } }",
		"again: x++; goto again",
		"for range func(yield func() bool) { for yield() {} } { x++ }",
		"func spin(k int) { if k > 0 { spin(k-1); spin(k-1) } }\nspin(60)",
		"type walker struct{}\nfunc (w walker) odd(k int) { if k > 0 { w.even(k-1); w.even(k-1) } }\nfunc (w walker) even(k int) { if k > 0 { w.odd(k-1); w.odd(k-1) } }\nwalker{}.odd(60)",
		"var rec func(int)\nrec = func(k int) { if k > 0 { rec(k-1); rec(k-1) } }\nrec(60)",
		"func sorted(k int) bool { if k > 0 { sort.Slice([]int{2, 1}, func(i, j int) bool { return sorted(k-1) && sorted(k-1) }) }; return true }\nsorted(60)",
		"func second(k int) { if k > 0 { first(k-1); first(k-1) } }\nsecond(60)", // through the first, which it redefines: see above
		"for { func() { defer func() { recover() }(); for {} }() }",
		"for { time.Sleep(time.Millisecond) }",
		"time.Sleep(time.Hour)",
		"func() { defer func() { recover() }(); time.Sleep(time.Hour) }()",
		"<-none",
		"v, ok := <-none; _, _ = v, ok",
		"none <- 1",
		"none <- <-none",
		"fmt.Println(<-none)",
		"for range none { }",
		"for v := range make(chan int) { fmt.Println(v) }",
		"var v int; for v = range none { }; v",
		"for s := range make(named) { fmt.Println(s) }",
		"select {}",
		"select { case v := <-none: fmt.Println(v); case none <- 1: }",
		"select { case <-time.After(time.Hour): case none <- 2: }",
		"outer: for { select { case <-none: break outer } }",
		"func() int { select { case v := <-none: return v } }()",
		"wg.Wait()",
		"func() { mu.Lock(); defer mu.Unlock(); for { cond.Wait() } }()",
		"<-ctx.Done()\ncheck(ctx.Err())",
		"check(wait(ctx))",
		"check(fmt.Errorf(\"late: %v\", wait(ctx)))",
		"var w sync.WaitGroup; for range 4 { w.Go(func() { for {} }) }; w.Wait()",
		"var w sync.WaitGroup; for range 4 { w.Add(1); go func() { <-none; w.Done() }() }; w.Wait()",
		"done := make(chan bool); go func() { defer close(done); for {} }(); <-done",
	} {
		n.stops(code)
	}
	n.want("mu.Lock(); mu.Unlock()", "") // cond.Wait left it to the deferred Unlock
	n.want("x != 0", "=> true")
	n.want("ctx.Err()", "") // a new cell has a new context
}

// TestInterruptCallbacks: loops of libraries stop where they call functions and methods of cells.
func TestInterruptCallbacks(t *testing.T) {
	n := openNotebook(t)
	n.want(`import ("cmp"; "encoding/json"; "io"; "io/fs"; "iter"; "maps"; "path/filepath"; "slices"; "sort"; "strings"; "text/template")
scrambled := make([]uint32, 1<<22)
for i := range scrambled { scrambled[i] = uint32(i) * 2654435761 }
many := func() []uint32 { return slices.Clone(scrambled) }
text := strings.Repeat("x", 1<<27)
func less(a, b uint32) int { return cmp.Compare(a, b) }
order := func(a, b uint32) int { return cmp.Compare(a, b) }
type numbers []uint32
func (n numbers) Len() int { return len(n) }
func (n numbers) Less(i, j int) bool { return n[i] < n[j] }
func (n numbers) Swap(i, j int) { n[i], n[j] = n[j], n[i] }
type endless struct{}
func (endless) Loop() string { for {} }
func (endless) MarshalJSON() ([]byte, error) { for {} }
type ordering struct{}
func (o ordering) compare(a, b uint32) int { return int(a>>1) - int(b>>1) }
func (o ordering) long(a, b uint32) int { x, y := int(a), int(b); `+strings.Repeat("x, y = y^x>>3, x^y>>5; ", 10)+`return x - y }
byOrdering := func(xs []uint32) { slices.SortFunc(xs, ordering{}.compare) }
type zeros struct{}
func (zeros) Read(p []byte) (int, error) { return len(p), nil }`, "")
	for _, code := range []string{
		"xs := many(); sort.Slice(xs, func(i, j int) bool { return xs[i] < xs[j] })",
		"slices.SortFunc(many(), less)",
		"slices.SortStableFunc(many(), order)",
		"func() { by := func(a, b uint32) int { return cmp.Compare(a, b) }; slices.SortFunc(many(), by) }()",
		"sort.Sort(numbers(many()))",
		"byOrdering(many())",
		"slices.SortFunc(many(), ordering{}.long)",
		"strings.Map(func(r rune) rune { return r }, text)",
		"maps.Insert(map[int]int{}, func(yield func(int, int) bool) { for yield(1, 2) {} })",
		"template.Must(template.New(\"\").Parse(\"{{.Loop}}\")).Execute(io.Discard, endless{})", // which recovers
		"json.Marshal([]any{endless{}})",
		"next, stop := iter.Pull(func(yield func(int) bool) { for yield(1) { for {} } }); next(); defer stop(); next()",
		"var seq iter.Seq2[int, string] = func(yield func(int, string) bool) { for {} }; more, _ := iter.Pull2(seq); more()",
		"check1(io.Copy(io.Discard, zeros{}))",
		"for { check(filepath.WalkDir(\".\", func(string, fs.DirEntry, error) error { return nil })) }",
	} {
		n.stops(code)
	}
	n.want("1 + 1", "=> 2")
	n.want("import \"sync\"\nonce := sync.OnceFunc(func() { for {} })", "")
	n.stops("once()")
	n.fails("once()", "panic: interrupted in an earlier cell; sync.OnceFunc")
}

// TestInterruptRunsDeferred: what an interrupted cell deferred may loop, wait and use channels, for a moment.
func TestInterruptRunsDeferred(t *testing.T) {
	n := openNotebook(t)
	n.want("import (\"fmt\"; \"time\")\nsum := 0\nclean := make(chan int, 1)\nfunc tidy() { sum := 0; for i := range 1000 { sum += i }; time.Sleep(10*time.Millisecond); clean <- sum }", "")
	inTime(t, stopped, "a deferred function", func() time.Duration {
		out, done := n.begin("func() { defer tidy(); fmt.Println(\"deferred\"); select {} }()")
		eventually(t, func() bool { return strings.Contains(out.text(), "deferred") }, out.text)
		at := time.Now()
		n.Interrupt()
		<-done
		took := time.Since(at)
		n.want("<-clean", "=> 499500")
		return took
	})
	out, done := n.begin("func() { defer func() { for { sum++ } }(); fmt.Println(\"deferred\"); select {} }()")
	eventually(t, func() bool { return strings.Contains(out.text(), "deferred") }, out.text)
	at := time.Now()
	n.Interrupt()
	<-done
	if took := time.Since(at); took > ages {
		t.Errorf("an endless deferred function held the cell for %v", took)
	}
}

// TestInterruptLeavesOthers: goroutines of earlier cells go on, those of the interrupted cell end.
func TestInterruptLeavesOthers(t *testing.T) {
	n := openNotebook(t)
	n.want(`import ("fmt"; "sync/atomic"; "time")
jobs, results := make(chan int), make(chan int)
var beats atomic.Int64
go func() { for j := range jobs { results <- 2 * j } }()
go func() { for { beats.Add(1); time.Sleep(time.Millisecond) } }()
double := func(k int) int { jobs <- k; return <-results }`, "")
	n.want("double(4)", "=> 8")
	n.stops("var mine atomic.Int64\ngo func() { for { mine.Add(1) } }()\nselect {}")
	n.want("double(5)", "=> 10")
	n.want("for b := beats.Load(); beats.Load() == b; { time.Sleep(time.Millisecond) }", "")                   // it beats
	n.want("for m := int64(-1); mine.Load() != m; { m = mine.Load(); time.Sleep(20 * time.Millisecond) }", "") // it does not, or will not
}

// TestInterruptSparesLibraries: a callback on a library's goroutine, whose panic nobody would recover, goes on.
func TestInterruptSparesLibraries(t *testing.T) {
	n := openNotebook(t)
	n.want("import (\"cellstest/mypkg\"; \"time\")\nx := 1\nvar stop bool", "")
	n.stops("mypkg.Start(func() { for !stop { x++; time.Sleep(time.Millisecond) } })\nselect {}")
	n.want("for a := x; x == a; { time.Sleep(time.Millisecond) }\nstop = true", "")
}

// TestInterruptRendering: methods of values run when the cell shows them, prints them or fails with them, and are
// interrupted like the rest of the cell.
func TestInterruptRendering(t *testing.T) {
	n := openNotebook(t)
	n.want(`import ("fmt"; "log"; "reflect"; "sync"; "time")
type loud struct{}
func (loud) String() string { for {} }
type slow struct{}
func (slow) String() string { time.Sleep(time.Minute); return "slow" }
type page struct{}
func (page) HTML() string { for {} }
type picture struct{}
func (picture) SVG() string { return fmt.Sprint(slow{}) }
type ill struct{}
func (ill) Error() string { for {} }
type odd struct{}
func (odd) MarshalJSON() ([]byte, error) { for {} }
type record struct{}
func (record) JSON() map[string]any { return map[string]any{"odd": odd{}} }
var mu sync.Mutex
mu.Lock()
type stuck struct{}
func (stuck) String() string { mu.Lock(); return "stuck" }
`+tellsBlocked+`
var kept loud`, "")
	for _, code := range []string{
		"loud{}",
		"slow{}",
		"page{}",
		"picture{}",
		"ill{}",
		"record{}",
		"func() (int, loud) { return 1, loud{} }()",
		"make([]loud, 3)",
		"struct{ A, B loud }{}",
		"display.Display(loud{})",
		"display.Display(slow{})",
		"display.Display(record{})",
		"for { display.Display(make([]slow, 3)) }",
		"loads := make(chan loud, 1); loads <- loud{}; for l := range loads { fmt.Println(l, slow{}) }",
		"for { _ = fmt.Sprint(loud{}) }",
		"log.Print(slow{})",
		"check(ill{})",
		"panic(ill{})",
		"panic(slow{})",
		"go func() { panic(ill{}) }(); select {}",
		"%whos",
	} {
		n.stops(code)
		n.want("1 + 1", "=> 2")
	}
	done := n.blocks("stuck{}")
	n.Interrupt()
	var e *CellError
	if err := <-done; !errors.As(err, &e) || !strings.Contains(e.Text(), "left behind") || !strings.Contains(e.Text(), "in stuck.String") {
		t.Errorf("gave %v", err)
	}
	n.want("mu.Unlock()\ntime.Sleep(50 * time.Millisecond)\n1 + 1", "=> 2") // what comes back shows nothing
}

func TestInterruptBlocked(t *testing.T) {
	n := openNotebook(t)
	n.want("import (\"fmt\"; \"reflect\"; \"sync\"; \"time\")\nx := 1\nvar mu sync.Mutex\n"+tellsBlocked, "")
	done := n.blocks("x = 2\nmu.Lock()\nmu.Lock()")
	at := time.Now()
	n.Interrupt()
	var e *CellError
	if err := <-done; !errors.As(err, &e) || e.Name != "interrupted" || !strings.Contains(e.Text(), "sync.Mutex.Lock") || !strings.Contains(e.Text(), "cell[2]:5") || !strings.Contains(e.Text(), "restart the kernel") {
		t.Fatalf("gave %v, want the place where the cell is blocked, and the way out", err)
	}
	if took := time.Since(at); took > ages {
		t.Errorf("took %v", took)
	}
	n.want("x", "=> 2 (int)")

	// Between cells, an interrupt says what is still there and how to be rid of it.
	out := &recorder{}
	if err := n.Execute(t.Context(), "x = 3", 9, out); err != nil {
		t.Fatal(err)
	}
	n.Interrupt()
	eventually(t, func() bool {
		return strings.Contains(out.text(), "cell[2], interrupted before, is still there") && strings.Contains(out.text(), "    at cell[2]:5\n        mu.Lock()\n") && strings.Contains(out.text(), "restart the kernel")
	}, out.text)
	n.want("mu.Unlock()", "") // lets it go on, and end
	said := ""
	eventually(t, func() bool { // once nothing is left behind any more, an interrupt says nothing
		out := &recorder{}
		if err := n.Execute(t.Context(), "fmt.Print(x)", 12, out); err != nil {
			t.Fatal(err)
		}
		n.Interrupt()
		n.want("x", "=> 3 (int)")
		said = out.text()
		return said == "3"
	}, func() string { return said })
}

// TestInterruptShownFrame: a DataFrame that is being computed to be shown stops, too: its methods that show it have no ctx.
func TestInterruptShownFrame(t *testing.T) {
	n := openNotebook(t)
	n.want("import _ \"gomosaic/mdslib/local\"\nlong := check1(mdslib.Connect(ctx, \"local\")).Range(0, 1<<40).Select(\"sum(hash(id)) AS s\")", "")
	n.stops("long")
}

// TestInterruptTidies: a cell whose library is ending what it began elsewhere gets the time for it, and is not left behind.
func TestInterruptTidies(t *testing.T) {
	n := openNotebook(t)
	out, done := n.begin(`distributor.RunProgram(ctx, distributor.TorchDistributor{LocalMode: true, GraceSeconds: 1.3}, "/bin/sh", "-c", "trap '' TERM; echo deaf; while :; do sleep 0.1; done")`)
	eventually(t, func() bool { return strings.Contains(out.text(), "deaf") }, out.text)
	at := time.Now()
	n.Interrupt()
	var e *CellError
	if err := <-done; !errors.As(err, &e) || e.Name != "interrupted" || strings.Contains(e.Text(), "left behind") {
		t.Errorf("gave %v", err)
	}
	if took := time.Since(at); took < patience {
		t.Errorf("took %v, so nothing was waited for", took)
	}
}

func TestSecondInterrupt(t *testing.T) {
	n := openNotebook(t)
	n.want("import (\"fmt\"; \"reflect\"; \"sync\"; \"time\")\nvar mu sync.Mutex\nmu.Lock()\n"+tellsBlocked, "")
	inTime(t, patience/2, "the second interrupt", func() time.Duration {
		done := n.blocks("mu.Lock()")
		at := time.Now()
		n.Interrupt()
		time.Sleep(20 * time.Millisecond)
		n.Interrupt()
		var e *CellError
		if err := <-done; !errors.As(err, &e) || e.Name != "interrupted" || !strings.Contains(e.Text(), "restart the kernel") {
			t.Errorf("gave %v", err)
		}
		return time.Since(at)
	})
	n.want("1 + 1", "=> 2")
}

// TestInterruptLeftBehindStays: what was left behind does not compute on when its wait ends.
func TestInterruptLeftBehindStays(t *testing.T) {
	n := openNotebook(t)
	n.want("import (\"fmt\"; \"reflect\"; \"sync\"; \"time\")\nvar mu sync.Mutex\nmu.Lock()\nx := 0\n"+tellsBlocked, "")
	done := n.blocks("mu.Lock()\nfor { x++ }")
	n.Interrupt()
	n.Interrupt()
	<-done
	n.want("mu.Unlock()\ntime.Sleep(20 * time.Millisecond)", "")
	n.want("x == 0", "=> true")
	n.want("for range 1000 { x++ }\nx", "=> 1000")
}

// TestInterruptChildren: a cell that waits for a process ends with it; processes of earlier cells go on.
func TestInterruptChildren(t *testing.T) {
	n := openNotebook(t)
	text, _ := n.run("import \"os/exec\"\nserver := exec.Command(\"sleep\", \"1000\")\ncheck(server.Start())\nserver.Process.Pid")
	var server int
	if _, err := sscan(text, &server); err != nil {
		t.Fatal(err)
	}
	inTime(t, childrenAfter+stopped, "a cell that waits for a process", func() time.Duration {
		_, done := n.begin("check(exec.Command(\"sleep\", \"1000\").Run())")
		at := time.Now()
		n.Interrupt()
		var e *CellError
		if err := <-done; !errors.As(err, &e) || e.Name != "interrupted" || e.Value != "interrupted" {
			t.Errorf("gave %v", err)
		}
		return time.Since(at)
	})
	if stat, err := os.ReadFile("/proc/" + itoa(server) + "/stat"); err != nil || strings.Contains(string(stat), ") Z ") {
		t.Errorf("an earlier cell's process has ended: %s %v", stat, err)
	}
}

// eventually waits for a condition.
func eventually(t *testing.T, ok func() bool, state func() string) {
	t.Helper()
	for deadline := time.Now().Add(ages); !ok(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("it did not happen: %s", state())
		}
	}
}
