package spark

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"gomosaic/mdslib"
	"gomosaic/mdslib/plan"
	"gomosaic/mdslib/spark/pb"
)

type stream = grpc.ServerStreamingServer[pb.ExecutePlanResponse]

// rows runs a plan and returns the values of its first column.
func rows(ctx context.Context, c *client) (values []int64, err error) {
	for b, err := range (&engine{client: c}).Batches(ctx, &plan.Range{End: 1, Step: 1}) {
		if err != nil {
			return values, err
		}
		values = append(values, b.Columns[0].Data.([]int64)...)
	}
	return values, nil
}

// TestReattach: whatever the network does to the streams, each row comes once.
func TestReattach(t *testing.T) {
	lost := status.Error(codes.Internal, "[INVALID_HANDLE.OPERATION_NOT_FOUND] Operation not found.")
	cut := status.Error(codes.Unavailable, "connection reset by peer")
	one, two, end := batch("r1", numbers(t, 1, 2)), batch("r2", numbers(t, 3)), complete("r3")
	pieces := func() []*pb.ExecutePlanResponse {
		data := numbers(t, 1, 2, 3)
		var answers []*pb.ExecutePlanResponse
		for i, part := range [][]byte{data[:100], data[100:120], data[120:]} {
			index, total := int64(i), int64(3)
			answers = append(answers, &pb.ExecutePlanResponse{ResponseId: "p" + string(rune('0'+i)), ResponseType: &pb.ExecutePlanResponse_ArrowBatch_{
				ArrowBatch: &pb.ExecutePlanResponse_ArrowBatch{Data: part, ChunkIndex: &index, NumChunksInBatch: &total}}})
		}
		return append(answers, complete("p3"))
	}()
	for name, test := range map[string]struct {
		execute  func(n int, s stream) error // n counts from 1
		reattach func(n int, s stream) error
		after    []string // the last answers that reattaching names
		runs     int
		fails    string
	}{
		"whole":  {execute: func(_ int, s stream) error { return sending(s, nil, one, two, end) }, runs: 1},
		"pieces": {execute: func(_ int, s stream) error { return sending(s, nil, pieces...) }, runs: 1},
		"cut after an answer": {
			execute:  func(_ int, s stream) error { return sending(s, cut, one) },
			reattach: func(_ int, s stream) error { return sending(s, nil, two, end) }, after: []string{"r1"}, runs: 1,
		},
		"cut again and again": {
			execute: func(_ int, s stream) error { return sending(s, cut) },
			reattach: func(n int, s stream) error {
				return [](func() error){func() error { return cut }, func() error { return sending(s, cut, one) }, func() error { return sending(s, cut, two) }, func() error { return sending(s, nil, end) }}[n-1]()
			}, after: []string{"", "", "r1", "r2"}, runs: 1,
		},
		"ended by the server": {
			execute:  func(_ int, s stream) error { return sending(s, nil, one) },
			reattach: func(_ int, s stream) error { return sending(s, nil, two, end) }, after: []string{"r1"}, runs: 1,
		},
		"never arrived": {
			execute: func(n int, s stream) error {
				if n == 1 {
					return cut
				}
				return sending(s, nil, one, two, end)
			},
			reattach: func(int, stream) error { return lost }, after: []string{""}, runs: 2,
		},
		"taken over": {
			execute: func(_ int, s stream) error {
				return sending(s, status.Error(codes.Internal, "[INVALID_CURSOR.DISCONNECTED] The cursor has been disconnected."), one)
			},
			reattach: func(_ int, s stream) error { return sending(s, nil, two, end) }, after: []string{"r1"}, runs: 1,
		},
		"lost with results": {
			execute:  func(_ int, s stream) error { return sending(s, cut, one) },
			reattach: func(int, stream) error { return lost }, after: []string{"r1"}, runs: 1, fails: "the server has lost the operation",
		},
		"always cut": {
			execute:  func(_ int, s stream) error { return cut },
			reattach: func(int, stream) error { return cut }, after: []string{"", "", ""}, runs: 1, fails: "cannot be reached: connection reset by peer",
		},
		"always empty": {
			execute:  func(_ int, s stream) error { return nil },
			reattach: func(int, stream) error { return nil }, after: []string{"", "", ""}, runs: 1, fails: "again and again",
		},
		"ends within a batch": {
			execute: func(_ int, s stream) error { return sending(s, nil, pieces[0], pieces[1], end) }, runs: 1, fails: "within a batch",
		},
	} {
		t.Run(name, func(t *testing.T) {
			executes, reattaches := 0, 0
			f := &fake{
				execute:  func(_ *pb.ExecutePlanRequest, s stream) error { executes++; return test.execute(executes, s) },
				reattach: func(_ *pb.ReattachExecuteRequest, s stream) error { reattaches++; return test.reattach(reattaches, s) },
			}
			c := f.dial(t)
			got, err := rows(t.Context(), c)
			if test.fails != "" {
				if err == nil || !strings.Contains(err.Error(), test.fails) {
					t.Errorf("error %v, want %q", err, test.fails)
				}
			} else if err != nil || !slices.Equal(got, []int64{1, 2, 3}) {
				t.Errorf("rows %v, error %v", got, err)
			}
			c.background.Wait()
			f.mu.Lock()
			defer f.mu.Unlock()
			if len(f.executed) != test.runs || f.executed[0] != f.executed[test.runs-1] {
				t.Errorf("ExecutePlan for the operations %q, want %d times the same", f.executed, test.runs)
			}
			if !slices.Equal(f.reattached, test.after) {
				t.Errorf("reattached after %q, want %q", f.reattached, test.after)
			}
			if len(f.released) == 0 || !slices.Contains(f.released, "all") {
				t.Errorf("released %q", f.released)
			}
			if len(f.interrupted) > 0 && test.fails == "" {
				t.Errorf("interrupted %q", f.interrupted)
			}
		})
	}
}

// TestInterrupt: an operation that nobody waits for any more is stopped on the server, before the call returns.
func TestInterrupt(t *testing.T) {
	endless := func(_ *pb.ExecutePlanRequest, s stream) error {
		if err := s.Send(batch("r1", numbers(t, 1))); err != nil {
			return err
		}
		<-s.Context().Done()
		return s.Context().Err()
	}
	check := func(t *testing.T, f *fake) {
		t.Helper()
		f.mu.Lock()
		defer f.mu.Unlock()
		if !slices.Equal(f.interrupted, f.executed) || len(f.executed) != 1 {
			t.Errorf("interrupted %q of %q", f.interrupted, f.executed)
		}
	}
	t.Run("context", func(t *testing.T) {
		ctx, cancel := context.WithCancelCause(t.Context())
		stopped := errors.New("the cell was interrupted")
		f := &fake{execute: func(r *pb.ExecutePlanRequest, s stream) error {
			time.AfterFunc(50*time.Millisecond, func() { cancel(stopped) })
			return endless(r, s)
		}}
		if _, err := rows(ctx, f.dial(t)); !errors.Is(err, stopped) {
			t.Errorf("error %v", err)
		}
		check(t, f)
	})
	t.Run("at once", func(t *testing.T) {
		for wait := 50 * time.Millisecond; ; wait *= 2 {
			f := &fake{late: 2, execute: func(_ *pb.ExecutePlanRequest, s stream) error {
				<-s.Context().Done()
				return s.Context().Err()
			}}
			ctx, cancel := context.WithTimeout(t.Context(), wait)
			defer cancel()
			if _, err := rows(ctx, f.dial(t)); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("error %v", err)
			}
			f.mu.Lock()
			came := len(f.executed) > 0
			f.mu.Unlock()
			if came || wait > time.Minute { // on a busy machine the operation may be given up on its way
				check(t, f)
				return
			}
		}
	})
	t.Run("consumer", func(t *testing.T) {
		f := &fake{execute: endless}
		for _, err := range (&engine{client: f.dial(t)}).Batches(t.Context(), &plan.Range{End: 1, Step: 1}) {
			if err != nil {
				t.Fatal(err)
			}
			break
		}
		check(t, f)
	})
}

// TestErrors: what Spark says is all there, and what it says for its developers only is not.
func TestErrors(t *testing.T) {
	text, class, state := func(s string) *string { return &s }, "DIVIDE_BY_ZERO", "22012"
	index := func(i int32) *int32 { return &i }
	info, err := status.New(codes.Internal, "Job aborted …").WithDetails(&errdetails.ErrorInfo{Reason: "org.apache.spark.SparkException", Metadata: map[string]string{"errorId": "e1"}})
	if err != nil {
		t.Fatal(err)
	}
	f := &fake{
		execute: func(*pb.ExecutePlanRequest, stream) error { return info.Err() },
		details: &pb.FetchErrorDetailsResponse{RootErrorIdx: index(0), Errors: []*pb.FetchErrorDetailsResponse_Error{
			{Message: "Job aborted due to stage failure: Task 0 failed 4 times.\n\tat org.apache.spark.Foo.bar(Foo.scala:1)\nDriver stacktrace:\n\tat x", CauseIdx: index(1)},
			{Message: "[DIVIDE_BY_ZERO] Division by zero. SQLSTATE: 22012", CauseIdx: index(1), SparkThrowable: &pb.FetchErrorDetailsResponse_SparkThrowable{ErrorClass: text(class), SqlState: text(state)}},
		}},
	}
	_, err = rows(t.Context(), f.dial(t))
	var got *mdslib.SparkError
	if !errors.As(err, &got) {
		t.Fatalf("error %#v", err)
	}
	if got.Class != class || got.SQLState != state || got.Message != "Job aborted due to stage failure: Task 0 failed 4 times." {
		t.Errorf("%#v", got)
	}
	if want := "spark: [DIVIDE_BY_ZERO] Job aborted due to stage failure: Task 0 failed 4 times. SQLSTATE: 22012\ncaused by: [DIVIDE_BY_ZERO] Division by zero. SQLSTATE: 22012"; got.Error() != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestPlainMessage(t *testing.T) {
	for text, want := range map[string]string{
		"[TABLE] not there. SQLSTATE: 42P01; line 1 pos 14;\n'Project [*]\n+- 'UnresolvedRelation [t]": "[TABLE] not there. SQLSTATE: 42P01; line 1 pos 14",
		"[AGG] no. SQLSTATE: 42845;\nAggregate [x]\n+- Range (0, 9)":                                   "[AGG] no. SQLSTATE: 42845",
		"a;\nb": "a;\nb",
		"java.io.IOException: no\n\tat a.B.c(B.java:1)\n\t... 12 more\nCaused by: x": "java.io.IOException: no\nCaused by: x",
	} {
		if got := plainMessage(text); got != want {
			t.Errorf("%q: got %q", text, got)
		}
	}
}

// TestRestarted: a server that was restarted between two queries has another id for the session, and is not taken for the first.
func TestRestarted(t *testing.T) {
	f := &fake{id: "first", execute: func(_ *pb.ExecutePlanRequest, s stream) error {
		answer := batch("r1", numbers(t, 1))
		answer.ServerSideSessionId = "second"
		return sending(s, nil, answer, complete("r2"))
	}}
	c := f.dial(t)
	if _, err := c.analyze(t.Context(), &pb.AnalyzePlanRequest{}); err != nil || f.claimed != "first" {
		t.Errorf("the client said that it had seen %q, %v", f.claimed, err)
	}
	if got, err := rows(t.Context(), c); !errors.Is(err, errRestarted) || len(got) > 0 {
		t.Errorf("rows of another server's session: %v, %v", got, err)
	}
	f.note(func() { f.id = "second" })
	if _, err := c.analyze(t.Context(), &pb.AnalyzePlanRequest{}); !errors.Is(err, errRestarted) {
		t.Errorf("error %v", err)
	}
	closed, err := status.New(codes.Internal, "[INVALID_HANDLE.SESSION_CHANGED] The handle x is invalid. …").WithDetails(&errdetails.ErrorInfo{Metadata: map[string]string{"errorClass": "INVALID_HANDLE.SESSION_CHANGED"}})
	if err != nil {
		t.Fatal(err)
	}
	f.note(func() { f.busy, f.busyWith = 1, closed.Err() })
	if _, err := c.analyze(t.Context(), &pb.AnalyzePlanRequest{}); !errors.Is(err, errRestarted) || !strings.Contains(err.Error(), "connect again") {
		t.Errorf("error %v", err)
	}
}

// TestRetries: a busy server is asked again, and what it refuses is not.
func TestRetries(t *testing.T) {
	busy, err := status.New(codes.ResourceExhausted, "busy").WithDetails(&errdetails.RetryInfo{})
	if err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		times int
		with  error
		fails string
	}{
		"unavailable":    {2, status.Error(codes.Unavailable, "starting"), ""},
		"asked to wait":  {2, busy.Err(), ""},
		"too long":       {99, status.Error(codes.Unavailable, "starting"), "cannot be reached: starting"},
		"refused":        {1, status.Error(codes.Unauthenticated, "bad token"), "refuses us (Unauthenticated): bad token"},
		"no such server": {1, status.Error(codes.Unimplemented, "unknown service"), "no server of Spark Connect"},
	} {
		t.Run(name, func(t *testing.T) {
			f := &fake{}
			c := f.dial(t)
			f.note(func() { f.busy, f.busyWith = test.times, test.with })
			_, err := c.analyze(t.Context(), &pb.AnalyzePlanRequest{})
			if test.fails == "" && err != nil || test.fails != "" && (err == nil || !strings.Contains(err.Error(), test.fails)) {
				t.Errorf("error %v, want %q", err, test.fails)
			}
		})
	}
}

// TestStop: the session that $SPARK_REMOTE asks for ends on the server. It prints without its parameters.
func TestStop(t *testing.T) {
	f := &fake{}
	address := "sc://127.0.0.1:" + f.serve(t)
	t.Setenv("SPARK_REMOTE", address+"/;session_id=6ba7b810-9dad-41d1-80b4-00c04fd430c8;token=secretsecret")
	s, err := mdslib.Connect(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	if s.String() != "mdslib.Session("+address+"/)" {
		t.Errorf("%s", s)
	}
	if err := s.Stop(); err != nil || !slices.Equal(f.ended, []string{"6ba7b810-9dad-41d1-80b4-00c04fd430c8"}) {
		t.Errorf("ended %q, error %v", f.ended, err)
	}
}
