package cell_test

import (
	"context"
	"fmt"
	"go/token"
	"os"

	"gomosaic/kernel/cell"
)

func Example() {
	ctx := context.Background()
	dir, err := os.MkdirTemp("", "cells")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	tools, err := cell.FindToolchain(ctx)
	if err != nil {
		fmt.Println(err)
		return
	}
	archives, err := cell.OpenArchives(ctx, cell.NewModule(tools, "../.."), dir, nil, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	fset := token.NewFileSet()
	session := cell.NewSession(cell.Config{Fset: fset, Importer: archives.Importer(fset), Suggest: archives.Suggest})

	unit, err := session.Compile("words := []string{\"a\", \"b\"}", 1)
	fmt.Println(unit.Path(), err)
	session.Commit(unit)

	_, err = session.Compile("strings.Join(words, 3)", 2)
	fmt.Println(err.(cell.Errors).Text())
	// Output:
	// nb/c1 <nil>
	// cell[2]:1:1: undefined: strings
	//     strings.Join(words, 3)
	//     ^
	//     hint: import "strings"
}

func ExampleIsComplete() {
	status, indent := cell.IsComplete("x := 1")
	fmt.Printf("%s %q\n", status, indent)
	status, indent = cell.IsComplete("for {")
	fmt.Printf("%s %q\n", status, indent)
	// Output:
	// complete ""
	// incomplete "    "
}
