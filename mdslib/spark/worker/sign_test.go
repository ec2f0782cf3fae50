package worker

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"gomosaic/mdslib"
)

// TestMain is also the main of tasks that tests start.
func TestMain(m *testing.M) {
	switch os.Getenv("GOMOSAIC_TEST_TASK") {
	case "convert":
		if err := Run(context.Background(), os.Args[1], os.Stdin, os.Stdout, ConvertText); err != nil {
			Fail(os.Stdin, os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	case "map":
		Map(func(row mdslib.Sample) (mdslib.Sample, error) {
			if row["n"] == nil {
				return nil, errors.New("no number")
			}
			return row, nil
		})
	}
	os.Exit(m.Run())
}

// TestFinal: which errors come again, by what they are.
func TestFinal(t *testing.T) {
	gone := filepath.Join(t.TempDir(), "gone")
	_, missing := os.Open(gone)
	for name, test := range map[string]struct {
		err  error
		want bool
	}{
		"a sample":           {errors.Join(located(&mdslib.SampleError{Column: "n", Err: errors.New("it is NULL")}, 1, 2), errors.New("and more")), true},
		"a store":            {located(fmt.Errorf("mdslib: upload: %w", errors.New("503")), 1, 2), false},
		"a func's":           {fmt.Errorf("row 1: %w", finalOf(errors.New("wilted"))), true},
		"a func's disk":      {finalOf(fmt.Errorf("row 1: %w", &fs.PathError{Op: "write", Path: "/x", Err: syscall.ENOSPC})), false},
		"a func's network":   {finalOf(&net.OpError{Op: "dial", Err: errors.New("refused")}), false},
		"a func's deadline":  {finalOf(context.DeadlineExceeded), false},
		"a func's file":      {finalOf(missing), true},
		"half a row":         {io.ErrUnexpectedEOF, false},
		"a folder that went": {missing, false},
	} {
		if got := final(test.err); got != test.want {
			t.Errorf("%s: %t, want %t (%v)", name, got, test.want, test.err)
		}
	}
}

// TestFinalOfTasks: which errors of tasks come again, by where they come from.
func TestFinalOfTasks(t *testing.T) {
	_, j := start(t, mdslib.MDSOptions{Out: filepath.Join(t.TempDir(), "out")})
	row := func(values ...any) func(yield func([]any, error) bool) {
		return func(yield func([]any, error) bool) { yield(values, nil) }
	}
	type samples = iter.Seq2[mdslib.Sample, error]
	yields := func(j *Job, sample mdslib.Sample, fails error) error {
		_, err := convertYielded(t.Context(), j, strings.NewReader("0\t1\tcm9zZQ==\tE\n"), func(samples) samples {
			return func(yield func(mdslib.Sample, error) bool) { yield(sample, fails) }
		})
		return err
	}
	full := *j
	full.Options.Out, full.Marker = "/dev/full/out", "" // no folder can be made there
	_, null := Convert(t.Context(), j, 0, row(nil, "a"))
	_, fullDisk := Convert(t.Context(), &full, 0, row(int64(1), "a"))
	for name, test := range map[string]struct {
		err  error
		want bool
	}{
		"NULL":                        {null, true},
		"no disk":                     {fullDisk, false},
		"a func's own":                {yields(j, nil, errors.New("wilted")), true},
		"a func's sample":             {yields(j, mdslib.Sample{"n": "x", "s": ""}, nil), true},
		"a func's sample and no disk": {yields(&full, mdslib.Sample{"n": int64(1), "s": ""}, nil), false},
	} {
		if test.err == nil || final(test.err) != test.want {
			t.Errorf("%s: %t, want %t: %v", name, final(test.err), test.want, test.err)
		}
	}
}

// busy is longer than the busiest machine takes for what takes a moment.
const busy = time.Minute

// TestFailureIsHeard: the driver hears of a row that can't be encoded, or mapped, while its task still gets rows, which it takes; when
// the driver gives the conversion up the task ends, and nothing is left.
func TestFailureIsHeard(t *testing.T) {
	for name, test := range map[string]struct{ remote, program, says string }{
		"folder": {"", "convert", `row 1 of partition 7: column "n": it is NULL`},
		"remote": {"remote", "convert", `row 1 of partition 7: column "n": it is NULL`},
		"map":    {"", "map", `row 1 of partition 7 (n: NULL, s: rose): Map: no number`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			opts := mdslib.MDSOptions{Out: filepath.Join(dir, "out")}
			if test.remote != "" {
				opts.Remote = filepath.Join(dir, test.remote)
			}
			c, j := start(t, opts)
			if said, err := c.TaskFailure(t.Context()); said != "" || err != nil {
				t.Errorf("before: %q, %v", said, err)
			}
			text, err := json.Marshal(j)
			if test.program == "map" {
				text, err = json.Marshal(MapJob{In: j.Schema, Texts: j.Texts, Out: j.Schema, Place: j.Place()})
			}
			if err != nil {
				t.Fatal(err)
			}
			file := filepath.Join(t.TempDir(), "job")
			if err := os.WriteFile(file, text, 0o666); err != nil {
				t.Fatal(err)
			}
			task := exec.Command(os.Args[0], file)
			task.Env = append(os.Environ(), "GOMOSAIC_TEST_TASK="+test.program, "TMPDIR="+t.TempDir())
			rows, err := task.StdinPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := task.Start(); err != nil {
				t.Fatal(err)
			}
			ended := make(chan error, 1)
			go func() { ended <- task.Wait() }()
			fmt.Fprint(rows, "7\t1\tcm9zZQ==\tE\n7\t!\tcm9zZQ==\tE\n")
			said := ""
			for end := time.Now().Add(busy); said == "" && time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
				if _, err := fmt.Fprint(rows, "7\t2\tcm9zZQ==\tE\n"); err != nil {
					t.Fatalf("the task takes no rows: %v", err)
				}
				if said, err = c.TaskFailure(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
			if !strings.HasPrefix(said, test.says) {
				t.Errorf("the driver hears %q", said)
			}
			began := time.Now()
			_ = c.Abort(errors.New(said))
			if took := time.Since(began); took > 4*time.Second { // for a task at a store it waits five seconds
				t.Errorf("it takes %v to give up what nobody writes", took)
			}
			select {
			case <-ended:
			case <-time.After(busy):
				t.Error("the task does not end")
				_ = task.Process.Kill()
				<-ended
			}
			if left := files(t, dir); len(left) > 0 {
				t.Errorf("%v are left", left)
			}
		})
	}
}

// TestFarewell: a conversion that is given up waits for the tasks that may still write to its remote, so that nothing is left of them;
// for one that is killed no longer than it must.
func TestFarewell(t *testing.T) {
	for name, test := range map[string]struct{ writes, waits time.Duration }{
		"none":   {0, 0},
		"slow":   {1500 * time.Millisecond, 1600 * time.Millisecond},
		"killed": {time.Hour, 5 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			remote := t.TempDir()
			c, j := start(t, mdslib.MDSOptions{Out: filepath.Join(t.TempDir(), "local"), Remote: remote})
			killed(t, j, 0)
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				m, err := j.Place().open(ctx)
				if err != nil {
					t.Fatal(err)
				}
				if s := m.signs(); test.writes > 0 {
					if err := s.begin(ctx, j); err != nil {
						t.Fatal(err)
					}
					go func() {
						select {
						case <-time.After(test.writes):
							killed(t, j, 1)
							s.end(ctx, j)
						case <-ctx.Done():
						}
					}()
				}
				began := time.Now()
				_ = c.Abort(errors.New("interrupted"))
				if took := time.Since(began); took < test.writes && test.writes < time.Minute || took > test.waits {
					t.Errorf("it took %v, want %v", took, test.waits)
				}
			})
			if left, err := os.ReadDir(remote); err != nil || len(left) > 0 {
				t.Errorf("%v are left, %v", left, err)
			}
		})
	}
}

// TestSignsOfTheLate: a task that comes, or fails, when its conversion has been given up leaves nothing behind.
func TestSignsOfTheLate(t *testing.T) {
	for _, remote := range []string{"", t.TempDir()} {
		dir := t.TempDir()
		c, j := start(t, mdslib.MDSOptions{Out: filepath.Join(dir, "out"), Remote: remote})
		m, err := j.Place().open(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		s := m.signs()
		_ = c.Abort(errors.New("interrupted"))
		if err := s.begin(t.Context(), j); err != nil {
			t.Error(err)
		}
		if _, err := Convert(t.Context(), j, 0, numbers(0, 3)); err == nil || !strings.HasPrefix(err.Error(), ErrNotShared) {
			t.Errorf("it writes: %v", err)
		}
		if s.fail(t.Context(), &finalError{errors.New("it is NULL")}) {
			t.Error("somebody hears")
		}
		s.end(t.Context(), j)
		if left := append(files(t, dir), files(t, j.Options.Out+j.Options.Remote)...); len(left) > 0 {
			t.Errorf("%v are left", left)
		}
	}
}
