package jpeg

import (
	"image"
	"image/color"
	"math/rand/v2"
	"testing"
)

// noise is n numbers from below limit.
func noise(r *rand.Rand, n, limit int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(r.IntN(limit))
	}
	return b
}

// TestDivide: the three steps divide as C does, with halves away from zero, by every quantiser.
func TestDivide(t *testing.T) {
	for step := 1; step <= 255; step++ {
		var table [64]uint16
		for i := range table {
			table[i] = uint16(step)
		}
		var q quantiser
		q.set(&table)
		d := int32(8 * step)
		for v := int32(-1 << 14); v <= 1<<14; v++ {
			want := (max(v, -v) + d/2) / d
			if v < 0 {
				want = -want
			}
			if got := q.quantise(v, 9); int32(got) != want {
				t.Fatalf("%d / %d: %d, want %d", v, d, got, want)
			}
		}
	}
}

// TestTransformRow holds what this processor runs to the plain Go code.
func TestTransformRow(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for _, quality := range []int{1, 50, 75, 95, 100} {
		table := scaledTable(&lumaTable, quality)
		var q quantiser
		q.set(&table)
		for _, limit := range []int{1, 2, 40, 256} {
			for n := 1; n < 6; n++ {
				stride := roundUp(8*n, 16)
				samples := noise(r, 8*stride, limit)
				if limit == 2 { // the extremes
					for i := range samples {
						samples[i] *= 255
					}
				}
				coef, want := make([]int16, 64*(n+1)), make([]int16, 64*n)
				nonzero, wantNonzero := make([]uint64, n+1), make([]uint64, n)
				transformRow(coef, nonzero, samples, stride, n, &q)
				transformBlocks(want, wantNonzero, samples, stride, n, &q)
				for i := range want {
					if coef[i] != want[i] || nonzero[i/64] != wantNonzero[i/64] {
						t.Fatalf("quality %d, %d blocks: coefficient %d is %d, want %d; not zero are %x, want %x", quality, n, i, coef[i], want[i], nonzero[i/64], wantNonzero[i/64])
					}
				}
			}
		}
	}
}

func TestConvertRow(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for _, step := range []int{3, 4} {
		for n := 1; n < 70; n++ {
			row := noise(r, n*step, 256)
			var got, want [3][]byte
			for i := range got {
				got[i], want[i] = make([]byte, n), make([]byte, n)
			}
			convertRow(got[0], got[1], got[2], row, step, n)
			convertPixels(want[0], want[1], want[2], row, step, n)
			for i := range got {
				if string(got[i]) != string(want[i]) {
					t.Fatalf("%d pixels of %d bytes, component %d: %x, want %x", n, step, i, got[i], want[i])
				}
			}
		}
	}
}

// TestValues: runs of all lengths and values of all sizes, behind any number of bits.
func TestValues(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	var plains [2][plainBytes]byte
	got, want := bitWriter{plain: &plains[0]}, bitWriter{plain: &plains[1]}
	for i := range 5000 {
		var block [64]int16
		var nonzero uint64
		for k := 1; k < 64; k += 1 + r.IntN(1+i%40) {
			if block[k] = int16(r.IntN(2047)-1023) >> r.IntN(10); block[k] != 0 {
				nonzero |= 1 << k
			}
		}
		got.at, want.at = 0, 0
		got.values(standardCodes[i%2].ac, &block, nonzero)
		want.appendValues(standardCodes[i%2].ac, &block, nonzero)
		mask := uint64(1)<<want.n - 1
		if got.at != want.at || got.n != want.n || got.acc&mask != want.acc&mask || string(plains[0][:want.at]) != string(plains[1][:want.at]) {
			t.Fatalf("block %v: %d bytes and %d bits, want %d and %d", block, got.at, got.n, want.at, want.n)
		}
	}
}

// TestEncodeLayouts: however an image lies in memory, its file is that of its pixels.
func TestEncodeLayouts(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 8))
	const w, h = 37, 21
	outer := image.NewNRGBA(image.Rect(0, 0, w+5, h+7))
	copy(outer.Pix, noise(r, len(outer.Pix), 256))
	for i := 3; i < len(outer.Pix); i += 4 {
		outer.Pix[i] = 255
	}
	part := outer.SubImage(image.Rect(2, 3, 2+w, 3+h)).(*image.NRGBA)
	rgba, ycc := image.NewRGBA(part.Rect), image.NewYCbCr(part.Rect, image.YCbCrSubsampleRatio444)
	var pix []byte
	for y := part.Rect.Min.Y; y < part.Rect.Max.Y; y++ {
		for x := part.Rect.Min.X; x < part.Rect.Max.X; x++ {
			c := part.NRGBAAt(x, y)
			pix = append(pix, c.R, c.G, c.B)
			rgba.Set(x, y, c)
		}
	}
	want, err := Encode(nil, pix, w, h, EncodeOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for _, img := range []image.Image{part, rgba, struct{ image.Image }{part}} {
		if got, err := EncodeImage(nil, img, EncodeOptions{}); err != nil || string(got) != string(want) {
			t.Errorf("%T: %v", img, err)
		}
		if !Opaque(img) {
			t.Errorf("%T is not opaque", img)
		}
	}
	if _, err := EncodeImage(nil, ycc, EncodeOptions{}); err != nil {
		t.Error(err)
	}
	for _, at := range []image.Point{{2, 3}, {2 + w - 1, 3 + h - 1}, {20, 9}} {
		part.SetNRGBA(at.X, at.Y, color.NRGBA{A: 254})
		if Opaque(part) {
			t.Errorf("a transparent pixel at %v is not seen", at)
		}
		part.SetNRGBA(at.X, at.Y, color.NRGBA{A: 255})
	}
	outer.SetNRGBA(0, 0, color.NRGBA{}) // outside of the part
	if !Opaque(part) {
		t.Error("pixels of others count")
	}
}

// TestEncodeAllocations: with an encoder that is kept, a picture takes no memory.
func TestEncodeAllocations(t *testing.T) {
	p := pixels{data: noise(rand.New(rand.NewPCG(9, 10)), 64*48*3, 256), width: 64, height: 48, step: 3, stride: 64 * 3}
	var e encoder
	var out []byte
	if got := testing.AllocsPerRun(100, func() { out = e.encode(out[:0], p, EncodeOptions{Quality: 75}) }); got != 0 {
		t.Errorf("%v allocations a picture", got)
	}
}

func BenchmarkEncode224(b *testing.B) {
	r := rand.New(rand.NewPCG(11, 12))
	pix := make([]byte, 224*224*3)
	for i := range pix {
		pix[i] = byte(i/1000 + r.IntN(24))
	}
	var out []byte
	b.ReportAllocs()
	for b.Loop() {
		out, _ = Encode(out[:0], pix, 224, 224, EncodeOptions{})
	}
}
