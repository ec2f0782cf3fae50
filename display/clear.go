package display

// Taking back what the running cell has put out.

// clearer is a [Publisher] that can also take back; the cell host's is one.
type clearer interface {
	ClearOutput(wait bool) error
}

// Clear removes everything that the running cell has printed and shown so far. With wait it happens when the cell's next
// output arrives, so that a changing view does not flicker. Without a publisher there is nothing to remove.
func Clear(wait bool) error {
	if p, ok := current.Load().publisher.(clearer); ok {
		return p.ClearOutput(wait)
	}
	return nil
}
