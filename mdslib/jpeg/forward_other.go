//go:build !amd64

package jpeg

// The same in Go, for other processors.

// transformRow transforms n blocks that lie side by side in samples.
func transformRow(coef []int16, nonzero []uint64, samples []byte, stride, n int, q *quantiser) {
	transformBlocks(coef, nonzero, samples, stride, n, q)
}

// convertRow computes the components of a row of n pixels.
func convertRow(y, cb, cr, row []byte, step, n int) { convertPixels(y, cb, cr, row, step, n) }

// values is appendValues.
func (w *bitWriter) values(ac *codeTable, block *[64]int16, nonzero uint64) {
	w.appendValues(ac, block, nonzero)
}
