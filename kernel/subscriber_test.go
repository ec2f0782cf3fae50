package kernel

import (
	"fmt"
	"net"
	"os"
	"testing"
	"time"

	"gomosaic/kernel/wire/zmtp"
)

// TestLiveSilentSubscriber: while a client has stopped reading, a cell shows very many values at full speed, and all of
// them reach a healthy one in order.
func TestLiveSilentSubscriber(t *testing.T) {
	messages := 5_000
	if os.Getenv("GOMOSAIC_LONG") != "" {
		messages = 100_000
	}
	c, cmd := startLive(t)
	silent := subscribeSilently(t, fmt.Sprintf("127.0.0.1:%d", c.connection.IOPubPort))
	defer silent.Close()
	started := time.Now()
	reply, outputs := c.run(fmt.Sprintf(`import "strings"
wide := strings.Repeat("x", 1000)
for i := range %d { check(display.Display(display.Any("text/plain", string(rune('a'+i%%26)) + wide))) }`, messages))
	took := time.Since(started)
	if reply["status"] != "ok" {
		t.Fatal(reply)
	}
	if len(outputs) != messages {
		t.Errorf("%d of %d messages arrived", len(outputs), messages)
	}
	for i, m := range outputs {
		text, _ := content(t, m)["data"].(map[string]any)["text/plain"].(string)
		if m.Header.Type != "display_data" || len(text) != 1001 || text[0] != byte('a'+i%26) {
			t.Fatalf("message %d is a %s: %.20q", i, m.Header.Type, text)
		}
	}
	t.Logf("%d messages beside a silent subscriber: %v; the front has %d MB", messages, took.Round(time.Millisecond), resident(t, cmd.Process.Pid)>>20)
}

// subscribeSilently subscribes to everything and never reads a message.
func subscribeSilently(t *testing.T, addr string) net.Conn {
	t.Helper()
	nc, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	greeting := make([]byte, 64) // ZMTP 3.0, NULL mechanism
	greeting[0], greeting[9], greeting[10] = 0xFF, 0x7F, 3
	copy(greeting[12:], "NULL")
	ready := zmtp.AppendCommand(nil, "READY", append([]byte("\x0bSocket-Type\x00\x00\x00\x03"), "SUB"...))
	for _, b := range [][]byte{greeting, ready, zmtp.AppendMessage(nil, []byte{1})} {
		if _, err := nc.Write(b); err != nil {
			t.Fatal(err)
		}
	}
	return nc
}
