package wire

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
)

// A message on a socket is
//
//	identities… | "<IDS|MSG>" | signature | header | parent_header | metadata | content | buffers…
//
// where the signature is the HMAC-SHA256, in hexadecimal, of the four JSON frames, or empty without a key.
const (
	delimiter  = "<IDS|MSG>"
	jsonFrames = 4
)

// ErrSignature is returned by [Codec.Decode] for a message that was not signed with the connection's key.
var ErrSignature = errors.New("wire: the message's signature is wrong")

// Codec signs and checks messages with the key of one connection file. It is safe for concurrent use.
type Codec struct{ key []byte }

// NewCodec returns a codec for a connection file's key and signature_scheme. With an empty key nothing is signed.
func NewCodec(key, scheme string) (*Codec, error) {
	if key != "" && scheme != "" && scheme != "hmac-sha256" {
		return nil, fmt.Errorf("wire: signature_scheme %q is not supported, only hmac-sha256", scheme)
	}
	return &Codec{key: []byte(key)}, nil
}

func (c *Codec) sign(frames [][]byte) []byte {
	if len(c.key) == 0 {
		return nil
	}
	mac := hmac.New(sha256.New, c.key)
	for _, f := range frames {
		mac.Write(f)
	}
	return hex.AppendEncode(nil, mac.Sum(nil))
}

// Encode returns the frames of m.
func (c *Codec) Encode(m *Message) ([][]byte, error) {
	header, err := json.Marshal(m.Header)
	if err != nil {
		return nil, fmt.Errorf("wire: header of %s: %w", m.Header.Type, err)
	}
	frames := make([][]byte, 0, len(m.Identities)+2+jsonFrames+len(m.Buffers))
	frames = append(frames, m.Identities...)
	frames = append(frames, []byte(delimiter), nil, header, object(m.Parent), object(m.Metadata), object(m.Content))
	at := len(m.Identities) + 2
	frames[at-1] = c.sign(frames[at:])
	return append(frames, m.Buffers...), nil
}

func object(raw json.RawMessage) []byte {
	if len(raw) == 0 {
		return []byte("{}")
	}
	return raw
}

// Decode checks the frames' signature and parses the header; the other parts stay JSON. Errors are [ErrSignature] and
// descriptions of what is missing.
func (c *Codec) Decode(frames [][]byte) (*Message, error) {
	at := -1
	for i, f := range frames {
		if bytes.Equal(f, []byte(delimiter)) {
			at = i
			break
		}
	}
	if at < 0 {
		return nil, fmt.Errorf("wire: no %s among the message's %d frames", delimiter, len(frames))
	}
	if rest := len(frames) - at - 1; rest < 1+jsonFrames {
		return nil, fmt.Errorf("wire: %d frames behind the delimiter, at least %d are needed", rest, 1+jsonFrames)
	}
	parts := frames[at+2 : at+2+jsonFrames]
	if !hmac.Equal(frames[at+1], c.sign(parts)) {
		return nil, ErrSignature
	}
	m := &Message{Identities: frames[:at:at], rawHeader: parts[0], Parent: parts[1], Metadata: parts[2], Content: parts[3], Buffers: frames[at+2+jsonFrames:]}
	if err := json.Unmarshal(parts[0], &m.Header); err != nil {
		return nil, fmt.Errorf("wire: message header: %w", err)
	}
	if m.Header.Type == "" {
		return nil, errors.New("wire: message header has no msg_type")
	}
	return m, nil
}
