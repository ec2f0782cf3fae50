// Package ranks runs the processes of a training job and tells how each of them ends: on this machine ([Start]), or on
// others, whose tasks come to a [Rendezvous] and do there what the launcher says ([Join]). It knows nothing of tensors: what
// the processes compute is theirs.
//
// Between a launcher and its tasks there is one TCP connection a task. All that goes over it is sealed by a key that both
// derive from the job's token: who doesn't know the token can neither speak nor listen.
package ranks
