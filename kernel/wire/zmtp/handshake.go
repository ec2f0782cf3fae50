package zmtp

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
)

// The greeting, 64 bytes, sent by both sides at once:
//
//	0      9  10     12         32         33     64
//	| FF 8×00 7F | 03 00 | "NULL" 0… | as-server | 0… |
//	signature      version  mechanism
const (
	greetingBytes    = 64
	greetingVersion  = 10
	greetingMinor    = 11
	greetingMech     = 12
	greetingAsServer = 32

	maxReadyBytes = 1 << 16 // longest READY command that a peer may send
)

// HandshakeError reports why a connection was refused before it became a peer.
type HandshakeError string

func (e HandshakeError) Error() string { return "zmtp: handshake: " + string(e) }

func greeting() []byte {
	g := make([]byte, greetingBytes)
	g[0], g[9] = 0xFF, 0x7F
	g[greetingVersion], g[greetingMinor] = 3, 0
	copy(g[greetingMech:greetingAsServer], "NULL")
	return g
}

func checkGreeting(g []byte) error {
	if g[0] != 0xFF || g[9]&1 != 1 {
		return HandshakeError("the peer does not speak ZMTP")
	}
	if g[greetingVersion] < 3 {
		return HandshakeError(fmt.Sprintf("the peer speaks ZMTP %d.%d, 3.0 is needed (libzmq 4.0 or later)", g[greetingVersion], g[greetingMinor]))
	}
	if m := strings.TrimRight(string(g[greetingMech:greetingAsServer]), "\x00"); m != "NULL" {
		return HandshakeError(fmt.Sprintf("the peer wants mechanism %q, only NULL is offered", m))
	}
	return nil
}

// handshake greets the peer on nc as a socket of type kind and returns the peer's identity and the reader of its
// messages. The peer's socket type must be one of accepts.
func handshake(nc net.Conn, kind string, accepts []string, limitBytes int64) (identity []byte, r *Reader, err error) {
	if _, err := nc.Write(greeting()); err != nil {
		return nil, nil, err
	}
	g := make([]byte, greetingBytes)
	if _, err := io.ReadFull(nc, g); err != nil {
		return nil, nil, fmt.Errorf("zmtp: handshake: reading the greeting: %w", err)
	}
	if err := checkGreeting(g); err != nil {
		return nil, nil, err
	}
	meta := appendProperty(nil, "Socket-Type", []byte(kind))
	if _, err := nc.Write(AppendCommand(nil, "READY", meta)); err != nil {
		return nil, nil, err
	}
	r = NewReader(nc, maxReadyBytes)
	t, err := r.Next()
	if err != nil {
		return nil, nil, fmt.Errorf("zmtp: handshake: reading READY: %w", err)
	}
	if t.Command != "READY" {
		return nil, nil, HandshakeError(fmt.Sprintf("want READY, got %q", t.Command))
	}
	props, err := parseProperties(t.Frames[0])
	if err != nil {
		return nil, nil, err
	}
	if peer := string(props["socket-type"]); !slices.Contains(accepts, peer) {
		return nil, nil, HandshakeError(fmt.Sprintf("a %s socket takes %s, got %q", kind, strings.Join(accepts, " or "), peer))
	}
	r.limit = limitBytes
	return props["identity"], r, nil
}

// A property is the name's length in one byte, the name, the value's length in four bytes (big-endian), the value.
func appendProperty(dst []byte, name string, value []byte) []byte {
	dst = append(dst, byte(len(name)))
	dst = append(dst, name...)
	dst = binary.BigEndian.AppendUint32(dst, uint32(len(value)))
	return append(dst, value...)
}

var errProperties = errors.New("zmtp: handshake: a property of READY is cut short")

// parseProperties returns the metadata of a READY body; names are case-insensitive and returned in lower case.
func parseProperties(b []byte) (map[string][]byte, error) {
	props := map[string][]byte{}
	for len(b) > 0 {
		n := int(b[0])
		if len(b) < 1+n+4 || n == 0 {
			return nil, errProperties
		}
		name := strings.ToLower(string(b[1 : 1+n]))
		size := binary.BigEndian.Uint32(b[1+n:])
		b = b[1+n+4:]
		if uint64(size) > uint64(len(b)) {
			return nil, errProperties
		}
		props[name] = b[:size:size]
		b = b[size:]
	}
	return props, nil
}
