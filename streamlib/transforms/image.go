package transforms

import (
	"fmt"
	"sync"

	"gomosaic/mdslib/jpeg"
)

// Image returns the transform that turns an image column into a training input: it decodes the file (JPEG or PNG) or takes
// an image.Image, applies the steps in order, and leaves an [Array] [3, height, width] float32 with values in 0…1, or
// normalised if a [Normalize] step says so. The steps are named as in torchvision and give the pixels of torchvision over
// Pillow 13, to the bit. They are fused: only the pixels that reach the result are computed.
//
// With no steps the image is decoded and scaled to 0…1 as it is. The same Draw gives the same augmentation, so two columns
// of a sample (an image and its mask) are cut alike.
//
// A step that cannot stand where it does (Resize after Normalize, for example) is an error of every Apply.
func Image(column string, steps ...Step) Transform {
	p := &pipeline{column: column, steps: steps}
	for i, s := range steps {
		if s == nil {
			p.err = fmt.Errorf("transforms: column %q: step %d is nil", column, i)
		}
	}
	p.workers.New = func() any { return new(work) }
	return p
}

// Step is one operation of [Image]: [Decode], [Resize], [ResizeTo], [CenterCrop], [RandomResizedCrop],
// [RandomHorizontalFlip], [ToTensor], [Normalize] or [TorchRandom].
type Step interface {
	fmt.Stringer
	apply(w *work) error
}

// pipeline is the Transform that Image returns.
type pipeline struct {
	column  string
	steps   []Step
	err     error
	workers sync.Pool // of *work: one for each goroutine that is inside Apply
}

// Apply implements Transform.
func (p *pipeline) Apply(sample map[string]any, draw Draw) error {
	if p.err != nil {
		return p.err
	}
	value, ok := sample[p.column]
	if !ok {
		return fmt.Errorf("transforms: sample %d has no column %q", draw.Sample, p.column)
	}
	w := p.workers.Get().(*work)
	defer p.workers.Put(w)
	array, err := w.run(value, p.steps, draw)
	if err != nil {
		return fmt.Errorf("transforms: sample %d: column %q: %w", draw.Sample, p.column, err)
	}
	sample[p.column] = array
	return nil
}

// work is the state of one sample on its way through the steps, and the buffers that stay for the next one.
//
// Geometry is recorded first and computed once: the crop of the source is stretched to the size of stretch, of which the
// window is seen, mirrored if flip is set.
type work struct {
	value   any // the column's value until it is decoded
	decoded bool
	source  pixels
	crop    rect
	stretch size
	resized bool // stretch differs from crop, or may
	window  rect
	flip    bool
	old     bool // passes in the order of Pillow 12 and before
	normal  *normalisation
	final   string // the step that fixed the values; geometry must come before
	random  random

	decoder    jpeg.Decoder
	exif       bool
	spare      pixels // turns places with source when pixels are computed midway
	horizontal taps
	vertical   taps
	columns    []uint32 // rows after the horizontal pass
	row        []uint32
	bytes      []byte // one row after the vertical pass
}

// pixels are packed RGB rows with no gaps; pix has 64 spare bytes of capacity behind them.
type pixels struct {
	pix  []byte
	w, h int
}

type size struct{ w, h int }

type rect struct{ x, y, w, h int }

const spareBytes = 64

// allocate gives p room for w×h pixels, reusing its memory.
func (p *pixels) allocate(w, h int) {
	need := w * h * 3
	if cap(p.pix) < need+spareBytes {
		p.pix = make([]byte, need+spareBytes)
	}
	p.pix, p.w, p.h = p.pix[:need], w, h
}

// run applies the steps to one value.
func (w *work) run(value any, steps []Step, draw Draw) (Array, error) {
	w.value, w.decoded, w.exif, w.normal, w.final = value, false, false, nil, ""
	defer func() { w.value = nil }()
	w.random.start(draw)
	for i, s := range steps {
		if err := s.apply(w); err != nil {
			return Array{}, fmt.Errorf("step %d, %v: %w", i, s, err)
		}
	}
	if err := w.decode(); err != nil {
		return Array{}, err
	}
	out := Array{Shape: []int{3, w.window.h, w.window.w}, Data: make([]float32, 3*w.window.h*w.window.w)}
	normal := w.normal
	if normal == nil {
		normal = &unitScale
	}
	w.render(out.Data, nil, normal)
	return out, nil
}

// begin makes the whole source the visible image.
func (w *work) begin() {
	w.crop = rect{0, 0, w.source.w, w.source.h}
	w.stretch = size{w.source.w, w.source.h}
	w.window = w.crop
	w.resized, w.flip, w.old = false, false, false
}

// visible decodes the value if that has not been done and returns the size of the image that the next step sees.
func (w *work) visible() (size, error) {
	if err := w.decode(); err != nil {
		return size{}, err
	}
	if w.final != "" {
		return size{}, fmt.Errorf("comes after %s", w.final)
	}
	return size{w.window.w, w.window.h}, nil
}

// cut narrows the visible image to a rectangle inside it.
func (w *work) cut(r rect) {
	if w.flip {
		r.x = w.window.w - r.x - r.w
	}
	if w.resized {
		w.window = rect{w.window.x + r.x, w.window.y + r.y, r.w, r.h}
		return
	}
	w.crop = rect{w.crop.x + r.x, w.crop.y + r.y, r.w, r.h}
	w.stretch = size{r.w, r.h}
	w.window = rect{0, 0, r.w, r.h}
}

// resize stretches the visible image. Pixels are computed first where a flip or another resize came before, because
// rounding does not commute with them.
func (w *work) resize(to size, old bool) {
	if w.resized || w.flip {
		w.materialise()
	}
	w.stretch, w.window = to, rect{0, 0, to.w, to.h}
	w.resized, w.old = true, old
}

// materialise computes the visible image and makes it the source.
func (w *work) materialise() {
	w.spare.allocate(w.window.w, w.window.h)
	w.render(nil, w.spare.pix, nil)
	w.source, w.spare = w.spare, w.source
	w.begin()
}
