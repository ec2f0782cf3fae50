// Package kernel is the Jupyter kernel's front process.
package kernel
