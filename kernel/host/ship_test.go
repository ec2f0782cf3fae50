package host

import (
	"strings"
	"testing"
)

// shipCell declares what the tests of function shipping share: run ships a function and runs the program.
const shipCell = `import ("context"; "errors"; "fmt"; "os"; "os/exec"; "strings"; "sync"; "gomosaic/mdslib/ship")
func run(fn any) (string, error) {
	shipper, err := ship.Default()
	check(err)
	program, err := shipper.Ship(ctx, fn, ship.Entry{Package: "cellstest/entry", Func: "Main"})
	if err != nil {
		return "", err
	}
	out, err := exec.Command(program.Path, program.Args...).CombinedOutput()
	return string(out), err
}`

func TestShip(t *testing.T) {
	n := openNotebook(t)
	n.want(shipCell, "")
	n.want(`type conf struct { rate float64; names map[string]int; next *conf }
type shape interface { area() float64 }
type square struct { side float64 }
func (s square) area() float64 { return s.side * s.side }
c := conf{0.5, map[string]int{"a": 1}, &conf{rate: 2}}
var s shape = square{3}
var bag any = map[string]any{"list": []any{1, "two", square{4}}}
var nothing *conf
c.next.next = &c
shared := &c
unused := make(chan int)
steps := []int{1, 2, 3}
secret := "not the value that travels"
fmt.Println("a statement")`, "a statement")
	n.want(`func grad(x float64) float64 { return -1 }
func total() (sum int) { for _, k := range steps { sum += k }; return }
func twice[T any](x T) []T { return []T{x, x} }`, "")
	n.want("secret = \"yes\"\nsteps = append(steps, 4)", "")
	n.want("func grad(x float64) float64 { return 2 * x }", "") // an older caller sees the new one
	n.want(`func train(ctx context.Context, k int) (string, error) {
	fmt.Println(os.Args[0] != "", ctx.Err())
	return fmt.Sprint(k, c.rate, c.names["a"], c.next.rate, s.area(), bag.(map[string]any)["list"].([]any)[2].(shape).area(), nothing == nil, c.next.next == shared, total(), grad(4), twice(secret)), nil
}
text, err := run(train)
check(err)
fmt.Println(text)`, "true <nil>\n5 0.5 1 2 9 16 true true 10 8 [yes yes] <nil>")
	n.want("secret = \"again\"\ntext, err = run(train)\ncheck(err)\ntext", "[again again]")
}

// TestShipNames: in a program too, types have the user's names, not only what is shown of it.
func TestShipNames(t *testing.T) {
	n := openNotebook(t)
	n.want(shipCell, "")
	n.want(`import "encoding/json"
type model struct { Rate float64; cache []int; next *model }
type box[T any] struct { inner T }
m := model{Rate: 2, cache: []int{1}}
func names(c context.Context, k int) (string, error) {
	b, err := json.Marshal(m)
	text := fmt.Sprintf("%T %+v %s %v", box[model]{}, m, b, err)
	return fmt.Sprint(len(text), " ", text), nil
}
text, err := run(names)
check(err)
text`, `=> 67 main.box[main.model] {Rate:2 cache:[1] next:<nil>} {"Rate":2} <nil> <nil>`)
}

func TestShipPrelude(t *testing.T) {
	n := openNotebook(t)
	n.want(shipCell, "")
	n.want(`func work(c context.Context, k int) (string, error) {
	check1(fmt.Println("context", ctx.Err(), strings.Repeat("x", k)))
	Display("shown")
	return "fine", nil
}
text, err := run(work)
check(err)
text`, "context <nil> xxxxx\nshown\nfine <nil>")
	n.want(`func broken(c context.Context, k int) (string, error) {
	check(errors.New("bad luck"))
	return "", nil
}
text, err = run(broken)
fmt.Println(err, text)`, "exit status 2 panic: bad luck\n    at cell[3]:2")
}

func TestShipRefuses(t *testing.T) {
	n := openNotebook(t)
	n.want(shipCell, "")
	n.want(`ch := make(chan int)
var mu sync.Mutex
type node struct { next *node; f func() }
loop := []any{nil}
loop[0] = loop
hooks := map[string]node{"a": {f: func() {}}}
var box any = errors.New("x")
type T struct{}
func (T) m(c context.Context, k int) (string, error) { return "", nil }
func usesCh(c context.Context, k int) (string, error) { return fmt.Sprint(len(ch)), nil }
func usesMu(c context.Context, k int) (string, error) { mu.Lock(); return "", nil }
func usesLoop(c context.Context, k int) (string, error) { return fmt.Sprint(len(loop)), nil }
func usesHooks(c context.Context, k int) (string, error) { return fmt.Sprint(len(hooks)), nil }
func usesBox(c context.Context, k int) (string, error) { return fmt.Sprint(box), nil }`, "")
	for _, test := range []struct{ fn, text string }{
		{"usesCh", "variable ch cannot travel: ch is a channel (chan int)"},
		{"usesMu", "variable mu cannot travel: mu is a sync.Mutex, whose field"},
		{"usesLoop", "variable loop cannot travel: loop[0] leads back to itself"},
		{"usesHooks", "variable hooks cannot travel: hooks[a].f is a function value"},
		{"usesBox", "variable box cannot travel: box is a errors.errorString, whose field s is private"},
		{"T{}.m", "only a function that a cell declares at top level"},
		{"func(c context.Context, k int) (string, error) { return \"\", nil }", "only a function that a cell declares at top level"},
		{"strings.ToUpper", "only a function that a cell declares at top level"},
		{"12", "want a function that a cell declares, got int"},
	} {
		code := "if _, err := run(" + test.fn + "); err != nil { fmt.Println(err) }"
		if text, err := n.run(code); err != nil || !strings.Contains(text, test.text) {
			t.Errorf("%s gave %q, %v; want %q", test.fn, text, err, test.text)
		}
	}
}

func TestWarm(t *testing.T) {
	var said []string
	if err := Warm(t.Context(), testOptions, func(line string) { said = append(said, line) }); err != nil {
		t.Fatal(err)
	}
	if len(said) == 0 || !strings.HasPrefix(said[len(said)-1], "cells: warm in ") {
		t.Errorf("progress said %q", said)
	}
}
