package jpeg

import "math/bits"

// script is one scan of a progressive file: components, band, and approximation.
type script struct {
	components     []int
	ss, se, ah, al int
}

// Scripts of libjpeg's jpeg_simple_progression: a rough image early, chroma before the last bits of luma.
var (
	colourScript = []script{
		{[]int{0, 1, 2}, 0, 0, 0, 1},
		{[]int{0}, 1, 5, 0, 2},
		{[]int{2}, 1, 63, 0, 1},
		{[]int{1}, 1, 63, 0, 1},
		{[]int{0}, 6, 63, 0, 2},
		{[]int{0}, 1, 63, 2, 1},
		{[]int{0, 1, 2}, 0, 0, 1, 0},
		{[]int{2}, 1, 63, 1, 0},
		{[]int{1}, 1, 63, 1, 0},
		{[]int{0}, 1, 63, 1, 0},
	}
	greyScript = []script{
		{[]int{0}, 0, 0, 0, 1},
		{[]int{0}, 1, 5, 0, 2},
		{[]int{0}, 6, 63, 0, 2},
		{[]int{0}, 1, 63, 2, 1},
		{[]int{0}, 0, 0, 1, 0},
		{[]int{0}, 1, 63, 1, 0},
	}
)

// progressiveScans writes all scans, each run twice: to count its symbols, and to write it with the best tables for them.
func (e *encoder) progressiveScans() {
	scripts := colourScript
	if len(e.components) == 1 {
		scripts = greyScript
	}
	for _, s := range scripts {
		var counts [2][257]int
		p := scanWriter{script: s}
		for i := range p.writers {
			p.writers[i].counts = &counts[i]
		}
		p.run(e)
		p = scanWriter{script: s}
		class := 0
		if s.ss > 0 {
			class = 1
		}
		for i := range counts {
			if counts[i] != [257]int{} {
				best := bestTable(&counts[i])
				e.huffmanTable(class, i, best)
				p.tables[i] = newCodeTable(best)
			}
		}
		e.scanHeader(s.components, s.ss, s.se, s.ah, s.al)
		p.writers[0].out, p.writers[0].plain = e.out, &e.plain
		p.run(e)
		e.out = p.writers[0].flush()
	}
}

// scanWriter codes one progressive scan.
type scanWriter struct {
	script
	tables  [2]*codeTable
	writers [2]bitWriter // by table while counting; [0] alone while writing
	table   int
	last    [4]int32
	eobRun  uint32 // blocks that end here and have not been coded
	pending []byte // correction bits that follow the code of eobRun
}

// writer returns where the current component's symbols go.
func (p *scanWriter) writer() *bitWriter {
	if p.writers[0].counts != nil {
		return &p.writers[p.table]
	}
	return &p.writers[0]
}

func (p *scanWriter) run(e *encoder) {
	e.eachBlock(p.components, func(i int, block *[64]int16, _ uint64) {
		p.table = e.components[i].table
		switch {
		case p.ss == 0 && p.ah == 0:
			v := int32(block[0]) >> p.al
			p.writer().value(p.tables[p.table], 0, v-p.last[i])
			p.last[i] = v
		case p.ss == 0:
			p.writer().bits(uint32(block[0])>>p.al, 1)
		case p.ah == 0:
			p.first(block)
		default:
			p.refine(block)
		}
	})
	p.flushRun()
}

// flushRun codes the pending end-of-band run and its correction bits.
func (p *scanWriter) flushRun() {
	if p.eobRun == 0 {
		return
	}
	size := uint(bits.Len32(p.eobRun)) - 1
	w := p.writer()
	w.symbol(p.tables[p.table], byte(size<<4))
	w.bits(p.eobRun, size)
	p.eobRun = 0
	p.corrections(p.pending)
	p.pending = p.pending[:0]
}

func (p *scanWriter) corrections(list []byte) {
	w := p.writer()
	for _, b := range list {
		w.bits(uint32(b), 1)
	}
}

// magnitude returns |v| >> al.
func (p *scanWriter) magnitude(v int16) int32 {
	m := int32(v)
	if m < 0 {
		m = -m
	}
	return m >> p.al
}

// first codes the first bits of a band.
func (p *scanWriter) first(block *[64]int16) {
	const maxRun = 0x7FFF
	w, table, run := p.writer(), p.tables[p.table], 0
	for _, v := range block[p.ss : p.se+1] {
		m := p.magnitude(v)
		if m == 0 {
			run++
			continue
		}
		p.flushRun()
		for ; run > 15; run -= 16 {
			w.symbol(table, 0xF0)
		}
		if v < 0 {
			m = -m
		}
		w.value(table, run, m)
		run = 0
	}
	if run > 0 {
		if p.eobRun++; p.eobRun == maxRun {
			p.flushRun()
		}
	}
}

// refine codes one more bit of a band: new coefficients as symbols, bits of known ones behind the next symbol.
func (p *scanWriter) refine(block *[64]int16) {
	const (
		maxRun     = 0x7FFF
		maxPending = 1000 - 64 + 1 // as libjpeg's buffer
	)
	w, table := p.writer(), p.tables[p.table]
	end := 0 // the last coefficient that becomes non-zero in this scan
	for k := p.ss; k <= p.se; k++ {
		if p.magnitude(block[k]) == 1 {
			end = k
		}
	}
	run := 0
	known := len(p.pending) // where this block's own corrections start
	for k := p.ss; k <= p.se; k++ {
		m := p.magnitude(block[k])
		if m == 0 {
			run++
			continue
		}
		for run > 15 && k <= end {
			own := append([]byte(nil), p.pending[known:]...)
			p.pending = p.pending[:known]
			p.flushRun()
			w.symbol(table, 0xF0)
			run -= 16
			p.corrections(own)
			known = 0
			p.pending = p.pending[:0]
		}
		if m > 1 {
			p.pending = append(p.pending, byte(m&1))
			continue
		}
		own := append([]byte(nil), p.pending[known:]...)
		p.pending = p.pending[:known]
		p.flushRun()
		w.symbol(table, byte(run<<4)|1)
		sign := uint32(1)
		if block[k] < 0 {
			sign = 0
		}
		w.bits(sign, 1)
		p.corrections(own)
		known = 0
		p.pending = p.pending[:0]
		run = 0
	}
	if run > 0 || len(p.pending) > known {
		p.eobRun++
		if p.eobRun == maxRun || len(p.pending) > maxPending {
			p.flushRun()
		}
	}
}
