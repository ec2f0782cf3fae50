package mdslib

// What a UDFIterable yields of rows, wherever they are, and how samples that may not come become a data set.

import (
	"errors"
	"fmt"
	"iter"
	"runtime/debug"

	"gomosaic/mdslib/ship"
)

// UDFError is an error of a UDFIterable, its panic, or the error of writing what it yields.
type UDFError struct{ Err error }

func (e *UDFError) Error() string { return "UDFIterable: " + e.Err.Error() }
func (e *UDFError) Unwrap() error { return e.Err }

// Yield calls write with each sample that udf, the UDFIterable of [MDSOptions], yields of rows; engines call it for a partition. An
// error of the rows ends it and is returned, whatever udf makes of it; others are a [*UDFError].
func Yield(udf func(rows iter.Seq2[Sample, error]) iter.Seq2[Sample, error], rows iter.Seq2[Sample, error], write func(Sample) error) error {
	var failed error // of the rows
	err := guarded(udf, func(yield func(Sample, error) bool) {
		for row, err := range rows {
			if err != nil {
				failed = err
				row = Sample{} // not nil, for one that doesn't look at the error
			}
			if !yield(row, err) || err != nil {
				return
			}
		}
	}, func(sample Sample) error {
		if failed != nil {
			return failed
		}
		return write(sample)
	})
	if failed != nil {
		return failed
	}
	if err != nil {
		return &UDFError{err}
	}
	return nil
}

// guarded writes what udf yields; a panic of it is an error.
func guarded(udf func(iter.Seq2[Sample, error]) iter.Seq2[Sample, error], rows iter.Seq2[Sample, error], write func(Sample) error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("the func panicked: %v%s", p, ship.Frames(string(debug.Stack())))
		}
	}()
	for sample, err := range udf(rows) {
		if err == nil {
			err = write(sample)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// WriteSamples writes what samples calls write with as one data set, and removes it again after an error. The writer is made with
// the first sample: without any there is no folder, and the index is empty.
func WriteSamples(opts MDSOptions, samples func(write func(Sample) error) error) (*Index, error) {
	var w *MDSWriter
	err := samples(func(sample Sample) (err error) {
		if w == nil {
			if w, err = NewMDSWriter(opts); err != nil {
				return err
			}
		}
		return w.Write(sample)
	})
	if w == nil {
		return &Index{}, err
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		return nil, errors.Join(err, w.Abort())
	}
	return w.Index(), nil
}
