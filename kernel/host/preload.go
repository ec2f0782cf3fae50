package host

import "gomosaic/kernel/cell"

// Preloaded lists the packages that cells use without an import, by the name under which they do. The main package of
// the host binary must link every one of them (blank imports; a test compares), so that a cell's plugin finds them
// there: a package that the host lacks would be loaded with the first cell that uses it, with its own start-up cost.
// A user's variable, function, type or import of the same name wins.
var Preloaded = []cell.Preload{
	{Name: "mdslib", Path: "gomosaic/mdslib"},
	{Name: "streamlib", Path: "gomosaic/streamlib"},
	{Name: "transforms", Path: "gomosaic/streamlib/transforms"},
	{Name: "torch", Path: "gomosaic/trainlib/torch"},
	{Name: "nn", Path: "gomosaic/trainlib/nn"},
	{Name: "optim", Path: "gomosaic/trainlib/optim"},
	{Name: "models", Path: "gomosaic/trainlib/models"},
	{Name: "feed", Path: "gomosaic/trainlib/feed"},
	{Name: "checkpoint", Path: "gomosaic/trainlib/checkpoint"},
	{Name: "dist", Path: "gomosaic/trainlib/dist"},
	{Name: "distributor", Path: "gomosaic/trainlib/distributor"},
	{Name: "trainlib", Path: "gomosaic/trainlib"},
	{Name: "display", Path: "gomosaic/display"},
}
