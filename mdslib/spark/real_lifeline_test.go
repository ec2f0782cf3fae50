//go:build spark

package spark

// The end of Map's processes on executors, when nobody wants their rows any more. Without lifelines Spark ends few of them.

import (
	"context"
	"errors"
	"log"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"gomosaic/mdslib"
)

// begunFile is what sleepy and barren make when they are called.
var begunFile string

// sleepy takes its time with all rows but the first.
func sleepy(row mdslib.Sample) (mdslib.Sample, error) {
	err := os.WriteFile(begunFile, nil, 0o666)
	if row["id"] != int64(0) {
		time.Sleep(10 * time.Second)
	}
	return row, err
}

var begun sync.Once

func barren(mdslib.Sample) (_ mdslib.Sample, err error) {
	begun.Do(func() { err = os.WriteFile(begunFile, nil, 0o666) })
	return nil, err
}

// whenBegun calls do when a func says that it was called.
func whenBegun(t *testing.T, do func()) {
	begunFile = filepath.Join(t.TempDir(), "begun")
	go func() {
		for begun, _ := os.Stat(begunFile); begun == nil; begun, _ = os.Stat(begunFile) {
			if t.Context().Err() != nil {
				return
			}
			time.Sleep(20 * time.Millisecond)
		}
		do()
	}()
}

// untilNoneRuns waits until for some time no process of ours has run on the executors.
func untilNoneRuns(t *testing.T, quiet time.Duration) {
	t.Helper()
	start := time.Now()
	for since := start; time.Since(since) <= quiet; time.Sleep(50 * time.Millisecond) {
		all := workers(t)
		if len(all) > 0 {
			since = time.Now()
		}
		if time.Since(start) > 15*time.Second {
			t.Fatalf("%v run on", all)
		}
	}
	t.Logf("none ran %.1f s after the end", (time.Since(start) - quiet).Seconds())
}

// TestMapEnds: no process is left of a query that was given up, by its context, by a loop that is left, or by Spark, which needs no more
// rows; whether the func is slow or its rows are many.
func TestMapEnds(t *testing.T) {
	e := engineOf(t, session)
	defer e.keepsMaps.Store(e.keepsMaps.Load())
	many := session.Range(0, 1e9)
	for name, test := range map[string]struct {
		frame *mdslib.DataFrame // to be interrupted
		run   func(ctx context.Context) error
		keeps bool // rows of Maps, so that tasks do not know their query
	}{
		"slow":       {frame: session.Range(0, 100).Repartition(1).Map("id BIGINT", sleepy)},
		"many":       {frame: many.Map("id BIGINT", barren)},
		"kept":       {frame: session.Range(0, 100).Repartition(1).Map("id BIGINT", sleepy), keeps: true},
		"limit":      {run: func(ctx context.Context) error { _, err := many.Map("", same).Limit(1).Collect(ctx); return err }},
		"limit kept": {run: func(ctx context.Context) error { _, err := many.Map("", same).Limit(1).Collect(ctx); return err }, keeps: true},
		"a loop that is left": {run: func(ctx context.Context) error {
			rows, err := session.SQL(ctx, "SELECT id FROM range(0, 2, 1, 2)")
			if err != nil {
				return err
			}
			whenBegun(t, func() {})
			for _, err := range rows.Map("id BIGINT", sleepy).Rows(ctx) {
				return err
			}
			return errors.New("no rows")
		}},
		"amid another query": {run: func(ctx context.Context) error {
			for _, err := range session.Range(0, 10).Rows(ctx) {
				if err != nil {
					return err
				}
				_, err := many.Map("", same).Limit(1).Collect(ctx)
				untilNoneRuns(t, 0)
				return err
			}
			return errors.New("no rows")
		}},
	} {
		t.Run(name, func(t *testing.T) {
			bothWays(t, func(t *testing.T) {
				e.keepsMaps.Store(test.keeps)
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				if test.run != nil {
					if err := test.run(ctx); err != nil {
						t.Error(err)
					}
				} else {
					whenBegun(t, cancel)
					if _, err := test.frame.Collect(ctx); !errors.Is(err, context.Canceled) {
						t.Errorf("error %v", err)
					}
				}
				untilNoneRuns(t, 0)
			})
		})
	}
}

// mainMapper maps slow rows in a session of its own, and will be killed.
func mainMapper() {
	begunFile = os.Getenv("GOMOSAIC_TEST_BEGUN")
	s, err := mdslib.Connect(context.Background(), os.Getenv("GOMOSAIC_TEST_MAPPER"))
	if err == nil {
		_, err = s.Range(0, 100).Repartition(2).Map("id BIGINT", sleepy).Collect(context.Background())
	}
	log.Fatal(err)
}

// TestMapEndsWithKernel: when the process that has asked for a Map's rows is killed, the tasks end, and those with which Spark tries
// them again.
func TestMapEndsWithKernel(t *testing.T) {
	driver := exec.Command(os.Args[0])
	killed := make(chan struct{})
	whenBegun(t, func() {
		_ = driver.Process.Kill()
		close(killed)
	})
	driver.Env = append(os.Environ(), "GOMOSAIC_TEST_MAPPER="+remote(), "GOMOSAIC_TEST_BEGUN="+begunFile)
	driver.Stderr = os.Stderr
	if err := driver.Run(); err == nil {
		t.Error("it ended by itself")
	}
	<-killed
	untilNoneRuns(t, 4*time.Second)
}
