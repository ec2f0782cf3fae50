package rt

import (
	"errors"
	"testing"
)

func TestCheck(t *testing.T) {
	Check(nil)
	if Check1(3, nil) != 3 {
		t.Error("Check1 lost the value")
	}
	boom := errors.New("boom")
	defer func() {
		f, ok := recover().(*Failure)
		if !ok || !errors.Is(f, boom) || f.Error() != "boom" {
			t.Errorf("recovered %v", f)
		}
	}()
	Check1(0, boom)
}

func TestRecoveredPassesInterruptions(t *testing.T) {
	if Recovered("x") != "x" {
		t.Error("an ordinary panic value is changed")
	}
	defer func() {
		if _, ok := recover().(Interrupted); !ok {
			t.Error("the interruption was swallowed")
		}
	}()
	Recovered(Interrupted{})
}
