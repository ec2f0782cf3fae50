// Package servers starts the real servers that stores are tested against, on this machine.
package servers
