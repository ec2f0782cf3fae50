package torch

import (
	"os"
	"path/filepath"
	"testing"
)

// TestABI reads the ABI of libstdc++ off libraries that differ in it, as far as the names of their functions go.
func TestABI(t *testing.T) {
	const (
		old     = "_ZN3c105ErrorC1ENS_14SourceLocationESs"
		current = "_ZN3c105ErrorC1ENS_14SourceLocationENSt7__cxx1112basic_stringIcSt11char_traitsIcESaIcEEE"
		other   = "_ZNSt7__cxx1112basic_stringIcSt11char_traitsIcESaIcEED1Ev" // libstdc++'s own: both may refer to it
	)
	path := filepath.Join(t.TempDir(), "libc10.so")
	for _, c := range []struct {
		names string
		want  bool
	}{{old + "\x00" + other, false}, {other + "\x00" + old + "\x00" + current, true}, {"no names", true}} {
		if err := os.WriteFile(path, []byte("\x7fELF\x00"+c.names+"\x00"), 0o666); err != nil {
			t.Fatal(err)
		}
		if got := cxx11(path); got != c.want {
			t.Errorf("%q: C++11 ABI %v", c.names, got)
		}
	}
}
