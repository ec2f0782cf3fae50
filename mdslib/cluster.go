package mdslib

import (
	"fmt"
	"sync/atomic"

	"gomosaic/mdslib/ship"
)

// active is the session that [ActiveSession] returns.
var active atomic.Pointer[Session]

// ActiveSession is SparkSession.active: the session connected last to an engine that runs programs on its machines, such as
// Spark, and not stopped since; nil where there is none.
func ActiveSession() *Session { return active.Load() }

// Cluster is the machines of the session's engine, as places for programs. An engine that has none, such as local, refuses.
func (s *Session) Cluster() (ship.Cluster, error) {
	if c, ok := s.engine.(ship.Cluster); ok {
		return c, nil
	}
	return nil, fmt.Errorf("mdslib: the engine %s has no machines to run programs on: connect to Spark (sc://host:port)", s.url)
}

// activate makes the session the active one, if it can be.
func (s *Session) activate() {
	if _, ok := s.engine.(ship.Cluster); ok {
		active.Store(s)
	}
}

// deactivate makes it no longer that.
func (s *Session) deactivate() { active.CompareAndSwap(s, nil) }
