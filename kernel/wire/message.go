package wire

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	"time"
)

// ProtocolVersion is the version of the Jupyter messaging protocol that this package speaks
// (https://jupyter-client.readthedocs.io/en/stable/messaging.html).
const ProtocolVersion = "5.4"

// Header says who sent a message, when and of which type.
type Header struct {
	ID       string `json:"msg_id"`
	Session  string `json:"session"`
	Username string `json:"username"`
	Date     string `json:"date"` // ISO 8601 with microseconds
	Type     string `json:"msg_type"`
	Version  string `json:"version"`
}

// Message is one Jupyter message. The raw parts are JSON objects; parts that are empty are sent as {}.
type Message struct {
	Identities [][]byte // routing prefix: the peer that sent it or shall get it; the topic on iopub
	Header     Header
	Parent     json.RawMessage // the request's header as its client wrote it, so that unknown fields survive
	Metadata   json.RawMessage
	Content    json.RawMessage
	Buffers    [][]byte

	rawHeader json.RawMessage // as received
}

// ParentHeader is what replies to m and outputs caused by m carry as their parent.
func (m *Message) ParentHeader() json.RawMessage {
	if m == nil {
		return nil
	}
	return m.rawHeader
}

// Decode parses the content into v, which should point to a struct. The error names the message type.
func (m *Message) Decode(v any) error {
	if err := json.Unmarshal(m.Content, v); err != nil {
		return fmt.Errorf("wire: content of %s: %w", m.Header.Type, err)
	}
	return nil
}

// newID returns a random UUID (RFC 9562, version 4).
func newID() string {
	var b [16]byte
	rand.Read(b[:]) // never fails
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

func now() string { return time.Now().UTC().Format("2006-01-02T15:04:05.000000Z07:00") }
