// Package feed moves a loader's batches to a device.
package feed
