//go:build spark

package spark

// What goes over the connection: large rows, interrupts, connections that break.

import (
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"gomosaic/mdslib/plan"
)

// TestLargeRow: a row larger than any batch comes whole, in pieces.
func TestLargeRow(t *testing.T) {
	d, err := session.SQL(t.Context(), "SELECT repeat('0123456789abcdef', 2000000) AS s, 7 AS n")
	if err != nil {
		t.Fatal(err)
	}
	row, err := d.First(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if s := row["s"].(string); len(s) != 32000000 || !strings.HasSuffix(s, "89abcdef") || row["n"] != int32(7) {
		t.Errorf("%d bytes, n %v", len(s), row["n"])
	}
}

// busy is a query that runs for minutes.
const busy = "SELECT sum(hash(a.id, b.id)) AS s FROM range(100000000) a CROSS JOIN range(1000) b"

// TestInterruptQuery: an interrupted query ends here at once, and on the server.
func TestInterruptQuery(t *testing.T) {
	d, err := session.SQL(t.Context(), busy)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	var at time.Time
	time.AfterFunc(3*time.Second, func() { at = time.Now(); cancel() })
	if _, err := d.Collect(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
	took := time.Since(at)
	if took > inTime {
		t.Errorf("the call returned %v after the interrupt", took)
	}
	start := time.Now() // both executors' only cores must be free again
	if n, err := session.Range(0, 1000).Repartition(4).Count(t.Context()); n != 1000 || err != nil {
		t.Errorf("afterwards %d, %v", n, err)
	}
	t.Logf("returned %v after the interrupt, the next query took %v", took, time.Since(start))
}

// TestCutConnections: results that many connections carry are the same rows, once each.
func TestCutConnections(t *testing.T) {
	proxy, cuts := cutter(t, direct.target.address(), 300*time.Millisecond)
	through := *direct.target
	through.host, through.port, _ = net.SplitHostPort(proxy)
	c, err := dial(t.Context(), &through)
	if err != nil {
		t.Fatal(err)
	}
	defer c.close()
	e := &engine{client: c}
	const rows = 300000
	var sum, next int64
	for b, err := range e.Batches(t.Context(), &plan.Project{Input: &plan.Range{End: rows, Step: 1, Partitions: 8}, Exprs: []string{"id", "repeat(sha1(CAST(id AS STRING)), 5) AS s"}}) {
		if err != nil {
			t.Fatal(err)
		}
		for i, id := range b.Columns[0].Data.([]int64) {
			if id != next || len(b.Columns[1].Data.([]string)[i]) != 200 {
				t.Fatalf("row %d holds %d", next, id)
			}
			next++
			sum += id
		}
		time.Sleep(20 * time.Millisecond) // so that connections are cut while answers are under way
	}
	if sum != rows*(rows-1)/2 {
		t.Errorf("sum %d", sum)
	}
	if n := cuts(); n < 3 {
		t.Errorf("only %d connections were cut", n)
	}
}

// TestAnotherServer: a server that does not have the session that the client has seen refuses, and the error says what is lost.
func TestAnotherServer(t *testing.T) {
	c, err := dial(t.Context(), direct.target)
	if err != nil {
		t.Fatal(err)
	}
	defer c.close()
	if seen := c.observed.Load(); seen == nil || *seen == "" {
		t.Error("the server said no id of its own")
	}
	another := "6ba7b810-9dad-41d1-80b4-00c04fd430c8"
	c.observed.Store(&another)
	e := &engine{client: c}
	if _, err := e.Schema(t.Context(), &plan.Range{End: 1, Step: 1}); !errors.Is(err, errRestarted) {
		t.Errorf("Schema: %v", err)
	}
	for _, err := range e.Batches(t.Context(), &plan.Range{End: 1, Step: 1}) {
		if !errors.Is(err, errRestarted) {
			t.Errorf("Batches: %v", err)
		}
	}
}

// cutter is a proxy in front of an address that cuts every connection after a while.
func cutter(t *testing.T, to string, after time.Duration) (address string, cuts func() int) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	count := make(chan int, 1)
	count <- 0
	go func() {
		for {
			from, err := listener.Accept()
			if err != nil {
				return
			}
			server, err := net.Dial("tcp", to)
			if err != nil {
				from.Close()
				continue
			}
			go func() { _, _ = io.Copy(server, from) }()
			go func() { _, _ = io.Copy(from, server) }()
			time.AfterFunc(after, func() {
				from.Close()
				server.Close()
				count <- <-count + 1
			})
		}
	}()
	return listener.Addr().String(), func() int { n := <-count; count <- n; return n }
}
