package cell

// Preload is a package that cells use without importing it, under the given name.
type Preload struct {
	Name string // as in an import declaration
	Path string // import path
}
