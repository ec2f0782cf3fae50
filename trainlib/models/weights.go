package models

import (
	"fmt"
	"strings"

	"gomosaic/trainlib/checkpoint"
	"gomosaic/trainlib/nn"
	"gomosaic/trainlib/torch"
)

// LoadWeights reads a state dict from a .pt, .pth or .safetensors file into a model. Head names the tensors that may have
// another shape: they depend on the number of classes, and unless strict, such ones are left as initialised, which the note
// says. The model is unchanged when the error is not nil.
func LoadWeights(m nn.Module, path string, head []string, strict bool) (note string, err error) {
	torch.Step(func() {
		var sd *torch.StateDict
		if sd, err = checkpoint.LoadStateDict(path); err != nil {
			return
		}
		if strict {
			err = m.LoadStateDict(sd)
			return
		}
		own := m.StateDict()
		var skipped []string
		for _, name := range head {
			have, want := sd.Get(name), own.Get(name)
			if have == nil || want == nil || fmt.Sprint(have.Shape()) == fmt.Sprint(want.Shape()) {
				continue
			}
			skipped = append(skipped, fmt.Sprintf("%s (%v in the file, %v in the model)", name, have.Shape(), want.Shape()))
			sd.Set(name, want)
		}
		if len(skipped) > 0 {
			note = "freshly initialised, because the file has another number of classes: " + strings.Join(skipped, ", ")
		}
		err = m.LoadStateDict(sd)
	})
	if err != nil {
		return "", fmt.Errorf("models: %s: %w", path, err)
	}
	return note, nil
}

// mustLoad loads Options.Weights, if any.
func mustLoad(m nn.Module, model string, head []string, o Options) {
	if o.Weights == "" {
		return
	}
	if _, err := LoadWeights(m, o.Weights, head, o.Strict); err != nil {
		panic(&torch.OpError{Op: model, Msg: err.Error()})
	}
}
