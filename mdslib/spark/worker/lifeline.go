package worker

// The lifeline: a task's connection to the driver of its query, by which it knows that its rows are still wanted.

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"syscall"
	"time"

	"gomosaic/mdslib/ship/sealed"
)

// EnvQuery names the query that a Map's task is for. It is not set where Spark keeps the rows, which it knows by their plan, or
// where the plan has a name: then the task is for one of those that run when it comes.
const EnvQuery = "GOMOSAIC_QUERY"

// lifeline is how a task holds on to its driver.
type lifeline struct {
	invitation, query string
	wait              time.Duration // before the second try to come; then twice as long, and so on
	patience          time.Duration // with a driver that was there and is silent
}

const (
	lifelineTries = 4 // to come to a driver that can't be reached or is gone
	lifelineWait  = 200 * time.Millisecond
	mostWait      = 5 * time.Second
	// lifelinePatience is how long Spark itself keeps a query that nobody asks for (spark.connect.execute.manager.detachedTimeout):
	// a kernel's machine may sleep, or lose its network for a time.
	lifelinePatience = 5 * time.Minute
)

// hold holds on to the driver. It returns nil where that can't be reached from here, and else, in time, why the task is of no use any
// more. Executors have reached the driver before: where nobody listens, or somebody else, it is gone.
func (l lifeline) hold(ctx context.Context) error {
	var seen time.Time // the driver, the last time
	wait, refusals, silences := l.wait, 0, 0
	for ctx.Err() == nil {
		conn, err := sealed.Dial(ctx, l.invitation)
		switch {
		case err == nil:
			if l.listen(conn) {
				return errors.New("the query is over, or was given up")
			}
			seen, wait, refusals = time.Now(), l.wait, 0
		case errors.Is(err, syscall.ECONNREFUSED) || errors.Is(err, sealed.ErrStranger):
			refusals++
		case seen.IsZero():
			silences++
		}
		switch {
		case refusals == lifelineTries || !seen.IsZero() && time.Since(seen) > l.patience:
			return fmt.Errorf("the process that wants the rows has ended: %w", err)
		case silences == lifelineTries:
			return nil
		}
		select {
		case <-time.After(wait):
		case <-ctx.Done():
		}
		wait = min(2*wait, mostWait)
	}
	return nil
}

// listen says which query the task is for, and waits until the driver says that it is not wanted (true) or the connection breaks.
func (l lifeline) listen(conn *sealed.Conn) (unwanted bool) {
	defer conn.Close()
	if _, err := fmt.Fprintln(conn, l.query); err != nil {
		return false
	}
	_, err := conn.Read(make([]byte, 1))
	return err == nil
}

// dismissal is how long the driver tries to tell a task that it is not wanted. One that does not hear it asks again.
const dismissal = time.Second

// AskedFor reads which query a task that has come on its lifeline is for; "" is one of those that run.
func AskedFor(conn *sealed.Conn) (query string, err error) {
	line, err := bufio.NewReaderSize(io.LimitReader(conn, 100), 100).ReadString('\n')
	return strings.TrimSuffix(line, "\n"), err
}

// Dismiss tells a task on its lifeline that it is not wanted any more, and closes that.
func Dismiss(conn *sealed.Conn) {
	conn.SetWriteDeadline(time.Now().Add(dismissal))
	_, _ = conn.Write([]byte("."))
	conn.Close()
}
