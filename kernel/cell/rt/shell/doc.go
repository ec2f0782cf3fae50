// Package shell is what the magics that have to do with the system become: `!command`, %%bash, %cd, %env, %%writefile.
// It is called by code that the rewriter makes, in the cell host and among the cell's other statements, so that the
// order of output, the working directory and the environment are one. An error ends the cell, as [rt.Check] does.
package shell
