package host

import (
	"strings"
	"time"
)

const (
	streamDelay = 50 * time.Millisecond // text waits this long for more
	streamBytes = 32 << 10              // or until there is this much

	suspectBytes = 1 << 20 // of text that looks like a crash are held
)

// streamNames are the host's descriptors 1 and 2.
var streamNames = [2]string{"stdout", "stderr"}

// input is what the collector gets: a piece of one of the output streams, its end, or an event.
type input struct {
	stream int // 0 stdout, 1 stderr; ignored for events
	data   []byte
	end    bool // of the stream
	event  *message
	gone   bool // the events' end
}

// collector brings a host's two output streams and its events together: one goroutine, so that an [Output] is called in
// order. Text is coalesced; an event with a mark waits until both streams have reached the mark, and text behind the
// mark waits for the event.
type collector struct {
	inputs  chan input
	readers [2]*markReader
	queues  [2][]segment
	events  []message
	ended   [2]bool
	gone    bool // no more events come

	stream func(name, text string) // gives text to the current Output
	handle func(message)           // handles an event in its place

	text  strings.Builder // coalesced, of one stream
	of    int             // that stream
	timer *time.Timer

	suspect strings.Builder // what stderr says since the first line that looks like a crash
	long    string          // the beginning of suspect text that became too long to hold
	late    strings.Builder // suspect text that was given out after a while, and what stderr said since: on a busy machine, a crash report
	words   func(string)    // gets suspect text when the host has died
}

func newCollector(nonce string) *collector {
	c := &collector{inputs: make(chan input, 64), timer: time.NewTimer(time.Hour)}
	for i := range c.readers {
		c.readers[i] = newMarkReader(nonce)
	}
	return c
}

// collect runs until both streams and the events have ended.
func (c *collector) collect() {
	for !c.ended[0] || !c.ended[1] || !c.gone {
		select {
		case in := <-c.inputs:
			c.take(in)
			c.advance()
		case <-c.timer.C:
			c.late.WriteString(c.suspect.String())
			c.clear()
			c.flush()
		}
	}
	if c.suspect.Len() > 0 || c.long != "" {
		c.words(c.long + c.suspect.String())
		c.suspect.Reset()
	} else if late := c.late.String(); strings.Contains(late, "\ngoroutine ") {
		c.words(late)
	}
	c.flush()
}

func (c *collector) take(in input) {
	switch {
	case in.event != nil:
		c.events = append(c.events, *in.event)
	case in.gone:
		c.gone = true
	default:
		c.queues[in.stream] = append(c.queues[in.stream], c.readers[in.stream].read(in.data, in.end)...)
		c.ended[in.stream] = c.ended[in.stream] || in.end
	}
}

// advance gives out all that is in order.
func (c *collector) advance() {
	for {
		for i := range c.queues {
			for len(c.queues[i]) > 0 && (c.queues[i][0].mark == 0 || c.gone && len(c.events) == 0) {
				switch s := c.queues[i][0]; {
				case s.mark > 0:
				case s.stderr:
					c.add(1, s.text)
				default:
					c.print(i, s.text)
				}
				c.queues[i] = c.queues[i][1:]
			}
		}
		if len(c.events) == 0 {
			return
		}
		m := c.events[0]
		if m.Mark > 0 {
			if !c.reached(0, m.Mark) || !c.reached(1, m.Mark) {
				return
			}
			for i := range c.queues {
				if len(c.queues[i]) > 0 {
					c.queues[i] = c.queues[i][1:]
				}
			}
			c.clear()
			c.long = ""
			c.late.Reset()
			if m.Kind != msgPrinted { // which shows nothing between what was printed before and after
				c.flush()
			}
		}
		c.events = c.events[1:]
		c.handle(m)
	}
}

func (c *collector) reached(stream, mark int) bool {
	q := c.queues[stream]
	return len(q) > 0 && q[0].mark >= mark || len(q) == 0 && c.ended[stream]
}

// print adds text to what is being coalesced. From a line of stderr on that looks like the start of Go's crash report
// the text is held for a moment: if the host dies, it is the last words and not output.
func (c *collector) print(stream int, text string) {
	if stream == 1 {
		if c.suspect.Len() > 0 {
			c.suspect.WriteString(text)
			if c.suspect.Len() > suspectBytes { // a report of very many goroutines, or a flood that is none
				c.long = c.suspect.String()[:suspectBytes/16]
				c.clear()
			}
			return
		}
		if i := crashStart(text); i >= 0 {
			c.late.Reset()
			c.add(stream, text[:i])
			c.suspect.WriteString(text[i:])
			c.arm()
			return
		}
		if n := c.late.Len(); n > 0 && n < suspectBytes {
			c.late.WriteString(text)
		}
	}
	c.add(stream, text)
}

func (c *collector) add(stream int, text string) {
	if text == "" {
		return
	}
	if c.text.Len() > 0 && c.of != stream {
		c.flush()
	}
	if c.text.Len() == 0 {
		c.arm()
	}
	c.of = stream
	c.text.WriteString(text)
	if c.text.Len() >= streamBytes {
		c.flush()
	}
}

func (c *collector) arm() {
	if c.suspect.Len() > 0 {
		c.timer.Reset(reportDelay(c.suspect.String()))
		return
	}
	c.timer.Reset(streamDelay)
}

// clear acquits held text: the host lives.
func (c *collector) clear() {
	if c.suspect.Len() > 0 {
		text := c.suspect.String()
		c.suspect.Reset()
		c.add(1, text)
	}
}

func (c *collector) flush() {
	if c.text.Len() > 0 {
		text := c.text.String()
		c.text.Reset()
		c.stream(streamNames[c.of], text)
	}
}
