// Package order computes the sample order of Mosaic Streaming as a pure function of plain numbers: shard sizes, weights,
// seed, epoch and world. Equal arguments give the order of mosaicml-streaming 0.13, number by number, on every platform.
//
// The way of one epoch:
//
//	Stream sizes and weights ──Plan──▶ samples to draw per stream
//	  ──sampling.go──▶ per shard ──resample.go──▶ shuffle units, drawn sample ids
//	  ──shuffle*.go──▶ permutation      (naive, py1s, py2s, py1br, py1e)
//	  ──partition.go──▶ a sequence per rank, dealt to its workers
//	  ──batching.go──▶ Work             (random, stratified, per_stream, device_per_stream)
//
// One difference is deliberate. The "stratified" method hands missing samples to the streams with the largest left-over
// share; between equal shares numpy's unstable argsort decides by CPU model, this package by a stable sort.
//
// The package does no I/O and reads no environment; [RunJSON] alone reads and writes the streams that it is given.
package order
