package mdslib

// The signs that a conversion and its tasks on other machines give each other: small files in the attempt's folder where the tasks
// write.
//
//	_attempt-5f0c-k3x9/_running               this process: the tasks' work is wanted
//	_attempt-5f0c-k3x9/_running-a7qw          a task, at a remote: it may still write
//	_attempt-5f0c-k3x9/_failed-a7qw           a task: why its partition can't be written, whoever tries
//
// A task first says that it runs and then looks whether its work is wanted; this process first takes its own sign away and then looks
// who runs. So of a task that it does not see nothing comes any more, in a store where all see at once what one has done.

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"gomosaic/mdslib/store"
)

// The names of the signs: of this process, and the beginnings of those of a task.
const (
	markerName    = "_running"
	runningPrefix = "_running-"
	failedPrefix  = "_failed-"
)

// isSignName tells whether a file has the name of a sign.
func isSignName(name string) bool {
	return name == markerName || strings.HasPrefix(name, runningPrefix) || strings.HasPrefix(name, failedPrefix)
}

// isSign tells whether an object of a remote is a sign of some conversion.
func isSign(key string) bool {
	dir, name, _ := strings.Cut(key, "/")
	return strings.HasPrefix(dir, attemptPrefix) && isSignName(name)
}

// TaskSigns are the keys of the signs of a task, beside the marker that TaskOptions gave: running is an empty object as long as it may
// write to a remote, and failed has as its text an error that comes again whoever tries. task is a name that no other try has.
func TaskSigns(marker, task string) (running, failed string) {
	dir := strings.TrimSuffix(marker, markerName)
	return dir + runningPrefix + task, dir + failedPrefix + task
}

// signs is where the signs lie: a store, and what their keys begin with.
func (c *Conversion) signs(ctx context.Context) (store.Store, string, error) {
	if c.tasksThere {
		return c.remote, filepath.Base(c.attempt) + "/", nil
	}
	s, err := store.Open(ctx, c.attempt)
	return s, "", err
}

// marker is the key of this conversion's own sign at the remote.
func (c *Conversion) marker() string { return filepath.Base(c.attempt) + "/" + markerName }

// TaskFailure returns the error of a task whose partition can't be written, whoever tries; "" where none has left one.
func (c *Conversion) TaskFailure(ctx context.Context) (string, error) {
	s, dir, err := c.signs(ctx)
	if err != nil {
		return "", fmt.Errorf("mdslib: %w", err)
	}
	for o, err := range s.List(ctx, dir+failedPrefix) {
		var text string
		if err == nil {
			text, err = readText(ctx, s, o.Key)
		}
		if err != nil {
			return "", fmt.Errorf("mdslib: %w", err)
		}
		return text, nil
	}
	return "", nil
}

// mostSaid is how much is read of what a task says.
const mostSaid = 64 << 10

// readText reads a short text.
func readText(ctx context.Context, s store.Store, key string) (string, error) {
	file := store.TempName(filepath.Join(os.TempDir(), "sign"))
	defer os.Remove(file)
	if err := s.Get(ctx, key, file); err != nil {
		return "", err
	}
	text, err := os.ReadFile(file)
	return strings.ToValidUTF8(string(text[:min(len(text), mostSaid)]), ""), err
}

// deleteSigns deletes the signs at the remote that which accepts.
func (c *Conversion) deleteSigns(ctx context.Context, which func(dir, name string) bool) error {
	var keys []string
	for o, err := range c.remote.List(ctx, attemptPrefix) {
		if err != nil {
			return err
		}
		if dir, name, _ := strings.Cut(o.Key, "/"); isSign(o.Key) && which(dir, name) {
			keys = append(keys, o.Key)
		}
	}
	return c.deleteAll(ctx, keys)
}

// endTasks tells this conversion's tasks that their work is not wanted any more, and those of conversions that it replaces.
func (c *Conversion) endTasks(ctx context.Context) error {
	return c.deleteSigns(ctx, func(dir, name string) bool { return name == markerName && c.clears(dir) })
}

// taskFarewell is how long a task may still write after it was told to end: it looks every two seconds, and what is on its way to a
// store then has two more. One that can't say when it is done, since its process was killed, is waited for as long.
const taskFarewell = 5 * time.Second

// awaitTasks takes the marker at the remote away and waits until no task writes there any more.
func (c *Conversion) awaitTasks(ctx context.Context) error {
	if err := c.remote.Delete(ctx, c.marker()); err != nil {
		return err
	}
	for end := time.Now().Add(taskFarewell); ; time.Sleep(200 * time.Millisecond) {
		running, err := c.tasksRun(ctx)
		if err == nil && !running || !time.Now().Before(end) {
			return err
		}
	}
}

// tasksRun tells whether a task may still write to the remote. A volume is written through its mount on other machines and listed by
// its service here, of which nothing promises that one sees at once what was done by the other.
func (c *Conversion) tasksRun(ctx context.Context) (bool, error) {
	if store.Scheme(c.remoteURL) == "dbfs" || strings.HasPrefix(c.remoteURL, "/Volumes/") {
		return true, nil
	}
	running, _ := TaskSigns(c.marker(), "")
	for _, err := range c.remote.List(ctx, running) {
		return true, err
	}
	return false, nil
}
