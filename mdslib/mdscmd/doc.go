// Package mdscmd is the command line over data sets: gomosaic mds.
package mdscmd
