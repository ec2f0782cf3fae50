package torch

// How libtorch's operators choose among their kernels, for the whole process.

import "fmt"

// The options of mt_set_option in mdstorch.h.
const (
	optionDeterministic int32 = iota
	optionCuDNNBenchmark
	optionMatmulPrecision
)

// UseDeterministicAlgorithms has operators give the same bits for the same input each time, or panic where they cannot, as
// torch.use_deterministic_algorithms. Matrix products on a GPU also want CUBLAS_WORKSPACE_CONFIG=:4096:8 in the environment
// before the first one.
func UseDeterministicAlgorithms(on bool) {
	check("use_deterministic_algorithms", lib().setOption(optionDeterministic, cbool(on)))
}

// SetCuDNNBenchmark has cuDNN try its algorithms for each new shape of a convolution and keep the fastest, as
// torch.backends.cudnn.benchmark: for shapes that seldom change.
func SetCuDNNBenchmark(on bool) {
	check("cudnn.benchmark", lib().setOption(optionCuDNNBenchmark, cbool(on)))
}

// SetFloat32MatmulPrecision says how exact products of float32 matrices must be, as torch.set_float32_matmul_precision:
// "highest" (float32 throughout, the default), "high" (TensorFloat32 on GPUs that have it) or "medium" (bfloat16).
func SetFloat32MatmulPrecision(precision string) error {
	for value, name := range []string{"highest", "high", "medium"} {
		if precision == name {
			check("set_float32_matmul_precision", lib().setOption(optionMatmulPrecision, int32(value)))
			return nil
		}
	}
	return fmt.Errorf("torch: float32 matmul precision %q: want highest, high or medium", precision)
}
