package kernel

import "embed"

// logos are the kernelspec's marks: an M of mosaic tiles, which Jupyter's launcher shows (the SVG where it can).
//
//go:embed logo-svg.svg logo-32x32.png logo-64x64.png
var logos embed.FS
