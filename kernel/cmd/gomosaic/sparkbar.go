package main

import (
	"gomosaic/display"
	"gomosaic/mdslib"
	"gomosaic/mdslib/spark"
)

func init() { spark.Watch(func(what string) spark.Watcher { return &sparkBar{what: what} }) }

// sparkBar shows an operation of Spark as a progress bar, from its first word on: what takes a moment shows none.
type sparkBar struct {
	what string
	bar  *display.ProgressBar
	done int // tasks
}

// Progress implements spark.Watcher.
func (s *sparkBar) Progress(p spark.Progress) {
	if s.bar == nil {
		s.bar = display.Progress(display.ProgressOptions{Desc: s.what, Unit: "task", Vanish: true})
	}
	if p == (spark.Progress{}) {
		return
	}
	s.done = int(p.Done)
	s.bar.SetTotal(int(p.Tasks))
	s.bar.Set(s.done)
	s.bar.Note("stages", p.Stages)
	s.bar.Note("running", p.Running)
	if p.Bytes > 0 {
		s.bar.Note("read", mdslib.FormatBytes(p.Bytes))
	}
}

// End implements spark.Watcher.
func (s *sparkBar) End(err error) {
	switch {
	case s.bar == nil:
	case err != nil:
		s.bar.Stop() // the cell says why
	default: // Spark leaves stages out whose results it has
		s.bar.SetTotal(s.done)
		s.bar.Done()
	}
}
