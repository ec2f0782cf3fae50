package host

/*
#include <stdio.h>

static void gomosaic_line_buffer(void) { setvbuf(stdout, NULL, _IOLBF, 0); }
static void gomosaic_flush(void) { fflush(NULL); }
*/
import "C"

// C code in the host (libtorch, libjpeg) prints through C's own buffers, which a pipe makes block-buffered.

func lineBufferC() { C.gomosaic_line_buffer() }
func flushC()      { C.gomosaic_flush() }
