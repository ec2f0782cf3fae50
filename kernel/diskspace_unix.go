//go:build unix

package kernel

import "golang.org/x/sys/unix"

// freeBytes is the space that this user may still fill on dir's file system.
func freeBytes(dir string) (int64, bool) {
	var s unix.Statfs_t
	if err := unix.Statfs(dir, &s); err != nil {
		return 0, false
	}
	return int64(s.Bavail) * int64(s.Bsize), true
}
