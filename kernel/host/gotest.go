package host

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"reflect"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"gomosaic/kernel/cell/rt"
	"gomosaic/kernel/cell/rt/gotest"
)

// testFlags are the flags of go test that %test takes, with what they are without: those that concern the process
// (-timeout, -cpu, profiles) are left out.
var testFlags = map[string]string{"run": "", "skip": "", "bench": "", "benchtime": "1s", "benchmem": "false", "count": "1",
	"short": "false", "failfast": "false", "parallel": "4", "shuffle": "off", "v": "true"}

// setTestFlags sets package testing's flags for one run. A word that is no flag is the pattern of -run.
func setTestFlags(text string) error {
	testing.Init()
	set := flag.NewFlagSet("%test", flag.ContinueOnError)
	set.SetOutput(io.Discard)
	values := map[string]*string{}
	for name, without := range testFlags {
		if without == "false" || without == "true" {
			values[name] = new(string)
			*values[name] = without
			set.BoolFunc(name, "", func(s string) error { *values[name] = s; return nil })
			continue
		}
		values[name] = set.String(name, without, "")
	}
	err := set.Parse(strings.Fields(text))
	if err == nil && set.NArg() > 0 {
		*values["run"] = set.Arg(0)
		err = set.Parse(set.Args()[1:])
	}
	if err == nil && set.NArg() > 0 {
		err = fmt.Errorf("want one pattern and flags of go test, got %q", text)
	}
	if err != nil {
		return err
	}
	for name, value := range values {
		if err := flag.Set("test."+name, *value); err != nil {
			return fmt.Errorf("-%s: %w", name, err)
		}
	}
	return nil
}

// test runs Test and Benchmark functions of the session as `go test -v` does; it is rt.Test's end in the host. The
// error names those that failed.
func (s *server) test(flags string, functions []rt.Function) error {
	if err := setTestFlags(flags); err != nil {
		return err
	}
	var mu sync.Mutex
	var failed []string
	note := func(t testing.TB) func() {
		return func() {
			mu.Lock()
			defer mu.Unlock()
			if t.Failed() {
				failed = append(failed, t.Name())
			}
		}
	}
	run := rt.Starting()
	var tests []testing.InternalTest
	var benchmarks []testing.InternalBenchmark
	for _, f := range functions {
		switch test := f.F.(type) {
		case func(*testing.T):
			guarded := gotest.Test(test)
			tests = append(tests, testing.InternalTest{Name: f.Name, F: func(t *testing.T) {
				t.Cleanup(note(t))
				stopIfAsked(t, run)
				guarded(t)
			}})
		case func(*testing.B):
			guarded := gotest.Benchmark(test)
			benchmarks = append(benchmarks, testing.InternalBenchmark{Name: f.Name, F: func(b *testing.B) {
				b.Cleanup(note(b))
				stopIfAsked(b, run)
				guarded(b)
			}})
		}
	}
	status := testing.MainStart(testDeps{}, tests, benchmarks, nil, nil).Run()
	switch {
	case run.Interrupted():
		rt.Halt()
		return errors.New("interrupted")
	case len(failed) > 0:
		return errors.New("failed: " + strings.Join(failed, ", "))
	case status != 0:
		return errors.New("the tests failed")
	}
	return nil
}

// stopIfAsked skips what an interruption leaves undone.
func stopIfAsked(t testing.TB, run *rt.Run) {
	if run.Interrupted() {
		t.Skip("interrupted")
	}
}

// testDeps is what package testing gets from the main function that go test writes. Fuzzing, profiles and coverage are
// not asked for.
type testDeps struct{}

// corpusEntry is package testing's, an alias there.
type corpusEntry = struct {
	Parent     string
	Path       string
	Data       []byte
	Values     []any
	Generation int
	IsSeed     bool
}

func (testDeps) MatchString(pattern, text string) (bool, error) {
	return regexp.MatchString(pattern, text)
}
func (testDeps) ImportPath() string                          { return "" }
func (testDeps) ModulePath() string                          { return "" }
func (testDeps) SetPanicOnExit0(bool)                        {}
func (testDeps) StartCPUProfile(io.Writer) error             { return errors.ErrUnsupported }
func (testDeps) StopCPUProfile()                             {}
func (testDeps) StartTestLog(io.Writer)                      {}
func (testDeps) StopTestLog() error                          { return nil }
func (testDeps) WriteProfileTo(string, io.Writer, int) error { return errors.ErrUnsupported }
func (testDeps) CoordinateFuzzing(time.Duration, int64, time.Duration, int64, int, []corpusEntry, []reflect.Type, string, string) error {
	return errors.ErrUnsupported
}
func (testDeps) RunFuzzWorker(func(corpusEntry) error) error { return errors.ErrUnsupported }
func (testDeps) ReadCorpus(string, []reflect.Type) ([]corpusEntry, error) {
	return nil, errors.ErrUnsupported
}
func (testDeps) CheckCorpus([]any, []reflect.Type) error { return nil }
func (testDeps) ResetCoverage()                          {}
func (testDeps) SnapshotCoverage()                       {}
func (testDeps) InitRuntimeCoverage() (mode string, tearDown func(string, string) (string, error), snapcov func() float64) {
	return "", nil, nil
}
