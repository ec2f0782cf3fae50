//go:build !linux

package kernel

import (
	"context"
	"os"
	"strconv"
	"time"
)

// endWithParent calls end when the process named by $JPY_PARENT_PID, this process's parent, dies: Jupyter sets it, and a
// kernel whose server was killed must not stay behind.
func endWithParent(ctx context.Context, end func()) {
	pid, err := strconv.Atoi(os.Getenv("JPY_PARENT_PID"))
	if err != nil || pid <= 1 || os.Getppid() != pid {
		return
	}
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			if os.Getppid() != pid {
				end()
				return
			}
		case <-ctx.Done():
			return
		}
	}
}
