package order

// State is where a run stands, in the form and with the JSON names of the reference's state_dict.
type State struct {
	Epoch                int    `json:"epoch"`
	SampleInEpoch        int    `json:"sample_in_epoch"` // over all ranks
	NumCanonicalNodes    int    `json:"num_canonical_nodes"`
	ShuffleSeed          uint64 `json:"shuffle_seed"`
	InitialPhysicalNodes *int   `json:"initial_physical_nodes"` // nil in states of old versions
}

// Position is a place in a run with all that decides the order from there on.
type Position struct {
	Epoch                int
	SampleInEpoch        int // samples seen already, over all ranks
	NumCanonicalNodes    int
	Seed                 uint64
	InitialPhysicalNodes int // nodes at the start of the run; 0: this is the start, or unknown
}

// Start is the position at the beginning of an epoch of a run that was not resumed.
func (p *Plan) Start(world World, epoch int) Position {
	pos := Position{Epoch: epoch, NumCanonicalNodes: p.args.NumCanonicalNodes, Seed: p.args.Seed}
	if pos.NumCanonicalNodes == 0 {
		pos.NumCanonicalNodes = world.Nodes
		if p.args.ShuffleAlgo == "py1s" || p.args.ShuffleAlgo == "py2s" {
			pos.NumCanonicalNodes = 64 * world.Nodes
		}
	}
	return pos
}

// Resume is the position that a state names, or the start of the given epoch if the state is from an earlier one.
// A state overrides the data set's own seed and number of canonical nodes.
func (p *Plan) Resume(world World, epoch int, s *State) Position {
	if s == nil || s.Epoch < epoch {
		return p.Start(world, epoch)
	}
	pos := Position{Epoch: s.Epoch, SampleInEpoch: s.SampleInEpoch, NumCanonicalNodes: s.NumCanonicalNodes, Seed: s.ShuffleSeed}
	if s.InitialPhysicalNodes != nil {
		pos.InitialPhysicalNodes = *s.InitialPhysicalNodes
	}
	return pos
}

// State is the inverse of [Plan.Resume].
func (pos Position) State(world World) State {
	initial := pos.InitialPhysicalNodes
	if initial == 0 {
		initial = world.Nodes
	}
	return State{pos.Epoch, pos.SampleInEpoch, pos.NumCanonicalNodes, pos.Seed, &initial}
}
