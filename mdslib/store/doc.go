// Package store moves whole files between here and where data lives.
package store
