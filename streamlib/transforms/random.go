package transforms

import (
	"fmt"
	"math/rand/v2"
	"sync"
)

// random is the source of one sample's draws. By default it is a PCG generator that the sample's Draw alone seeds, so that
// neither the number of workers nor their order matters.
type random struct {
	pcg   rand.PCG
	torch *torchRandom // if a TorchRandom step replaced the source
}

// start seeds the source from a Draw.
func (r *random) start(d Draw) {
	r.torch = nil
	seed := scramble(d.Seed) ^ scramble(uint64(d.Epoch)+0x9E3779B97F4A7C15)
	r.pcg.Seed(scramble(seed), scramble(seed^scramble(uint64(d.Sample)+0xD1B54A32D192ED03)))
}

// scramble is the finaliser of SplitMix64 (Steele, Lea, Flood 2014): neighbouring numbers become unrelated ones.
func scramble(x uint64) uint64 {
	x = (x ^ x>>30) * 0xBF58476D1CE4E5B9
	x = (x ^ x>>27) * 0x94D049BB133111EB
	return x ^ x>>31
}

func (r *random) uint32() uint32 {
	if r.torch != nil {
		return r.torch.next()
	}
	return uint32(r.pcg.Uint64() >> 32)
}

// uniform draws from low…high as torch's uniform_ does for one float32: 24 random bits.
func (r *random) uniform(low, high float32) float32 {
	x := float32(r.uint32()&(1<<24-1)) * (1.0 / (1 << 24))
	return float32(x*(high-low)) + low
}

// below draws from 0…n−1 as torch.randint does for one number.
func (r *random) below(n int) int { return int(r.uint32() % uint32(n)) }

// TorchRandom, as the first step, draws as torch's CPU generator does after torch.manual_seed(seed): one sequence over all
// samples in the order in which they come. It is for comparison with a torchvision pipeline that runs in one process; with
// several workers, or after a resume, the order and with it the result differs.
func TorchRandom(seed uint64) Step { return &torchRandom{seed: seed, i: -1} }

// torchRandom is the Mersenne Twister MT19937 as torch seeds it (Matsumoto, Nishimura 1998).
type torchRandom struct {
	seed  uint64
	mu    sync.Mutex // protects what follows
	state [624]uint32
	i     int // next number of state; −1 before seeding
}

func (t *torchRandom) String() string { return fmt.Sprintf("TorchRandom(%d)", t.seed) }

func (t *torchRandom) apply(w *work) error {
	if w.decoded {
		return fmt.Errorf("must be the first step")
	}
	w.random.torch = t
	return nil
}

func (t *torchRandom) next() uint32 {
	t.mu.Lock()
	defer t.mu.Unlock()
	s := &t.state
	if t.i < 0 {
		s[0] = uint32(t.seed)
		for i := 1; i < len(s); i++ {
			s[i] = 1812433253*(s[i-1]^s[i-1]>>30) + uint32(i)
		}
		t.i = len(s)
	}
	if t.i == len(s) {
		for i := range s {
			y := s[i]&0x80000000 | s[(i+1)%len(s)]&0x7FFFFFFF
			s[i] = s[(i+397)%len(s)] ^ y>>1 ^ -(y&1)&0x9908B0DF
		}
		t.i = 0
	}
	y := s[t.i]
	t.i++
	y ^= y >> 11
	y ^= y << 7 & 0x9D2C5680
	y ^= y << 15 & 0xEFC60000
	return y ^ y>>18
}
