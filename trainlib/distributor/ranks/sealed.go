package ranks

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
)

// A connection begins with each side's greeting, in the clear:
//
//	magic  19 bytes "gomosaic rendezvous"
//	nonce  32 bytes, random
//
// then come frames:
//
//	length   4 bytes, big endian: of what follows
//	sealed   AES-256-GCM; the nonce is the frame's number in its direction, from 0
//
// Each direction has its key, HMAC-SHA256 of the direction and both nonces under the token. A frame that was made up, changed,
// left out, repeated or sent back does not open.
const (
	magic      = "gomosaic rendezvous"
	nonceBytes = 32
	headBytes  = 4
	mostBytes  = 1 << 20 // of a frame, sealed
)

const (
	fromLauncher = "launcher"
	fromTask     = "task"
)

// errStranger: the other side doesn't know the token, or something stands between.
var errStranger = errors.New("the other side does not know this job's token")

// sealed is a connection that carries frames. One goroutine may read while another writes.
type sealed struct {
	conn net.Conn
	in   cipher.AEAD
	out  cipher.AEAD

	received, sent uint64 // frames
	opened         []byte // of a frame, not yet read
	frame          []byte
}

// seal greets the other side and waits for its greeting. The caller bounds the time by the connection's deadline.
func seal(conn net.Conn, token []byte, own, other string) (*sealed, error) {
	greeting := append([]byte(magic), make([]byte, nonceBytes)...)
	rand.Read(greeting[len(magic):])
	if _, err := conn.Write(greeting); err != nil {
		return nil, err
	}
	theirs := make([]byte, len(greeting))
	if _, err := io.ReadFull(conn, theirs); err != nil {
		return nil, err
	}
	if !bytes.HasPrefix(theirs, []byte(magic)) {
		return nil, errors.New("the other side speaks something else")
	}
	launcher, task := greeting[len(magic):], theirs[len(magic):]
	if own == fromTask {
		launcher, task = task, launcher
	}
	key := func(direction string) cipher.AEAD {
		h := hmac.New(sha256.New, token)
		fmt.Fprintf(h, "%s %x %x", direction, launcher, task)
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
	return &sealed{conn: conn, in: key(other), out: key(own)}, nil
}

// Read implements io.Reader. It fails with errStranger where a frame does not open.
func (s *sealed) Read(p []byte) (int, error) {
	for len(s.opened) == 0 {
		var head [headBytes]byte
		if _, err := io.ReadFull(s.conn, head[:]); err != nil {
			return 0, err
		}
		n := binary.BigEndian.Uint32(head[:])
		if n > mostBytes || int(n) < s.in.Overhead() {
			return 0, errStranger
		}
		if cap(s.frame) < int(n) {
			s.frame = make([]byte, n)
		}
		frame := s.frame[:n]
		if _, err := io.ReadFull(s.conn, frame); err != nil {
			return 0, err
		}
		opened, err := s.in.Open(frame[:0], number(s.in, s.received), frame, nil)
		if err != nil {
			return 0, errStranger
		}
		s.received++
		s.opened = opened
	}
	n := copy(p, s.opened)
	s.opened = s.opened[n:]
	return n, nil
}

// Write implements io.Writer.
func (s *sealed) Write(p []byte) (int, error) {
	written := 0
	for first := true; first || written < len(p); first = false {
		part := p[written:min(len(p), written+mostBytes-s.out.Overhead())]
		frame := make([]byte, headBytes, headBytes+len(part)+s.out.Overhead())
		frame = s.out.Seal(frame, number(s.out, s.sent), part, nil)
		binary.BigEndian.PutUint32(frame, uint32(len(frame)-headBytes))
		s.sent++
		if _, err := s.conn.Write(frame); err != nil {
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
