package kernel

import (
	"context"
	"os"
	"strconv"
	"time"

	"golang.org/x/sys/unix"
)

// endWithParent calls end when the process named by $JPY_PARENT_PID dies: Jupyter sets it, and a kernel whose server was
// killed must not stay behind. Without the variable the kernel is meant to outlive whoever started it.
func endWithParent(ctx context.Context, end func()) {
	pid, err := strconv.Atoi(os.Getenv("JPY_PARENT_PID"))
	if err != nil || pid <= 1 {
		return
	}
	fd, err := unix.PidfdOpen(pid, 0)
	if err != nil {
		if err == unix.ESRCH && os.Getppid() != pid {
			end()
		}
		return
	}
	defer unix.Close(fd)
	for ctx.Err() == nil { // a process's descriptor becomes readable when it has ended
		n, err := unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, int((5 * time.Second).Milliseconds()))
		if n == 1 {
			end()
			return
		}
		if err != nil && err != unix.EINTR {
			return
		}
	}
}
