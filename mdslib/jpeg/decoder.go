package jpeg

// MaxPixels is the largest image that Pillow opens: twice its decompression-bomb warning.
const MaxPixels = 178_956_970

// spare is the number of bytes that every pixel buffer has behind its end, so that kernels may load whole vectors there.
const spare = 64

// Decoder decodes files one after another, reusing its buffers. The zero value is ready. It must not be used by two
// goroutines at once.
type Decoder struct {
	// MaxPixels refuses images of more pixels before anything is allocated for them; 0 means the constant MaxPixels.
	MaxPixels int

	bitReader
	quant   [4][64]uint16 // in block order
	quantOK [4]bool
	dc, ac  [4]huffmanTable
	frame   frame
	block   [64]int32
	rows    [4][]byte // one upsampled row of each component
}

// frame is what the headers of one file say, and the state of its scans.
type frame struct {
	width, height  int
	progressive    bool
	components     []component
	space          colourSpace
	maxH, maxV     int
	mcusX, mcusY   int
	restart        int // MCUs between restart markers, 0 for none
	orientation    int
	jfif           bool
	adobeTransform int  // -1: no Adobe segment
	buffered       bool // coefficients are kept until the end of the image
	scans          int
	scan           scan
}

// component is one colour plane.
type component struct {
	id            byte
	h, v          int // sampling factors
	table         int // quantisation table
	quant         [64]uint16
	latched       bool // quant holds the table as it was when the first scan of this component began
	width, height int  // in samples
	blocksX       int  // blocks in a row of the plane, padded to whole MCUs
	blocksY       int
	ownX, ownY    int // blocks that hold samples: what a scan of this component alone codes
	stride        int // of pix
	pix           []byte
	coef          []int16 // [blocksY, blocksX, 64], if buffered
	dcTable       int
	acTable       int
	lastDC        int32
}

// Header is what the headers of a file say.
type Header struct {
	Width, Height int
	Components    int  // 1 grey, 3 colour, 4 CMYK or YCCK
	Progressive   bool // else sequential
	Orientation   int  // 1 to 8 as in Exif; 1 when the file does not say
}

// Decode decodes data to packed RGB, width·height·3 bytes in row order, in dst's memory if that is large enough. Grey is
// replicated and CMYK converted as by Pillow's convert("RGB"); the orientation is reported and not applied. The returned
// slice has at least 64 spare bytes of capacity; it is the caller's.
func (d *Decoder) Decode(data, dst []byte) (pix []byte, header Header, err error) {
	if err := d.open(data); err != nil {
		return dst, Header{}, err
	}
	if err := d.scanAll(); err != nil {
		return dst, Header{}, err
	}
	f := &d.frame
	if f.buffered {
		for i := range f.components {
			f.components[i].reconstruct(&d.block)
		}
	}
	size := f.width * f.height * 3
	if cap(dst) < size+spare {
		dst = make([]byte, size+spare)
	}
	dst = dst[:size]
	d.convert(dst)
	return dst, f.header(), nil
}

// DecodeHeader reads the headers of data up to the first scan.
func DecodeHeader(data []byte) (Header, error) {
	var d Decoder
	if err := d.open(data); err != nil {
		return Header{}, err
	}
	return d.frame.header(), nil
}

func (f *frame) header() Header {
	return Header{Width: f.width, Height: f.height, Components: len(f.components), Progressive: f.progressive, Orientation: f.orientation}
}

// open reads the headers up to and including the first scan's.
func (d *Decoder) open(data []byte) error {
	d.bitReader = bitReader{data: data}
	d.quantOK = [4]bool{}
	for i := range 4 {
		d.dc[i].defined, d.ac[i].defined = false, false
	}
	d.frame = frame{components: d.frame.components[:0], adobeTransform: -1, orientation: 1}
	if len(data) < 2 || data[0] != 0xFF || data[1] != markerSOI {
		return FormatError("not a JPEG file: it does not start with FF D8")
	}
	d.pos = 2
	end, err := d.headers()
	if err != nil {
		return err
	}
	if end {
		return FormatError("no image data before the end-of-image marker")
	}
	return nil
}

// scanAll decodes every scan, the first of which is open, up to the end marker.
func (d *Decoder) scanAll() error {
	const maxScans = 1000 // a file of tiny scans would otherwise take quadratic time
	d.frame.allocate()
	for {
		d.frame.scans++
		if d.frame.scans > maxScans {
			return FormatError("more than 1000 scans")
		}
		var err error
		if d.frame.progressive {
			err = d.progressiveScan()
		} else {
			err = d.sequentialScan()
		}
		if err != nil {
			return err
		}
		end, err := d.headers()
		if err != nil {
			return err
		}
		if end {
			return nil
		}
	}
}

// allocate gives every component its plane, and its coefficients where the file has several scans.
func (f *frame) allocate() {
	f.buffered = f.progressive || len(f.scan.components) < len(f.components)
	for i := range f.components {
		c := &f.components[i]
		c.stride = c.blocksX * 8
		need := c.stride*c.blocksY*8 + spare
		if cap(c.pix) < need {
			c.pix = make([]byte, need)
		}
		c.pix = c.pix[:need]
		if !f.buffered {
			continue
		}
		need = c.blocksX * c.blocksY * 64
		if cap(c.coef) < need {
			c.coef = make([]int16, need)
		} else {
			c.coef = c.coef[:need]
			clear(c.coef)
		}
	}
}
