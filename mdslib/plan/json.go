package plan

import (
	"encoding/json"
	"errors"
	"fmt"
)

// envelope is the JSON form of a node: {"op": "filter", "args": {"condition": "x > 1"}, "inputs": [{…}]}.
type envelope struct {
	Op     string            `json:"op"`
	Args   json.RawMessage   `json:"args"`
	Inputs []json.RawMessage `json:"inputs,omitempty"`
}

// Marshal writes a plan as JSON, for a worker on another machine and for the record. A plan with a [MapRows]
// or with [Values] is an error.
func Marshal(n Node) ([]byte, error) {
	switch n := n.(type) {
	case *Refused:
		return nil, n.Err
	case *MapRows:
		return nil, errors.New("plan: Map's function is Go code of this process and can't travel: put an expression in its place")
	case *Values:
		return nil, errors.New("plan: CreateDataFrame's rows are of this process and can't travel: write them to a file first")
	}
	args, err := json.Marshal(n)
	if err != nil {
		return nil, err
	}
	e := envelope{Op: n.op(), Args: args}
	for _, in := range n.Inputs() {
		b, err := Marshal(in)
		if err != nil {
			return nil, err
		}
		e.Inputs = append(e.Inputs, b)
	}
	return json.Marshal(e)
}

// Unmarshal reads what [Marshal] wrote.
func Unmarshal(data []byte) (Node, error) {
	var e envelope
	if err := json.Unmarshal(data, &e); err != nil {
		return nil, fmt.Errorf("plan: %w", err)
	}
	n := newNode(e.Op)
	if n == nil {
		return nil, fmt.Errorf("plan: unknown step %q", e.Op)
	}
	if err := json.Unmarshal(e.Args, n); err != nil {
		return nil, fmt.Errorf("plan: step %q: %w", e.Op, err)
	}
	inputs := make([]Node, len(e.Inputs))
	for i, raw := range e.Inputs {
		var err error
		if inputs[i], err = Unmarshal(raw); err != nil {
			return nil, err
		}
	}
	if _, any := n.(*Union); !any && len(inputs) != len(n.Inputs()) {
		return nil, fmt.Errorf("plan: step %q has %d inputs", e.Op, len(inputs))
	}
	return n.withInputs(inputs), nil
}

func newNode(op string) Node {
	for _, n := range []Node{
		&Read{}, &Project{}, &WithColumns{}, &WithColumnRenamed{}, &Drop{}, &Filter{}, &Limit{}, &Sample{}, &Sort{},
		&Distinct{}, &Union{}, &Repartition{}, &RepartitionBy{}, &Coalesce{}, &Aggregate{}, &Range{}, &Table{}, &SQL{}, &Rows{},
		&Offset{}, &Tail{}, &Join{}, &SubqueryAlias{}, &SetOp{}, &FillNA{}, &DropNA{}, &Describe{}, &Pivot{}, &Unpivot{}, &ToDF{},
	} {
		if n.op() == op {
			return n
		}
	}
	return nil
}
