package echarts

// The embedded library, as published. Used by the engine, and by install, which puts it
// beside kernel.json for the front-end to load.

import (
	"bytes"
	"compress/gzip"
	_ "embed"
	"fmt"
	"io"
	"sync"
)

//go:generate go run fetch.go

//go:embed assets/echarts.min.js.gz
var packed []byte

//go:embed assets/LICENSE
var license []byte

//go:embed assets/NOTICE
var notice []byte

//go:embed assets/LICENSE-d3
var licenseD3 []byte

// ScriptName is the name of the library in the kernelspec's directory.
const ScriptName = "echarts.min.js"

// Script is Apache ECharts 6.1.0 as its npm package holds it, dist/echarts.min.js. The bytes
// are shared: do not change them.
func Script() []byte { return script() }

var script = sync.OnceValue(func() []byte {
	r, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		panic(fmt.Errorf("echarts: embedded library: %w", err))
	}
	raw, err := io.ReadAll(r)
	if err != nil {
		panic(fmt.Errorf("echarts: embedded library: %w", err))
	}
	return raw
})

// Files are what belongs in the kernelspec's directory, by name: the library and the
// licences that must travel with it.
func Files() map[string][]byte {
	return map[string][]byte{
		ScriptName:           Script(),
		"echarts.LICENSE":    license,
		"echarts.NOTICE":     notice,
		"echarts.LICENSE-d3": licenseD3,
	}
}
