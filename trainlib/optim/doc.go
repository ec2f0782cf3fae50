// Package optim holds optimisers and learning-rate schedules of torch.optim, with the same options, state-dict format and, step
// for step, the same numbers as Python's foreach=True: each step is a few calls over all parameters at once.
package optim
