// Package zmtp is the server side of the ZeroMQ Message Transport Protocol 3.0 with the NULL mechanism
// (https://rfc.zeromq.org/spec/23), as far as a Jupyter kernel needs it: [Router], [Pub] and [Rep] sockets that listen.
//
// Every connected peer has its own queue and its own writing goroutine, bounded by [Options.QueueBytes]. A peer that
// stops reading therefore delays nobody else, which is why this package exists: in the usual Go implementation one
// subscriber that never reads keeps all others from receiving. When a peer's queue is full its oldest whole messages are
// dropped, so that it sees the newest state when it wakes up; nothing is ever dropped for a peer that keeps reading
// faster than the bound fills.
//
// Peers speaking ZMTP 3.1 (libzmq 4.2 and later) work as well: they fall back to 3.0, and their SUBSCRIBE, CANCEL and
// PING commands are understood.
package zmtp
