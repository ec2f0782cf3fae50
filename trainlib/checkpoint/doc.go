// Package checkpoint reads and writes the files that Python keeps models in: .pt and .pth (torch.save, with or without zip) and
// .safetensors. A file written here is read by torch.load(weights_only=True, mmap=True) and by safetensors; a file written
// there is read here.
//
// A .pt file holds a pickle, which in Python may run any code. The reader here runs none: it knows the few globals that
// tensors and plain containers need and refuses all others by name. Parsing needs no libtorch ([Inspect]); only tensors do.
package checkpoint
