package sealed

// A connection on which only those who know the token can speak.

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"time"
)

// A connection begins with each side's greeting, in the clear:
//
//	magic  19 bytes, [Magic]
//	nonce  32 bytes, random
//
// then come frames:
//
//	length   4 bytes, big endian: of what follows
//	sealed   AES-256-GCM; the nonce is the frame's number in its direction, from 0
//
// Each direction has its key, HMAC-SHA256 of the direction and both nonces under the token. A frame that was made up, changed,
// left out, repeated or sent back does not open. The first frame of each side is empty and proves that it knows the token: the dialer's,
// then the listener's.
const (
	nonceBytes = 32
	headBytes  = 4
	mostBytes  = 1 << 20 // of a frame, sealed
)

// Magic is what a listener says first to everybody: who hears it has reached one.
const Magic = "gomosaic rendezvous"

// The directions, by who speaks.
const (
	fromListener = "listener"
	fromDialer   = "dialer"
)

// ErrStranger is the error of a connection whose other side doesn't know the token, or to which something between has added.
var ErrStranger = errors.New("the other side does not know the token")

// Conn is a connection that carries frames. One goroutine may read while another writes.
type Conn struct {
	net.Conn
	// Since is when it came about, which was before the other side could say anything.
	Since time.Time

	in  cipher.AEAD
	out cipher.AEAD

	received, sent uint64 // frames
	opened         []byte // of a frame, not yet read
	frame          []byte
}

// seal greets the other side and has it prove that it knows the token. The caller bounds the time by the connection's deadline.
func seal(conn net.Conn, token []byte, own, other string) (*Conn, error) {
	since := time.Now()
	greeting := append([]byte(Magic), make([]byte, nonceBytes)...)
	rand.Read(greeting[len(Magic):])
	if _, err := conn.Write(greeting); err != nil {
		return nil, err
	}
	theirs := make([]byte, len(greeting))
	if _, err := io.ReadFull(conn, theirs); err != nil {
		return nil, err
	}
	if !bytes.HasPrefix(theirs, []byte(Magic)) {
		return nil, fmt.Errorf("%w: it speaks something else", ErrStranger)
	}
	listener, dialer := greeting[len(Magic):], theirs[len(Magic):]
	if own == fromDialer {
		listener, dialer = dialer, listener
	}
	key := func(direction string) cipher.AEAD {
		h := hmac.New(sha256.New, token)
		fmt.Fprintf(h, "%s %x %x", direction, listener, dialer)
		block, err := aes.NewCipher(h.Sum(nil))
		if err != nil {
			panic(err) // a key of 32 bytes is one
		}
		gcm, err := cipher.NewGCM(block)
		if err != nil {
			panic(err)
		}
		return gcm
	}
	c := &Conn{Conn: conn, Since: since, in: key(other), out: key(own)}
	prove := func() error { _, err := c.Write(nil); return err }
	steps := []func() error{prove, c.next}
	if own == fromListener { // a stranger hears nothing that the token has a part in
		slices.Reverse(steps)
	}
	for _, step := range steps {
		if err := step(); err != nil {
			return nil, err
		}
	}
	return c, nil
}

// next reads a frame. It fails with ErrStranger where that does not open.
func (c *Conn) next() error {
	var head [headBytes]byte
	if _, err := io.ReadFull(c.Conn, head[:]); err != nil {
		return err
	}
	n := binary.BigEndian.Uint32(head[:])
	if n > mostBytes || int(n) < c.in.Overhead() {
		return ErrStranger
	}
	if cap(c.frame) < int(n) {
		c.frame = make([]byte, n)
	}
	frame := c.frame[:n]
	if _, err := io.ReadFull(c.Conn, frame); err != nil {
		return err
	}
	opened, err := c.in.Open(frame[:0], number(c.in, c.received), frame, nil)
	if err != nil {
		return ErrStranger
	}
	c.received++
	c.opened = opened
	return nil
}

// Read implements io.Reader. It fails with ErrStranger where a frame does not open.
func (c *Conn) Read(p []byte) (int, error) {
	for len(c.opened) == 0 {
		if err := c.next(); err != nil {
			return 0, err
		}
	}
	n := copy(p, c.opened)
	c.opened = c.opened[n:]
	return n, nil
}

// Write implements io.Writer.
func (c *Conn) Write(p []byte) (int, error) {
	written := 0
	for first := true; first || written < len(p); first = false {
		part := p[written:min(len(p), written+mostBytes-c.out.Overhead())]
		frame := make([]byte, headBytes, headBytes+len(part)+c.out.Overhead())
		frame = c.out.Seal(frame, number(c.out, c.sent), part, nil)
		binary.BigEndian.PutUint32(frame, uint32(len(frame)-headBytes))
		c.sent++
		if _, err := c.Conn.Write(frame); err != nil {
			return written, err
		}
		written += len(part)
	}
	return written, nil
}

// number is a frame's nonce.
func number(a cipher.AEAD, n uint64) []byte {
	nonce := make([]byte, a.NonceSize())
	binary.BigEndian.PutUint64(nonce[a.NonceSize()-8:], n)
	return nonce
}
