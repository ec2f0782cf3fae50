package checkpoint

import "testing"

func TestHashInName(t *testing.T) {
	for name, want := range map[string]string{
		"mobilenet_v2-b0353104.pth": "b0353104", "a-b-0123456789abcdef.safetensors": "0123456789abcdef",
		"mobilenet_v2.pth": "", "b0353104.pth": "", "m-b035310.pth": "", "m-B0353104.pth": "", "m-b0353104": "", "m-b0353104.": "", "m-b035310g.pt": "", "": "",
	} {
		if got := hashInName(name); got != want {
			t.Errorf("%q: %q, want %q", name, got, want)
		}
	}
}
