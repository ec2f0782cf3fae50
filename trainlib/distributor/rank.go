package distributor

import (
	"context"
	"encoding/gob"
	"fmt"
	"os"
	"os/signal"
	"reflect"
	"runtime"
	"runtime/debug"
	"strings"
	"syscall"
	"time"

	"gomosaic/display"
	"gomosaic/mdslib/ship"
	"gomosaic/trainlib/dist"
	"gomosaic/trainlib/distributor/ranks"
)

// A rank learns from its environment what it is, besides torchrun's variables.
const (
	envFunc   = "GOMOSAIC_RANK_FUNC" // name of the function that this rank runs (ordinary programs only)
	envResult = ranks.EnvResult      // folder for the ranks' result files
)

// result is what a rank leaves for the launcher, in a file of its own.
type result[T any] struct {
	Value T
	Error string    // what fn returned or panicked with; empty when it went well
	At    time.Time // when fn returned
}

// RankMain is the main of a rank's program: it reads the world from the environment, calls fn with a context that ends on
// SIGTERM and SIGINT, leaves the result for the launcher and exits: 0 when fn went well, else 1. It does not return.
func RankMain[T any](fn func(context.Context, dist.World) (T, error)) {
	runtime.LockOSThread() // libtorch keeps a pool of threads for each calling thread
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	value, err := callRank(ctx, fn)
	display.EndCell(err) // the last words of live charts and bars
	r := result[T]{Value: value, At: time.Now()}
	if err != nil {
		r.Error = err.Error()
		fmt.Fprintln(os.Stderr, "error:", err)
	}
	if dir := os.Getenv(envResult); dir != "" {
		w, _ := dist.WorldFromEnv()
		if writeErr := writeResult(ranks.ResultFile(dir, w.Rank), r); writeErr != nil && err == nil {
			err = writeErr
			fmt.Fprintln(os.Stderr, "error:", err)
		}
	}
	if err != nil {
		os.Exit(1)
	}
	os.Exit(0)
}

// callRank calls fn; a panic becomes an error with the frames of the user's code.
func callRank[T any](ctx context.Context, fn func(context.Context, dist.World) (T, error)) (value T, err error) {
	w, err := dist.WorldFromEnv()
	if err != nil {
		return value, err
	}
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%v%s", p, ship.Frames(string(debug.Stack())))
		}
	}()
	if data := os.Getenv(ranks.EnvData); data != "" {
		if err := ranks.CanRead(ctx, strings.Split(data, "\n")...); err != nil {
			return value, err
		}
	}
	return fn(ctx, w)
}

// writeResult writes r to path as a whole. A value without exported fields (struct{}, say) carries nothing and is left out.
func writeResult[T any](path string, r result[T]) error {
	partial := path + ".partial"
	f, err := os.Create(partial)
	if err != nil {
		return fmt.Errorf("distributor: rank result: %w", err)
	}
	enc := gob.NewEncoder(f)
	if err = enc.Encode(r.Error); err == nil {
		err = enc.Encode(r.At)
	}
	if err == nil && r.Error == "" && carries[T]() {
		if err = enc.Encode(&r.Value); err != nil {
			err = fmt.Errorf("distributor: the result of type %T cannot travel to the launcher: %w", r.Value, err)
		}
	}
	if closeErr := f.Close(); err == nil {
		err = closeErr
	}
	if err != nil {
		os.Remove(partial)
		return err
	}
	return os.Rename(partial, path)
}

// readResult reads what writeResult wrote.
func readResult[T any](path string) (result[T], error) {
	var r result[T]
	f, err := os.Open(path)
	if err != nil {
		return r, err
	}
	defer f.Close()
	dec := gob.NewDecoder(f)
	if err := dec.Decode(&r.Error); err != nil {
		return r, err
	}
	if err := dec.Decode(&r.At); err != nil {
		return r, err
	}
	if r.Error == "" && carries[T]() {
		err = dec.Decode(&r.Value)
	}
	return r, err
}

// carries reports whether a T has anything for gob to carry.
func carries[T any]() bool {
	t := reflect.TypeFor[T]()
	return !(t.Kind() == reflect.Struct && t.NumField() == 0)
}
