package streamlib

import (
	"fmt"

	"gomosaic/streamlib/order"
)

// State is where a run stands: the reference's state_dict, with its JSON names. A state that Python wrote can be loaded
// here and the reverse.
type State = order.State

// position is the start of the epoch to come, with what an earlier resume settled. The caller holds run's lock.
func (d *StreamingDataset) position() order.Position {
	world, _, err := d.world.order(0, d.opts.Replication)
	if err != nil {
		return order.Position{} // checked when the data set was opened
	}
	if d.run.resume != nil {
		// A state is taken at its word even where it lies before the epochs already iterated; the reference ignores it then.
		pos := d.plan.Resume(world, d.run.resume.Epoch, d.run.resume)
		if pos.Epoch < 0 { // a state saved before the first epoch
			pos.Epoch, pos.SampleInEpoch = 0, 0
		}
		return pos
	}
	if d.run.base != nil {
		pos := *d.run.base
		pos.Epoch, pos.SampleInEpoch = d.run.next, 0
		return pos
	}
	return d.plan.Start(world, d.run.next)
}

// begin starts the next epoch, or goes on where a loaded state says.
func (d *StreamingDataset) begin() order.Position {
	d.run.Lock()
	defer d.run.Unlock()
	pos := d.position()
	if d.run.resume != nil {
		d.run.base = &pos
		d.run.resume = nil
	}
	d.run.next = pos.Epoch + 1
	return pos
}

// loadState makes the next iteration go on where s says.
func (d *StreamingDataset) loadState(s State) error {
	if s.SampleInEpoch < 0 || s.Epoch < -1 || s.NumCanonicalNodes < 1 || s.InitialPhysicalNodes != nil && *s.InitialPhysicalNodes < 1 {
		return fmt.Errorf("streamlib: state %+v: want an epoch from -1, a sample from 0 and at least one canonical and initial node", s)
	}
	d.run.Lock()
	defer d.run.Unlock()
	d.run.resume = &s
	return nil
}
