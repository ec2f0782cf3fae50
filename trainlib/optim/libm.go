package optim

import (
	"math"
	"sync"

	"github.com/ebitengine/purego"
)

// libm is the C library's mathematics, which Python calls: Go's own pow and cos differ from it in the last bit now and then,
// and a learning rate that differs so gives another model.
var libm = sync.OnceValue(func() (f struct {
	pow func(x, y float64) float64
	cos func(x float64) float64
}) {
	f.pow, f.cos = math.Pow, math.Cos
	h, err := purego.Dlopen("libm.so.6", purego.RTLD_NOW|purego.RTLD_LOCAL)
	if err != nil { // another C library than glibc: equal but for that last bit
		return f
	}
	if sym, err := purego.Dlsym(h, "pow"); err == nil {
		purego.RegisterFunc(&f.pow, sym)
	}
	if sym, err := purego.Dlsym(h, "cos"); err == nil {
		purego.RegisterFunc(&f.cos, sym)
	}
	return f
})

func cPow(x, y float64) float64 { return libm().pow(x, y) }

func cCos(x float64) float64 { return libm().cos(x) }
