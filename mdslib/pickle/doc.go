// Package pickle reads and writes Python's pickles of plain data, and never executes anything.
package pickle
