package transforms

import "fmt"

// RandomHorizontalFlip mirrors the image left to right with probability p.
func RandomHorizontalFlip(p float64) Step { return randomFlip(p) }

type randomFlip float64

func (f randomFlip) String() string { return fmt.Sprintf("RandomHorizontalFlip(%v)", float64(f)) }

func (f randomFlip) apply(w *work) error {
	if _, err := w.visible(); err != nil {
		return err
	}
	if !(f >= 0 && f <= 1) {
		return fmt.Errorf("the probability must lie in 0…1")
	}
	if w.random.uniform(0, 1) < float32(f) {
		w.flip = !w.flip
	}
	return nil
}
