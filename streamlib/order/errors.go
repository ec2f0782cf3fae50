package order

import "fmt"

// ValueError reports arguments that admit no sample order. Its text is the reference's where the reference has one.
type ValueError string

func (e ValueError) Error() string { return string(e) }

func invalid(format string, args ...any) error { return ValueError(fmt.Sprintf(format, args...)) }

// KeyError reports the name of an algorithm that does not exist.
type KeyError string

func (e KeyError) Error() string { return fmt.Sprintf("unknown algorithm %q", string(e)) }
