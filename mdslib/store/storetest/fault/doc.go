// Package fault makes requests fail, so that every driver meets the same faults of a network in front of a real server.
package fault
