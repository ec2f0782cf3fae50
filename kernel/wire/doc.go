// Package wire speaks the Jupyter messaging protocol over ZMTP.
package wire
