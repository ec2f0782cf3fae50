// Package wire speaks the Jupyter messaging protocol 5.4 from the kernel's side: signed messages ([Codec]) over five
// sockets ([Channels]), which package zmtp provides.
//
// Nothing here knows what a cell is; the kernel package decides what to answer.
package wire
