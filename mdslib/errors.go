package mdslib

import (
	"errors"
	"fmt"
	"strings"
)

// ErrChecksum is wrapped by errors about a file whose size or hash is not what the index says.
var ErrChecksum = errors.New("checksum mismatch")

// ErrFormat is wrapped by errors about a shard or an index that breaks the rules of the format.
var ErrFormat = errors.New("malformed")

// SampleError locates an error in one sample. Fields that are not known are zero.
type SampleError struct {
	Shard  string // basename of the shard file
	Sample int64  // position in the shard when Shard is set, else among the samples written or read; -1 if unknown
	Column string
	Err    error
}

func (e *SampleError) Error() string {
	var b strings.Builder
	b.WriteString("mdslib: ")
	if e.Shard != "" {
		fmt.Fprintf(&b, "%s: ", e.Shard)
	}
	if e.Sample >= 0 {
		fmt.Fprintf(&b, "sample %d: ", e.Sample)
	}
	if e.Column != "" {
		fmt.Fprintf(&b, "column %q: ", e.Column)
	}
	return b.String() + e.Err.Error()
}

func (e *SampleError) Unwrap() error { return e.Err }

// locate adds shard and sample to an error about a sample.
func locate(err error, shard string, sample int64) error {
	if err == nil {
		return nil
	}
	if e, ok := err.(*SampleError); ok {
		return &SampleError{Shard: shard, Sample: sample, Column: e.Column, Err: e.Err}
	}
	return &SampleError{Shard: shard, Sample: sample, Err: err}
}

// wantGot says that an encoding cannot take a value.
func wantGot(want string, got any) error {
	if got == nil {
		return fmt.Errorf("want %s, got a null", want)
	}
	switch got.(type) {
	case bool, string, int, int8, int16, int32, int64, uint, uint8, uint16, uint32, uint64, float32, float64, Decimal:
		return fmt.Errorf("want %s, got %T %s", want, got, clip(fmt.Sprintf("%#v", got)))
	}
	return fmt.Errorf("want %s, got %T", want, got)
}
