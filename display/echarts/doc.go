// Package echarts draws the charts of gomosaic/display, and any chart of go-echarts, with
// Apache ECharts: as SVG, made in process, inside HTML that becomes interactive where
// scripts run. Linking the package registers it:
//
//	import _ "gomosaic/display/echarts"
//
// A chart is one output: a <div> with the static picture, then a script that puts an
// interactive chart in its place. The picture is what an untrusted notebook, a page with
// scripts off and an exported notebook show. The script takes the library from the page if
// it is there already, else from the kernelspec's directory, where install has put it
// ([Files]); it never asks another host, and where the library cannot be had the picture
// stays.
//
// Frames of a live chart carry the picture that package display draws itself, which costs
// a hundredth; the last frame carries everything.
package echarts
