package host

import (
	"bytes"
	"strconv"
	"unicode/utf8"

	"gomosaic/kernel/cell"
)

// markBytes is what stands in the output where event number n belongs. The nonce is new in every session, so no program
// prints it; the write is short enough to be atomic (PIPE_BUF), so children that print cannot tear it.
func markBytes(nonce string, n int) []byte {
	return []byte("\x00\x1b" + nonce + ":" + strconv.Itoa(n) + "\x00")
}

// segment is text up to a mark, or a mark (above 0) alone.
type segment struct {
	text string
	mark int
}

// markReader takes marks out of one output stream, piece by piece. It holds back the beginning of what may be a mark,
// a rune or a mangled name until the rest has come.
type markReader struct {
	prefix []byte // of every mark
	held   []byte
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
			out = appendText(out, data[:i])
			data = data[i:]
			if !final {
				m.held = bytes.Clone(data)
				data = nil
			}
			return appendText(out, data)
		}
		n, _ := strconv.Atoi(string(tail[:end]))
		out = appendText(out, data[:i])
		out = append(out, segment{mark: n})
		data = tail[end+1:]
	}
	if !final {
		keep := m.incomplete(data)
		m.held = bytes.Clone(data[len(data)-keep:])
		data = data[:len(data)-keep]
	}
	return appendText(out, data)
}

func appendText(out []segment, text []byte) []segment {
	if len(text) == 0 {
		return out
	}
	return append(out, segment{text: cell.Demangle(string(text))})
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
