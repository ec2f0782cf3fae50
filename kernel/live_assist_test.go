package kernel

import (
	"slices"
	"testing"
)

func TestLiveAssistance(t *testing.T) {
	c, _ := startLive(t)
	text(t, c, "length := 3.5")
	code := "größe := fmt.Sprintf(\"%v\", leng"
	reply := c.ask("shell", "complete_request", map[string]any{"code": code, "cursor_pos": len([]rune(code))})
	if matches := reply["matches"].([]any); !slices.Contains(matches, any("length")) || reply["cursor_start"] != float64(len([]rune(code))-4) {
		t.Errorf("completion of a variable: %v", reply)
	}
	if reply := c.ask("shell", "is_complete_request", map[string]any{"code": "for range 3 {"}); reply["status"] != "incomplete" {
		t.Errorf("%v", reply)
	}
	if reply := c.ask("shell", "is_complete_request", map[string]any{"code": "x := 1"}); reply["status"] != "complete" {
		t.Errorf("%v", reply)
	}
	reply = c.ask("shell", "inspect_request", map[string]any{"code": "strings.ToUpper", "cursor_pos": 10, "detail_level": 0})
	if data, _ := reply["data"].(map[string]any); reply["found"] == true && (data["text/plain"] == nil || data["text/markdown"] == nil) {
		t.Errorf("%v", reply)
	}
}
