package host

import (
	"bytes"
	"strconv"
	"strings"
	"unicode/utf8"

	"gomosaic/kernel/cell"
)

// markBytes is what stands in the output where event number n belongs. The nonce is new in every session, so no program
// prints it; the write is short enough to be atomic (PIPE_BUF), so children that print cannot tear it.
func markBytes(nonce string, n int) []byte {
	return []byte("\x00\x1b" + nonce + ":" + strconv.Itoa(n) + "\x00")
}

// What Go code writes to os.Stderr travels in the pipe of standard output, between these two names in place of a mark's
// number: that is what keeps the two in order, which two pipes do not.
const (
	stderrBegins = "e"
	stderrEnds   = "o"
)

// atomicBytes is what one write puts into a pipe as a whole, whoever else writes (PIPE_BUF on Linux).
const atomicBytes = 4096

// stderrBytes wraps text for the pipe of standard output, in pieces that are written as a whole.
func stderrBytes(nonce, text string) [][]byte {
	begin, end := "\x00\x1b"+nonce+":"+stderrBegins+"\x00", "\x00\x1b"+nonce+":"+stderrEnds+"\x00"
	most := atomicBytes - len(begin) - len(end)
	var pieces [][]byte
	for text != "" {
		n := len(text)
		if n > most {
			n = most
			if i := strings.LastIndexByte(text[:n], '\n'); i >= 0 {
				n = i + 1
			}
			for n > most-utf8.UTFMax && !utf8.RuneStart(text[n]) {
				n--
			}
		}
		pieces = append(pieces, []byte(begin+text[:n]+end))
		text = text[n:]
	}
	return pieces
}

// segment is text up to a mark, or a mark (above 0) alone.
type segment struct {
	text   string
	mark   int
	stderr bool // text that travelled in the pipe of standard output
}

// markReader takes marks out of one output stream, piece by piece. It holds back the beginning of what may be a mark,
// a rune or a mangled name until the rest has come.
type markReader struct {
	prefix []byte // of every mark
	held   []byte
	stderr bool // between stderrBegins and stderrEnds
}

func newMarkReader(nonce string) *markReader {
	return &markReader{prefix: []byte("\x00\x1b" + nonce + ":")}
}

// read takes the next bytes of the stream; with final, nothing is held back.
func (m *markReader) read(data []byte, final bool) []segment {
	data = append(m.held, data...)
	m.held = nil
	var out []segment
	for {
		i := bytes.Index(data, m.prefix)
		if i < 0 {
			break
		}
		tail := data[i+len(m.prefix):]
		end := bytes.IndexByte(tail, 0)
		if end < 0 {
			out = m.appendText(out, data[:i])
			data = data[i:]
			if !final {
				m.held = bytes.Clone(data)
				data = nil
			}
			return m.appendText(out, data)
		}
		out = m.appendText(out, data[:i])
		switch name := string(tail[:end]); name {
		case stderrBegins, stderrEnds:
			m.stderr = name == stderrBegins
		default:
			n, _ := strconv.Atoi(name)
			out = append(out, segment{mark: n})
		}
		data = tail[end+1:]
	}
	if !final {
		keep := m.incomplete(data)
		m.held = bytes.Clone(data[len(data)-keep:])
		data = data[:len(data)-keep]
	}
	return m.appendText(out, data)
}

func (m *markReader) appendText(out []segment, text []byte) []segment {
	if len(text) == 0 {
		return out
	}
	return append(out, segment{text: cell.Demangle(string(text)), stderr: m.stderr})
}

// incomplete is the number of bytes at the end of data that the next read may change the meaning of.
func (m *markReader) incomplete(data []byte) int {
	for n := min(len(m.prefix)-1, len(data)); n > 0; n-- {
		if bytes.HasPrefix(m.prefix, data[len(data)-n:]) {
			return n
		}
	}
	for n := 1; n < utf8.UTFMax && n <= len(data); n++ {
		if c := data[len(data)-n]; utf8.RuneStart(c) {
			if !utf8.FullRune(data[len(data)-n:]) {
				return n
			}
			break
		}
	}
	return 0
}
