package wire

import (
	"bytes"
	"encoding/json"
	"errors"
	"testing"
)

// A message signed by jupyter_client's Session(key=b"a-key"): hmac.new(key, digestmod=sha256) over the four frames.
func TestSignatureIsJupyters(t *testing.T) {
	c, err := NewCodec("a-key", "hmac-sha256")
	if err != nil {
		t.Fatal(err)
	}
	frames := [][]byte{[]byte(`{"msg_type": "kernel_info_request"}`), []byte("{}"), []byte("{}"), []byte("{}")}
	const want = "0bc9cbb39e323cf7dff7a84e45dda1f56713b41acd078731cdca5639a0a0dccf"
	if got := string(c.sign(frames)); got != want {
		t.Errorf("signature %s, want %s", got, want)
	}
}

func TestCodecRoundTrip(t *testing.T) {
	for _, key := range []string{"", "secret"} {
		c, err := NewCodec(key, "hmac-sha256")
		if err != nil {
			t.Fatal(err)
		}
		in := &Message{
			Identities: [][]byte{[]byte("peer"), {0, 1}},
			Header:     Header{ID: newID(), Session: "s", Username: "u", Date: now(), Type: "stream", Version: ProtocolVersion},
			Parent:     json.RawMessage(`{"msg_id":"p","unknown_field":[1]}`),
			Content:    json.RawMessage(`{"name":"stdout","text":"<b>&"}`),
			Buffers:    [][]byte{{1, 2, 3}},
		}
		frames, err := c.Encode(in)
		if err != nil {
			t.Fatal(err)
		}
		out, err := c.Decode(frames)
		if err != nil {
			t.Fatal(err)
		}
		if out.Header != in.Header || !bytes.Equal(out.Parent, in.Parent) || string(out.Metadata) != "{}" || !bytes.Equal(out.Content, in.Content) ||
			len(out.Identities) != 2 || len(out.Buffers) != 1 {
			t.Errorf("key %q: %+v became %+v", key, in, out)
		}
		if got := out.ParentHeader(); !bytes.Equal(got, frames[4]) {
			t.Errorf("parent header of replies: %s", got)
		}
	}
}

func TestDecodeRefuses(t *testing.T) {
	c, _ := NewCodec("secret", "")
	good, err := c.Encode(&Message{Header: Header{Type: "x"}})
	if err != nil {
		t.Fatal(err)
	}
	changed := func(at int, to string) [][]byte {
		frames := append([][]byte(nil), good...)
		frames[at] = []byte(to)
		return frames
	}
	unsigned, _ := NewCodec("", "")
	for name, frames := range map[string][][]byte{
		"no frames":     nil,
		"no delimiter":  good[1:],
		"too few":       good[:4],
		"other content": changed(5, `{"code":"os.Exit(0)"}`),
		"no signature":  changed(1, ""),
		"upper case":    changed(1, string(bytes.ToUpper(good[1]))),
	} {
		if m, err := c.Decode(frames); err == nil {
			t.Errorf("%s: accepted as %+v", name, m)
		}
	}
	if _, err := c.Decode(changed(1, "00")); !errors.Is(err, ErrSignature) {
		t.Errorf("wrong signature: %v", err)
	}
	for name, header := range map[string]string{"no JSON": "{", "no type": "{}", "no object": "[]"} {
		frames := [][]byte{[]byte(delimiter), nil, []byte(header), []byte("{}"), []byte("{}"), []byte("{}")}
		if m, err := unsigned.Decode(frames); err == nil {
			t.Errorf("header with %s: accepted as %+v", name, m)
		}
	}
	if _, err := NewCodec("k", "hmac-md5"); err == nil {
		t.Error("hmac-md5 accepted")
	}
}

func FuzzDecode(f *testing.F) {
	c, _ := NewCodec("", "")
	f.Add([]byte("<IDS|MSG>\n\n{\"msg_type\":\"x\"}\n{}\n{}\n{}"))
	f.Add([]byte("id\n<IDS|MSG>\n"))
	f.Fuzz(func(t *testing.T, in []byte) {
		m, err := c.Decode(bytes.Split(in, []byte("\n")))
		if err == nil && m.Header.Type == "" {
			t.Error("a message without a type was accepted")
		}
	})
}
