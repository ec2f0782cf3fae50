package snapshot

import (
	"bytes"
	"math/big"
	"net/netip"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"
)

type pair struct {
	A  int
	Kv map[string][]float64
	P  *pair
}

type named interface{ Name() string }

// Dog and Cat are met inside interfaces.
type (
	Dog struct{ N string }
	Cat struct{ N string }
)

func (d *Dog) Name() string { return d.N }

// testTypes are what a program would be written with.
var testTypes = Types{
	"*‹gomosaic/kernel/cell/rt/snapshot›.Dog": reflect.TypeFor[*Dog](), "‹gomosaic/kernel/cell/rt/snapshot›.Cat": reflect.TypeFor[Cat](),
	"*‹gomosaic/kernel/cell/rt/snapshot›.Cat": reflect.TypeFor[*Cat](), "map[string]any": reflect.TypeFor[map[string]any](), "[]any": reflect.TypeFor[[]any](),
}

// roundTrip saves the variables behind pointers and loads them into fresh ones.
func roundTrip(t *testing.T, from, to []any) {
	t.Helper()
	var variables []Variable
	pointers := map[string]any{}
	for i, p := range from {
		key := string(rune('a' + i))
		variables = append(variables, Variable{Name: key, Key: key, Pointer: p})
		pointers[key] = to[i]
	}
	var b bytes.Buffer
	refs, err := Save(&b, variables)
	if err != nil {
		t.Fatal(err)
	}
	for _, ref := range refs {
		if testTypes[ref] == nil {
			t.Errorf("the program would not know %s", ref)
		}
	}
	if err := Load(&b, pointers, testTypes); err != nil {
		t.Fatal(err)
	}
	for i := range from {
		if got, want := reflect.ValueOf(to[i]).Elem().Interface(), reflect.ValueOf(from[i]).Elem().Interface(); !reflect.DeepEqual(got, want) {
			t.Errorf("variable %d: %v, want %v", i, got, want)
		}
	}
}

func TestSnapshot(t *testing.T) {
	p := pair{1, map[string][]float64{"x": {1, 2}}, &pair{A: 2}}
	var n named = &Dog{"rex"}
	var none named
	var nilPointer *pair
	when := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	var anything any = map[string]any{"k": []any{1, "two", Cat{"n"}}}
	p2, n2, none2, nil2, when2, any2 := pair{}, named(nil), named(nil), (*pair)(nil), time.Time{}, any(nil)
	var f, f2 func()
	roundTrip(t, []any{&p, &n, &none, &nilPointer, &when, &anything, &f}, []any{&p2, &n2, &none2, &nil2, &when2, &any2, &f2})
}

func TestSnapshotRefuses(t *testing.T) {
	loop := []any{nil}
	loop[0] = loop
	ch := make(chan int)
	var mu sync.Mutex
	list := []any{1, func() {}}
	for want, pointer := range map[string]any{
		"x[0] leads back to itself": &loop, "x is a channel": &ch, "whose field": &mu, "x[1] is a function value": &list} {
		_, err := Save(&bytes.Buffer{}, []Variable{{"x", "x", pointer}})
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "variable x cannot travel") {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}

func TestSaveReportsTypes(t *testing.T) {
	var n named = &Dog{"rex"}
	refs, err := Save(&bytes.Buffer{}, []Variable{{"n", "n", &n}})
	if err != nil || len(refs) != 1 || refs[0] != "*‹gomosaic/kernel/cell/rt/snapshot›.Dog" {
		t.Errorf("%v, %v", refs, err)
	}
}

func TestKinds(t *testing.T) {
	type raw struct {
		B    bool
		I8   int8
		U    uint64
		F    float32
		C    complex128
		S    string
		Arr  [3]int16
		Bits []bool
		Nil  []int
		None []int
		E    struct{}
		M    map[[2]int]*string
		F2   func()
		Ch   chan int
	}
	text := "text"
	list := []any{Cat{"a"}, &Cat{"b"}, nil, 3, "s", 2.5}
	x := raw{true, -3, 1 << 63, 1.5, 2i, "é", [3]int16{1, -2, 3}, []bool{true, false}, nil, []int{}, struct{}{}, map[[2]int]*string{{1, 2}: &text, {}: nil}, nil, nil}
	big1 := new(big.Int).Exp(big.NewInt(7), big.NewInt(99), nil)
	address, err := netip.ParseAddr("10.0.0.1")
	if err != nil {
		t.Fatal(err)
	}
	x2, list2, big2, address2 := raw{}, []any(nil), (*big.Int)(nil), netip.Addr{}
	roundTrip(t, []any{&x, &list, &big1, &address}, []any{&x2, &list2, &big2, &address2})
}

// TestSharing: what pointed to one value before does so afterwards, cycles and variables that travel included.
func TestSharing(t *testing.T) {
	loop := &pair{A: 1}
	loop.P = loop
	base := pair{A: 2}
	to, again := &base, &base
	m := map[string]int{"a": 1}
	both := [2]map[string]int{m, m}
	var b bytes.Buffer
	if _, err := Save(&b, []Variable{{"loop", "loop", &loop}, {"to", "to", &to}, {"base", "base", &base}, {"again", "again", &again}, {"both", "both", &both}}); err != nil {
		t.Fatal(err)
	}
	loop, to, again, base, both = nil, nil, nil, pair{}, [2]map[string]int{}
	if err := Load(&b, map[string]any{"loop": &loop, "to": &to, "base": &base, "again": &again, "both": &both}, nil); err != nil {
		t.Fatal(err)
	}
	both[0]["b"] = 2
	if loop.P != loop || to != &base || again != to || base.A != 2 || both[1]["b"] != 2 {
		t.Errorf("%v %v %v %v %v", loop, to, again, base, both)
	}
}

func TestLoadOfDamagedSnapshot(t *testing.T) {
	var b bytes.Buffer
	x := 3
	y := pair{1, map[string][]float64{"x": {1, 2}}, &pair{A: 2}}
	if _, err := Save(&b, []Variable{{"x", "x", &x}, {"y", "y", &y}}); err != nil {
		t.Fatal(err)
	}
	for cut := range b.Len() - 1 {
		x, y := 0, pair{}
		if err := Load(bytes.NewReader(b.Bytes()[:cut]), map[string]any{"x": &x, "y": &y}, nil); err == nil {
			t.Fatalf("no error for %d of %d bytes", cut, b.Len())
		}
	}
	if err := Load(bytes.NewReader(b.Bytes()), nil, nil); err == nil || !strings.Contains(err.Error(), "x is unknown") {
		t.Errorf("got %v", err)
	}
}
