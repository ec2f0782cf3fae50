// Package magic takes a cell's text apart into Go and magics: `%name arguments` and `!command` where a statement could
// start, `%%name arguments` on the first line for the whole cell. It knows which magics there are and how they are
// written; what they do is done by package kernel/cell, which puts Go in their place, and by kernel/host, which carries
// out those of kind [Front].
package magic
