package snapshot

import (
	"bytes"
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
	if _, err := Save(&b, variables); err != nil {
		t.Fatal(err)
	}
	if err := Load(&b, pointers); err != nil {
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
	loop := &pair{A: 1}
	loop.P = loop
	ch := make(chan int)
	var mu sync.Mutex
	list := []any{1, func() {}}
	for want, pointer := range map[string]any{
		"x.P leads back to itself": &loop, "x is a channel": &ch, "whose field": &mu, "x[1] is a function value": &list} {
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

func TestTypesOfBothKinds(t *testing.T) {
	list := []any{Cat{"a"}, &Cat{"b"}}
	if _, err := Save(&bytes.Buffer{}, []Variable{{"x", "x", &list}}); err == nil || !strings.Contains(err.Error(), "with or without *") {
		t.Errorf("got %v", err)
	}
}

func TestLoadOfDamagedSnapshot(t *testing.T) {
	var b bytes.Buffer
	x := 3
	if _, err := Save(&b, []Variable{{"x", "x", &x}}); err != nil {
		t.Fatal(err)
	}
	for cut := range b.Len() - 1 {
		y := 0
		if err := Load(bytes.NewReader(b.Bytes()[:cut]), map[string]any{"x": &y}); err == nil {
			t.Fatalf("no error for %d of %d bytes", cut, b.Len())
		}
	}
	if err := Load(bytes.NewReader(b.Bytes()), nil); err == nil || !strings.Contains(err.Error(), "x is unknown") {
		t.Errorf("got %v", err)
	}
}
