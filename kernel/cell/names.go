package cell

import (
	"fmt"
	"go/token"
	"go/types"
	"strings"
)

const (
	// reserved marks every name that the rewriter makes; it is a letter of category Lu, so the name is exported.
	reserved = "Ꞷ"
	// freshMark ends a redeclared variable's name while the cell is checked: both the old and the new one are in scope.
	freshMark = "ꞷ"
	// userPackage is the import path under which go/types sees every cell: unexported access compares paths.
	userPackage = "main"
	// packageName is the name in the package clause of cells.
	packageName = reserved + userPackage
	// cellPathPrefix begins the import paths of cells.
	cellPathPrefix = "nb/c"
	// runtimePath is the package that every cell imports.
	runtimePath = "gomosaic/kernel/cell/rt"
	// snapshotPath is the package that every shipped program imports.
	snapshotPath = runtimePath + "/snapshot"
)

// Demangle turns text that a compiled cell or the compiler made into the user's own names.
func Demangle(text string) string {
	if !strings.Contains(text, reserved) {
		return text
	}
	return strings.ReplaceAll(text, reserved, "")
}

// mangle is the name of a top-level object, field or method in the generated package.
func mangle(name string) string {
	if name == "_" || token.IsExported(name) {
		return name
	}
	return reserved + name
}

// cellPath is the import path of the package of a cell.
func cellPath(seq int) string { return fmt.Sprintf("%s%d", cellPathPrefix, seq) }

// fromCell tells whether p holds objects of cells.
func fromCell(p *types.Package) bool { return p != nil && p.Path() == userPackage }
