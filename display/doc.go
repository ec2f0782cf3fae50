// Package display holds the values that render in a notebook: HTML, images and
// formulas with gophernotes' names, and charts, live charts, progress bars, tables
// and image grids of our own.
//
// A value that has a rendering method (HTML, SVG, PNG, Render, …) shows itself when
// it is the last expression of a cell; [Display] shows one from the middle of a cell.
// No function of the package shows anything as a side effect but [Display], [Show],
// [Update] and the live values ([Live], [Progress], [Track]), whose purpose it is.
//
// The package is light (standard library only), so any package may use it. What it
// renders is plain HTML with static pictures: it is visible with scripts off, in an
// untrusted notebook, and in an exported page. Charts are drawn by a renderer that
// registers itself (display/echarts, linked by the notebook's host); without one the
// package draws its own SVG.
//
// The host connects the package to its front-end with [SetPublisher] and calls
// [EndCell] after each cell. In a program without a publisher, a rank of a
// distributed run for instance, live values print compact lines on standard error.
// $GOMOSAIC_PROGRESS (html, text, log or off) says where progress bars go.
package display
