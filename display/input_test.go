package display

import (
	"context"
	"errors"
	"os"
	"testing"
)

// frontend is a publisher that answers questions and clears.
type frontend struct {
	recorder
	cleared []bool
	err     error
}

func (f *frontend) Input(_ context.Context, prompt string, password bool) (string, error) {
	if password {
		prompt = "*" + prompt
	}
	return "re: " + prompt, f.err
}

func (f *frontend) ClearOutput(wait bool) error {
	f.cleared = append(f.cleared, wait)
	return f.err
}

func TestInputAndClear(t *testing.T) {
	f := &frontend{}
	t.Cleanup(SetPublisher(f))
	if got, err := Input("name? "); got != "re: name? " || err != nil {
		t.Errorf("Input gave %q, %v", got, err)
	}
	if got, err := Password("key? "); got != "re: *key? " || err != nil {
		t.Errorf("Password gave %q, %v", got, err)
	}
	if err := errors.Join(Clear(true), Clear(false)); err != nil || len(f.cleared) != 2 || !f.cleared[0] || f.cleared[1] {
		t.Errorf("cleared %v, %v", f.cleared, err)
	}
	f.err = errors.New("no input")
	if _, err := Input(""); !errors.Is(err, f.err) {
		t.Errorf("Input's error is %v", err)
	}
}

func TestWithoutPublisherInputIsStandardInput(t *testing.T) {
	t.Cleanup(SetPublisher(nil))
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	before := os.Stdin
	os.Stdin = r
	defer func() { os.Stdin = before; r.Close() }()
	w.WriteString("first\r\nsecond\nlast")
	w.Close()
	prompts := stderr(t, func() {
		for _, want := range []string{"first", "second", "last"} {
			if got, err := Input("? "); got != want || err != nil {
				t.Errorf("read %q, %v; want %q", got, err, want)
			}
		}
		if _, err := Input(""); err == nil {
			t.Error("no error at the end of the input")
		}
	})
	if prompts != "? ? ? " {
		t.Errorf("prompted %q", prompts)
	}
	if _, err := Password(""); err == nil {
		t.Error("a password is read where it would be seen")
	}
	if err := Clear(false); err != nil {
		t.Error(err)
	}
}
