package host

import "context"

// Warm fills the compile cache for the host binary: package archives for cells, the linker front, the packages of
// shipped programs. It does in advance what the first session would otherwise wait for; a repeated call is fast.
// progress, if not nil, is told in one line what is being done.
func Warm(ctx context.Context, o Options, progress func(string)) error { return errUnfinished }
