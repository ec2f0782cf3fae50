package kernel

import (
	"context"
	"errors"
	"strings"

	"gomosaic/trainlib/torch"
)

// checkLibtorch looks for a libtorch as trainlib does at the first tensor. The kernel runs without one, training does not.
func checkLibtorch(_ context.Context, o DoctorOptions) Finding {
	f := Finding{Check: "libtorch", Grade: Fail, Fix: makeTarget(o, "setup")}
	location, err := torch.Find()
	var missing *torch.NotFoundError
	switch {
	case errors.As(err, &missing):
		f.Detail = "not found; looked at " + strings.Join(missing.Looked, ", ")
		if strings.Contains(f.Detail, torch.EnvTorchDir) {
			f.Fix = "export " + torch.EnvTorchDir + "=<a folder with lib/libtorch_cpu.so and include/torch>, or unset it"
		}
		return f
	case err != nil:
		f.Detail = err.Error()
		return f
	}
	return Finding{Check: "libtorch", Grade: OK, Detail: location.String()}
}
