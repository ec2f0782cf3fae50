//go:build !spark

package spark

import (
	"strings"
	"testing"

	"gomosaic/mdslib"
)

// TestNothingShips: a program that has not said which of its funcs may run elsewhere is told how.
func TestNothingShips(t *testing.T) {
	fn := func(row mdslib.Sample) (mdslib.Sample, error) { return row, nil }
	if _, err := shippedTask(t.Context(), fn, mapEntry); err == nil || !strings.Contains(err.Error(), "begin its main with reexec.Main") {
		t.Errorf("%v", err)
	}
}
