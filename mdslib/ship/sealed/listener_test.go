package sealed_test

import (
	"encoding/base64"
	"errors"
	"io"
	"net"
	"slices"
	"syscall"
	"testing"

	"gomosaic/mdslib/ship/sealed"
)

// TestListener: who is invited is heard, also when the listener is closed; others are not.
func TestListener(t *testing.T) {
	l, err := sealed.Listen("127.0.0.1:0", "localhost")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if host, _, _ := net.SplitHostPort(l.Address()); host != "localhost" {
		t.Errorf("address %s", l.Address())
	}
	guest, err := sealed.Dial(t.Context(), l.Invitation()+"\n")
	if err != nil {
		t.Fatal(err)
	}
	defer guest.Close()
	host, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer host.Close()

	other, err := sealed.Listen("127.0.0.1:0", "")
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	// The address of the one with the token of the other.
	text, _ := base64.RawURLEncoding.DecodeString(l.Invitation())
	token, _ := base64.RawURLEncoding.DecodeString(other.Invitation())
	at := slices.Index(text, ',')
	mixed := base64.RawURLEncoding.EncodeToString(slices.Concat(text[:at], token[slices.Index(token, ','):]))
	if _, err := sealed.Dial(t.Context(), mixed); err == nil || l.Strangers() != 1 {
		t.Errorf("a wrong token: %v, %d strangers", err, l.Strangers())
	}
	if _, err := sealed.Dial(t.Context(), "tulips"); err == nil {
		t.Error("an invitation of tulips")
	}

	l.Close()
	if _, err := l.Accept(); !errors.Is(err, net.ErrClosed) {
		t.Errorf("after Close: %v", err)
	}
	if _, err := sealed.Dial(t.Context(), l.Invitation()); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("after Close: %v", err)
	}
	go io.WriteString(host, "still here")
	got := make([]byte, 10)
	if _, err := io.ReadFull(guest, got); err != nil || string(got) != "still here" {
		t.Errorf("%q, %v", got, err)
	}
}
