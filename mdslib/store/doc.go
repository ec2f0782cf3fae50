// Package store moves whole files between here and where data lives: a local folder or, once its driver is linked, an
// object store. It is a leaf; mdslib's writer, merge and streamlib's cache use it.
package store
