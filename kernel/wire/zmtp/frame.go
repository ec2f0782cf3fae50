package zmtp

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// A frame is one flag byte, the body's length in one byte (or in eight, big-endian, where flagLong is set), and the body.
// A message is a run of frames of which all but the last have flagMore. A command is a single frame.
const (
	flagMore    = 0x01
	flagLong    = 0x02
	flagCommand = 0x04
	flagMask    = flagMore | flagLong | flagCommand

	shortBodyMax   = 255  // longest body whose length fits in one byte
	messageFrames  = 4096 // most frames of a message that a peer may send
	readChunkBytes = 1 << 16
)

// ErrTooLarge is returned by [Reader.Next] when a peer announces a message longer than the reader's limit.
var ErrTooLarge = errors.New("zmtp: message exceeds the size limit")

// FrameError reports bytes that are no ZMTP 3.0 frame.
type FrameError string

func (e FrameError) Error() string { return "zmtp: bad frame: " + string(e) }

// AppendMessage appends frames to dst as one message and returns the extended slice.
func AppendMessage(dst []byte, frames ...[]byte) []byte {
	for i, f := range frames {
		var flags byte
		if i < len(frames)-1 {
			flags = flagMore
		}
		dst = appendFrame(dst, flags, f)
	}
	return dst
}

// AppendCommand appends a command frame: the name's length in one byte, the name, the body.
func AppendCommand(dst []byte, name string, body []byte) []byte {
	b := make([]byte, 0, 1+len(name)+len(body))
	b = append(b, byte(len(name)))
	b = append(b, name...)
	return appendFrame(dst, flagCommand, append(b, body...))
}

func appendFrame(dst []byte, flags byte, body []byte) []byte {
	if len(body) > shortBodyMax {
		dst = append(dst, flags|flagLong)
		dst = binary.BigEndian.AppendUint64(dst, uint64(len(body)))
	} else {
		dst = append(dst, flags, byte(len(body)))
	}
	return append(dst, body...)
}

// messageBytes is the encoded length of frames.
func messageBytes(frames [][]byte) int {
	n := 0
	for _, f := range frames {
		n += 2 + len(f)
		if len(f) > shortBodyMax {
			n += 7
		}
	}
	return n
}

// Traffic is one message or command read from a peer.
type Traffic struct {
	Command string   // the command's name, "" for a message
	Frames  [][]byte // a message's frames; a command has one, the body after its name; owned by the caller
}

// Reader reads messages and commands. It is not safe for concurrent use.
type Reader struct {
	r     *bufio.Reader
	limit int64
}

// NewReader returns a reader that refuses messages whose frames together exceed limitBytes.
func NewReader(r io.Reader, limitBytes int64) *Reader {
	return &Reader{r: bufio.NewReaderSize(r, readChunkBytes), limit: limitBytes}
}

// Next returns the next message or command. Its errors are io.EOF at a clean end between messages,
// io.ErrUnexpectedEOF within one, [ErrTooLarge], [FrameError], and what the underlying reader returns. After an error
// the stream has no defined position.
func (r *Reader) Next() (Traffic, error) {
	var t Traffic
	left := r.limit
	for {
		flags, err := r.r.ReadByte()
		if err != nil {
			if err == io.EOF && len(t.Frames) > 0 {
				err = io.ErrUnexpectedEOF
			}
			return Traffic{}, err
		}
		if flags&^flagMask != 0 {
			return Traffic{}, FrameError(fmt.Sprintf("reserved flag bits set in 0x%02x", flags))
		}
		command := flags&flagCommand != 0
		if command && (flags&flagMore != 0 || len(t.Frames) > 0) {
			return Traffic{}, FrameError("a command inside a message")
		}
		n, err := r.length(flags)
		if err != nil {
			return Traffic{}, err
		}
		if n > uint64(max(left, 0)) {
			return Traffic{}, fmt.Errorf("%w: frame %d has %d bytes, the message may have %d", ErrTooLarge, len(t.Frames), n, r.limit)
		}
		left -= int64(n)
		body, err := r.body(int(n))
		if err != nil {
			return Traffic{}, err
		}
		if command {
			return parseCommand(body)
		}
		if t.Frames = append(t.Frames, body); len(t.Frames) > messageFrames {
			return Traffic{}, fmt.Errorf("%w: more than %d frames", ErrTooLarge, messageFrames)
		}
		if flags&flagMore == 0 {
			return t, nil
		}
	}
}

func (r *Reader) length(flags byte) (uint64, error) {
	if flags&flagLong == 0 {
		b, err := r.r.ReadByte()
		return uint64(b), midway(err)
	}
	var b [8]byte
	_, err := io.ReadFull(r.r, b[:])
	return binary.BigEndian.Uint64(b[:]), midway(err)
}

// body reads n bytes. A long body's memory grows with the bytes that arrive, never with the announced length alone.
func (r *Reader) body(n int) ([]byte, error) {
	if n <= readChunkBytes {
		b := make([]byte, n)
		_, err := io.ReadFull(r.r, b)
		return b, midway(err)
	}
	var b bytes.Buffer
	_, err := io.CopyN(&b, r.r, int64(n))
	return b.Bytes(), midway(err)
}

// midway turns an end of stream inside a frame into the error that says so.
func midway(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}

func parseCommand(body []byte) (Traffic, error) {
	if len(body) == 0 || body[0] == 0 || int(body[0]) > len(body)-1 {
		return Traffic{}, FrameError(fmt.Sprintf("command name does not fit its body of %d bytes", len(body)))
	}
	n := int(body[0])
	return Traffic{Command: string(body[1 : 1+n]), Frames: [][]byte{body[1+n:]}}, nil
}
