package torch

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// This file implements the rendering of torch/_tensor_str.py with its default options.
const (
	printPrecision = 4    // digits after the point
	printThreshold = 1000 // more elements than this are summarised
	printEdge      = 3    // by this many at both ends of each dimension
	printWidth     = 80   // characters of a line
)

// String renders the tensor as Python does: tensor([[1., 2.], [3., 4.]], requires_grad=True).
func (t *Tensor) String() string {
	switch {
	case t == nil:
		return "tensor(nil)"
	case t.h == 0:
		return "tensor(freed)"
	}
	const prefix = "tensor("
	var suffixes []string
	dtype, shape := t.DType(), t.Shape()
	if d := t.Device(); d != CPU {
		suffixes = append(suffixes, "device='"+d.String()+"'")
	}
	body := "[]"
	if t.Numel() == 0 {
		if len(shape) != 1 {
			suffixes = append(suffixes, "size="+pythonTuple(shape))
		}
		if dtype != Float32 {
			suffixes = append(suffixes, "dtype=torch."+dtype.String())
		}
	} else {
		if dtype != Float32 && dtype != Int64 && dtype != Bool {
			suffixes = append(suffixes, "dtype=torch."+dtype.String())
		}
		body = render(t, shape, dtype, len(prefix))
	}
	if name := t.gradFn(); name != "" {
		suffixes = append(suffixes, "grad_fn=<"+name+">")
	} else if t.RequiresGrad() {
		suffixes = append(suffixes, "requires_grad=True")
	}
	return withSuffixes(prefix+body, suffixes, len(prefix))
}

// gradFn names the operation that made the tensor, "AddBackward0"; "" for a leaf.
func (t *Tensor) gradFn() string {
	var p uintptr
	check("grad_fn", lib().gradFn(t.handle("grad_fn"), &p), t)
	if p == 0 {
		return ""
	}
	defer lib().free(p)
	return fetch(p)
}

func pythonTuple(shape []int) string {
	s := make([]string, len(shape))
	for i, n := range shape {
		s[i] = strconv.Itoa(n)
	}
	if len(s) == 1 {
		return "(" + s[0] + ",)"
	}
	return "(" + strings.Join(s, ", ") + ")"
}

func withSuffixes(s string, suffixes []string, indent int) string {
	line := len(s) - strings.LastIndex(s, "\n") + 1
	for _, x := range suffixes {
		if line+len(x)+2 > printWidth {
			s += ",\n" + strings.Repeat(" ", indent) + x
			line = indent + len(x)
		} else {
			s += ", " + x
			line += len(x) + 2
		}
	}
	return s + ")"
}

// render prints the elements that are shown: all, or the edges of each dimension.
func render(t *Tensor, shape []int, dtype DType, indent int) string {
	summarize := t.Numel() > printThreshold
	shown := append([]int(nil), shape...)
	p := printer{cut: make([]bool, len(shape)), integer: !dtype.IsFloat(), boolean: dtype == Bool}
	Step(func() {
		NoGrad(func() {
			v := t
			for d, n := range shape {
				if !summarize || n <= 2*printEdge {
					continue
				}
				p.cut[d], shown[d] = true, 2*printEdge
				v = Op("cat", []*Tensor{v.Narrow(d, 0, printEdge), v.Narrow(d, n-printEdge, printEdge)}, d)
			}
			if p.integer && !p.boolean {
				p.ints = v.Int64s()
			} else {
				p.floats = v.Float64s()
			}
		})
	})
	p.measure()
	return p.part(shown, 0, 0, indent)
}

// printer holds the elements that are shown, row-major, and how wide one is.
type printer struct {
	ints             []int64
	floats           []float64
	cut              []bool // the dimension shows its edges only
	integer, boolean bool
	whole            bool // floats without fractions
	science          bool
	width            int
}

// measure chooses the notation and the width.
func (p *printer) measure() {
	p.width = 1
	widen := func(s string, extra int) { p.width = max(p.width, len(s)+extra) }
	if p.integer {
		for i := range max(len(p.ints), len(p.floats)) {
			widen(p.number(i), 0)
		}
		return
	}
	p.whole = true
	low, high, any := math.Inf(1), 0.0, false
	for _, v := range p.floats {
		if v == 0 || math.IsNaN(v) || math.IsInf(v, 0) {
			continue
		}
		any = true
		low, high = math.Min(low, math.Abs(v)), math.Max(high, math.Abs(v))
		p.whole = p.whole && v == math.Ceil(v)
	}
	if !any {
		return
	}
	p.science = high/low > 1000 || high > 1e8 || low < 1e-4
	for _, v := range p.floats {
		switch {
		case v == 0 || math.IsNaN(v) || math.IsInf(v, 0):
		case p.science:
			widen(strconv.FormatFloat(v, 'e', printPrecision, 64), 0)
		case p.whole:
			widen(strconv.FormatFloat(v, 'f', 0, 64), 1)
		default:
			widen(strconv.FormatFloat(v, 'f', printPrecision, 64), 0)
		}
	}
}

// number is one element without padding.
func (p *printer) number(i int) string {
	if p.boolean {
		if p.floats[i] != 0 {
			return "True"
		}
		return "False"
	}
	if p.integer {
		return strconv.FormatInt(p.ints[i], 10)
	}
	v := p.floats[i]
	switch {
	case math.IsNaN(v):
		return "nan"
	case math.IsInf(v, 0):
		return strings.ToLower(strings.TrimPrefix(fmt.Sprint(v), "+"))
	case p.science:
		return strconv.FormatFloat(v, 'e', printPrecision, 64)
	case p.whole:
		return strconv.FormatFloat(v, 'f', 0, 64) + "."
	}
	return strconv.FormatFloat(v, 'f', printPrecision, 64)
}

func (p *printer) padded(i int) string { return fmt.Sprintf("%*s", p.width, p.number(i)) }

// part prints the sub-tensor of dimension d whose first element is at.
func (p *printer) part(shape []int, d, at, indent int) string {
	if d == len(shape) {
		return p.padded(at)
	}
	step := 1
	for _, n := range shape[d+1:] {
		step *= n
	}
	last := d == len(shape)-1
	var items []string
	for i := range shape[d] {
		if p.cut[d] && i == printEdge {
			if last {
				items = append(items, " ...")
			} else {
				items = append(items, "...")
			}
		}
		items = append(items, p.part(shape, d+1, at+i*step, indent+1))
	}
	if !last {
		return "[" + strings.Join(items, ","+strings.Repeat("\n", len(shape)-d-1)+strings.Repeat(" ", indent+1)) + "]"
	}
	perLine := max(1, (printWidth-indent)/(p.width+2))
	var lines []string
	for len(items) > 0 {
		n := min(perLine, len(items))
		lines = append(lines, strings.Join(items[:n], ", "))
		items = items[n:]
	}
	return "[" + strings.Join(lines, ",\n"+strings.Repeat(" ", indent+1)) + "]"
}
