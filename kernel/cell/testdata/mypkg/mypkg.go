// Package mypkg is a small realistic host package.
package mypkg

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"sort"
	"time"
)

var ErrNotFound = errors.New("not found")

type PathError struct{ Path string }

func (e *PathError) Error() string { return "bad path " + e.Path }

type Transform interface{ Apply(x []float32) []float32 }

type Dataset interface {
	Len() int
	Get(i int) (Sample, error)
}

type Sample struct {
	ID   int               `json:"id"`
	X    []float32         `json:"x,omitempty"`
	Meta map[string]string `json:"meta,omitempty"`
}

func (s Sample) String() string { return fmt.Sprintf("Sample#%d", s.ID) }

type Options struct {
	BatchSize int
	Shuffle   bool
	Timeout   time.Duration
	OnBatch   func(i int, b []Sample) error
	Transform Transform
}

type Option func(*Options)

func WithBatch(n int) Option                              { return func(o *Options) { o.BatchSize = n } }
func WithCallback(f func(i int, b []Sample) error) Option { return func(o *Options) { o.OnBatch = f } }

type Loader struct {
	ds  Dataset
	opt Options
}

func NewLoader(ds Dataset, opts ...Option) *Loader {
	o := Options{BatchSize: 2}
	for _, f := range opts {
		f(&o)
	}
	return &Loader{ds, o}
}
func NewLoaderOpt(ds Dataset, o Options) *Loader { return &Loader{ds, o} }

func (l *Loader) Batches() iter.Seq[[]Sample] {
	return func(yield func([]Sample) bool) {
		n := l.ds.Len()
		for i := 0; i < n; i += l.opt.BatchSize {
			var b []Sample
			for j := i; j < min(n, i+l.opt.BatchSize); j++ {
				s, err := l.ds.Get(j)
				if err != nil {
					return
				}
				if l.opt.Transform != nil {
					s.X = l.opt.Transform.Apply(s.X)
				}
				b = append(b, s)
			}
			if l.opt.OnBatch != nil {
				if l.opt.OnBatch(i/l.opt.BatchSize, b) != nil {
					return
				}
			}
			if !yield(b) {
				return
			}
		}
	}
}

func (l *Loader) All() iter.Seq2[int, Sample] {
	return func(yield func(int, Sample) bool) {
		for i := 0; i < l.ds.Len(); i++ {
			s, err := l.ds.Get(i)
			if err != nil || !yield(i, s) {
				return
			}
		}
	}
}

func (l *Loader) Chan(ctx context.Context) <-chan Sample {
	ch := make(chan Sample)
	go func() {
		defer close(ch)
		for i := 0; i < l.ds.Len(); i++ {
			s, _ := l.ds.Get(i)
			select {
			case ch <- s:
			case <-ctx.Done():
				return
			}
		}
	}()
	return ch
}

type SliceDS []Sample

func (s SliceDS) Len() int { return len(s) }
func (s SliceDS) Get(i int) (Sample, error) {
	if i >= len(s) {
		return Sample{}, ErrNotFound
	}
	return s[i], nil
}

func Range(n int) SliceDS {
	var r SliceDS
	for i := range n {
		r = append(r, Sample{ID: i, X: []float32{float32(i)}})
	}
	return r
}

func Sum(xs ...float64) (t float64) {
	for _, x := range xs {
		t += x
	}
	return
}
func Printf(format string, a ...any) string { return fmt.Sprintf(format, a...) }

// generics
func Map[T, U any](xs []T, f func(T) U) []U {
	var r []U
	for _, x := range xs {
		r = append(r, f(x))
	}
	return r
}

type Stack[T any] struct{ s []T }

func (s *Stack[T]) Push(x T) { s.s = append(s.s, x) }
func (s *Stack[T]) Len() int { return len(s.s) }

type IntStack = Stack[int]

func Open(p string) error {
	return fmt.Errorf("open: %w", &PathError{p})
}
func Missing() error { return fmt.Errorf("wrap: %w", ErrNotFound) }
func ReadAll(r io.Reader) (string, error) {
	b, err := io.ReadAll(r)
	return string(b), err
}
func SortAll(s sort.Interface) { sort.Sort(s) }
func Describe(v any) string {
	switch x := v.(type) {
	case fmt.Stringer:
		return "Stringer " + x.String()
	case error:
		return "error " + x.Error()
	}
	return fmt.Sprintf("%T", v)
}
func ForEach(n int, f func(int)) {
	for i := range n {
		f(i)
	}
}
func Parallel(n int, f func(int) int) []int {
	out := make([]int, n)
	done := make(chan int)
	for i := range n {
		go func() { out[i] = f(i); done <- i }()
	}
	for range n {
		<-done
	}
	return out
}
func Block()   { select {} }
func Panic()   { var p *int; *p = 1 }
func PanicGo() { go func() { panic("in compiled goroutine") }(); time.Sleep(50 * time.Millisecond) }
func Hello()   { fmt.Println("hello from compiled") }
func Seq(n int) iter.Seq[int] {
	return func(y func(int) bool) {
		for i := range n {
			if !y(i) {
				return
			}
		}
	}
}

type Norm interface{ ~float32 | ~float64 }

func Mean[T Norm](xs []T) T {
	var t T
	for _, x := range xs {
		t += x
	}
	return t / T(len(xs))
}

const Version = "1.0"
const Big = 1 << 40

var Counter int

// Start runs f on a goroutine of this package.
func Start(f func()) { go f() }
