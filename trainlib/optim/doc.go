// Package optim holds optimisers and learning-rate schedules.
package optim
