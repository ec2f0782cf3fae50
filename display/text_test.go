package display

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"math/big"
	"net/url"
	"reflect"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

type point struct{ X, Y int }

type named struct {
	Name  string
	At    point
	Tags  []string
	Extra map[string]any
	next  *named
}

type list []any

type broken struct{}

func (broken) String() string { panic("no") }

type celsius float64

func (c celsius) String() string { return fmt.Sprintf("%.1f °C", float64(c)) }

type profile struct{ n int }

func (p profile) HTML() string { return "<b>profile</b>" }

func writer(text string) (b strings.Builder) {
	b.WriteString(text)
	return b
}

func synced(pairs ...any) *sync.Map {
	m := new(sync.Map)
	for i := 0; i < len(pairs); i += 2 {
		m.Store(pairs[i], pairs[i+1])
	}
	return m
}

func TestText(t *testing.T) {
	ring := &named{Name: "ring"}
	ring.next = ring
	self := list{1, nil}
	self[1] = self
	loop := map[string]any{"a": 1}
	loop["self"] = loop
	var nilPoint *point
	var nilError *fs.PathError
	long := make([]int, 10_000_000)
	long[9_999_999] = 7
	for _, test := range []struct {
		name  string
		value any
		want  string
	}{
		{"number", 42, "42"},
		{"string", "a \"b\"", "a \"b\""},
		{"complex", 1 + 2i, "(1+2i)"},
		{"nil pointer", nilPoint, "<nil>"},
		{"nil error in a pointer", nilError, "<nil>"},
		{"slice", []int{1, 2, 3}, "[1 2 3]"},
		{"strings", []string{"a b", "c"}, `["a b" "c"]`},
		{"empty", []string(nil), "[]"},
		{"empty map", map[int]int(nil), "map[]"},
		{"any", []any{1, "x", nil, 2.5}, `[1 "x" <nil> 2.5]`},
		{"struct", point{1, 2}, "point{X:1 Y:2}"},
		{"pointer", &point{1, 2}, "&point{X:1 Y:2}"},
		{"anonymous", struct{ A int }{1}, "struct{A:1}"},
		{"nested", named{Name: "n", At: point{1, 2}, Tags: []string{"t"}}, `named{Name:"n" At:point{X:1 Y:2} Tags:["t"] Extra:map[] next:<nil>}`},
		{"map", map[string]int{"b": 2, "a": 1}, `map["a":1 "b":2]`},
		{"map of points", map[point]string{{2, 1}: "x", {1, 9}: "y"}, `map[point{X:1 Y:9}:"y" point{X:2 Y:1}:"x"]`},
		{"nan keys", map[float64]int{math.NaN(): 1}, "map[NaN:1]"},
		{"private map", struct{ m map[int]any }{map[int]any{2: 1, 1: errors.New("e")}}, `struct{m:map[1:&errorString{s:"e"} 2:1]}`},
		{"error", errors.New("boom"), "boom"},
		{"joined", errors.Join(errors.New("one"), fmt.Errorf("two: %w", fs.ErrNotExist)), "one\ntwo: file does not exist"},
		{"joined in a list", []error{errors.Join(errors.New("one"), errors.New("two")), errors.New("three")}, "[\n    one\n        two\n    three\n]"},
		{"duration", 1500 * time.Millisecond, "1.5s"},
		{"time", time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), "2026-01-02 03:04:05 +0000 UTC"},
		{"stringers", []celsius{1, 2.25}, "[1.0 °C 2.2 °C]"},
		{"methods of the pointer", []any{*big.NewInt(7), *big.NewFloat(1.5), url.URL{Scheme: "https", Host: "h"}, writer("text")}, "[7 1.5 https://h text]"},
		{"its own HTML", []profile{{1}}, "[profile{n:1}]"},
		{"its own HTML by a pointer", map[string]*profile{"a": {2}}, `map["a":&profile{n:2}]`},
		{"a table in a list", []any{Table{Caption: "t"}}, "[Table]"},
		{"atomics", struct {
			N atomic.Int64
			P *atomic.Pointer[point]
		}{P: &atomic.Pointer[point]{}}, "struct{N:atomic.Int64(0) P:atomic.Pointer[gomosaic/point](<nil>)}"},
		{"sync.Map", synced("b", 2, "a", 1), `sync.Map(map["a":1 "b":2])`},
		{"mutex", struct{ mu sync.Mutex }{}, "struct{mu:sync.Mutex{mu:sync.Mutex{state:0 sema:0}}}"},
		{"big", big.NewInt(1).Lsh(big.NewInt(1), 80), "1208925819614629174706176"},
		{"bytes", []byte("a\nü"), `[]byte("a\nü")`},
		{"binary", []byte{0x89, 'P', 0xff}, "[]byte{0x89 0x50 0xff}"},
		{"long binary", make([]byte, 1000), "[]byte{\n    0x00 0x00"},
		{"array", [3]bool{true}, "[true false false]"},
		{"func", strings.ToUpper, "func(string) string"},
		{"channel", make(chan int, 5), "chan int (0 of 5)"},
		{"pointer to pointer", func() **point { p := &point{}; return &p }(), "&&point{X:0 Y:0}"},
		{"pointer ring", ring, `&named{Name:"ring" At:point{X:0 Y:0} Tags:[] Extra:map[] next:↺}`},
		{"slice ring", self, "[1 ↺]"},
		{"map ring", loop, `map["a":1 "self":↺]`},
		{"String that panics", broken{}, "%!v(PANIC=String method: no)"},
		{"ten million", long, "0 0 …"},
		{"ten million", long, "\n    7\n] (10\u00a0000\u00a0000 elements)"},
	} {
		var text string
		inTime(t, time.Second, test.name, func() { text = Text(test.value) })
		got := strings.NewReplacer("display.", "", "errors.", "").Replace(text)
		if got != test.want && (!strings.Contains(test.name, "long ") || !strings.HasPrefix(got, test.want)) && (test.name != "ten million" || !strings.Contains(got, test.want)) {
			t.Errorf("%s: got %s, want %s", test.name, got, test.want)
		}
	}
}

// inTime does something until it takes no more than most: a busy machine may be late many times, but not always.
func inTime(t *testing.T, most time.Duration, what string, do func()) {
	t.Helper()
	var took time.Duration
	for range 20 {
		began := time.Now()
		do()
		if took = time.Since(began); took <= most {
			return
		}
	}
	t.Errorf("%s took %v, and never less than %v", what, took, most)
}

// TestTextBounded: whatever the shape, the text is short and made fast.
func TestTextBounded(t *testing.T) {
	type tree struct{ Left, Right *tree }
	var grow func(depth int) *tree
	grow = func(depth int) *tree {
		if depth == 0 {
			return nil
		}
		return &tree{grow(depth - 1), grow(depth - 1)}
	}
	deep := any(1)
	for range 100_000 {
		deep = []any{deep}
	}
	wide := map[int][]string{}
	for i := range 300_000 {
		wide[i] = []string{strings.Repeat("x", 100)}
	}
	chain := &named{}
	for range 100_000 {
		chain = &named{next: chain}
	}
	for name, v := range map[string]any{"tree": grow(16), "deep": deep, "wide": wide, "chain": chain,
		"long string": strings.Repeat("ü", 1<<20), "strings": []string{strings.Repeat("y", 1<<20)},
		"matrix": make([][1000]float64, 10000), "reflect": runtime.MemStats{}} {
		var text, summary string
		inTime(t, 2*time.Second, name, func() { text, summary = Text(v), Summary(v, 60) })
		if len(text) > 100_000 {
			t.Errorf("%s: %d bytes", name, len(text))
		}
		if n := len([]rune(summary)); n > 60 || strings.Contains(summary, "\n") {
			t.Errorf("%s: summary of %d runes: %s", name, n, summary)
		}
	}
}

func TestTextLayout(t *testing.T) {
	v := []named{{Name: "short"}, {Name: strings.Repeat("b", 60), Tags: []string{"t", "u"}}}
	want := `[
    named{Name:"short" At:point{X:0 Y:0} Tags:[] Extra:map[] next:<nil>}
    named{
        Name:"` + strings.Repeat("b", 60) + `"
        At:point{X:0 Y:0}
        Tags:["t" "u"]
        Extra:map[]
        next:<nil>
    }
]`
	if got := strings.ReplaceAll(Text(v), "display.", ""); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// shy is a number whose own String method must not be called.
type shy int

func (shy) String() string { panic("called") }

// TestGlimpse: no method of the user's is called, and maps are read only when that is safe.
func TestGlimpse(t *testing.T) {
	type inner struct {
		N shy
		M map[string]shy
		W time.Duration
		E error
		b *bytes.Buffer
	}
	v := reflect.ValueOf(&inner{3, map[string]shy{"a": 1}, time.Second, errors.New("late"), bytes.NewBufferString("x")})
	if got, want := Glimpse(v, 200, true), `&display.inner{N:3 M:map["a":1] W:1s E:late …}`; got != want {
		t.Errorf("gave %s, want %s", got, want)
	}
	if got, want := Glimpse(v, 200, false), "M:map[…] (not read while goroutines of cells run)"; !strings.Contains(got, want) {
		t.Errorf("gave %s, want %s", got, want)
	}
	if got := Glimpse(reflect.ValueOf(make([]shy, 1000)), 20, true); len([]rune(got)) > 20 {
		t.Errorf("gave %s", got)
	}
}
