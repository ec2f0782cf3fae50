// Package checkpoint reads and writes .pt and safetensors files.
package checkpoint
