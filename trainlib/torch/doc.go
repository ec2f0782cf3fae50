// Package torch binds libtorch.
package torch
