// Package trainlib trains models: Fit and Eval over a loader.
package trainlib
