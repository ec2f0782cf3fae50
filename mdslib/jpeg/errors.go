package jpeg

import "errors"

// ErrTruncated is returned when the data ends before the end-of-image marker. The file is damaged in transport more often
// than at its source: fetch it again.
var ErrTruncated = errors.New("jpeg: file is truncated: the data ends before the end-of-image marker")

// FormatError says what in a file breaks the rules of the format.
type FormatError string

func (e FormatError) Error() string { return "jpeg: " + string(e) }

// UnsupportedError names a variant of the format that this package does not decode.
type UnsupportedError string

func (e UnsupportedError) Error() string { return "jpeg: not supported: " + string(e) }
