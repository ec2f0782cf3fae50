package distributor

import "gomosaic/trainlib/torch"

// gpuCount is the number of GPUs that libtorch sees on this machine.
func gpuCount() int { return torch.CUDADeviceCount() }
