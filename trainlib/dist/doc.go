// Package dist holds the process group and DistributedDataParallel.
package dist
