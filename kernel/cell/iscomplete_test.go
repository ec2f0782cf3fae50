package cell

import "testing"

func TestIsComplete(t *testing.T) {
	for _, test := range []struct{ code, status, indent string }{
		{"x := 1", "complete", ""},
		{"", "complete", ""},
		{"import \"fmt\"\nfmt.Println(1)", "complete", ""},
		{"func f() int {", "incomplete", "    "},
		{"func f() int {\n\tif true {", "incomplete", "        "},
		{"f(1,", "incomplete", "    "},
		{"x := 1 +", "incomplete", "    "},
		{"x.", "incomplete", "    "},
		{"s := `raw", "incomplete", ""},
		{"/* note", "incomplete", ""},
		{"x := 1 /* note", "incomplete", ""},
		{"x++", "complete", ""},
		{"f(xs...)", "complete", ""},
		{"}", "invalid", ""},
		{"x := := 2", "invalid", ""},
		{"s := \"open", "invalid", ""},
		{"// only a comment", "complete", ""},
		{"for {\n}", "complete", ""},
		{"type T struct {\n\ta int\n}", "complete", ""},
		{"%cd x", "complete", ""},
		{"!echo \"(", "complete", ""},
		{"%%bash\nfor i in 1 2; do", "incomplete", ""},
		{"%%bash\necho (\n", "complete", ""},
		{"%nothing", "invalid", ""},
	} {
		if status, indent := IsComplete(test.code); status != test.status || indent != test.indent {
			t.Errorf("%q: %s %q, want %s %q", test.code, status, indent, test.status, test.indent)
		}
	}
}
