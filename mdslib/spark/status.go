package spark

// From gRPC's status to the error that Spark means.

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"gomosaic/mdslib"
	"gomosaic/mdslib/spark/pb"
	"gomosaic/mdslib/spark/worker"
)

// describe turns the error of a request into the one to show. What Spark says becomes an [*mdslib.SparkError], whose whole
// message and causes are fetched, as a status has room for little.
func (c *client) describe(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return fmt.Errorf("spark: %w", context.Cause(ctx))
	}
	s, ok := status.FromError(err)
	if !ok {
		return err
	}
	for _, d := range s.Details() {
		if info, ok := d.(*errdetails.ErrorInfo); ok {
			return c.sparkError(ctx, s, info)
		}
	}
	switch s.Code() {
	case codes.Unavailable:
		return fmt.Errorf("spark: %s cannot be reached: %s", c.target, s.Message())
	case codes.Unauthenticated, codes.PermissionDenied:
		return fmt.Errorf("spark: %s refuses us (%s): %s; see token= in the connection string", c.target, s.Code(), s.Message())
	case codes.Unimplemented:
		return fmt.Errorf("spark: %s is no server of Spark Connect, or one before 3.5: %s", c.target, s.Message())
	case codes.ResourceExhausted:
		return fmt.Errorf("spark: %s: %s; see grpc_max_message_size= in the connection string, or spark.connect.grpc.maxInboundMessageSize of the server", c.target, s.Message())
	}
	return fmt.Errorf("spark: %s: %s: %s", c.target, s.Code(), s.Message())
}

// sessionLost are the errors of a server that does not have the session, or not that one.
var sessionLost = []string{"INVALID_HANDLE.SESSION_CHANGED", "INVALID_HANDLE.SESSION_CLOSED", "INVALID_HANDLE.SESSION_NOT_FOUND"}

// detailsTimeout bounds the request for more about an error.
const detailsTimeout = 10 * time.Second

func (c *client) sparkError(ctx context.Context, s *status.Status, info *errdetails.ErrorInfo) error {
	e := &mdslib.SparkError{Class: info.Metadata["errorClass"], SQLState: info.Metadata["sqlState"], Message: s.Message()}
	if slices.Contains(sessionLost, e.Class) || slices.ContainsFunc(sessionLost, func(class string) bool { return strings.Contains(s.Message(), class) }) {
		return fmt.Errorf("%w (%s)", errRestarted, plainMessage(s.Message()))
	}
	if id := info.Metadata["errorId"]; id != "" {
		ctx, cancel := context.WithTimeout(ctx, detailsTimeout)
		defer cancel()
		details, err := c.rpc.FetchErrorDetails(c.outgoing(ctx), &pb.FetchErrorDetailsRequest{
			SessionId: c.session, UserContext: c.user, ErrorId: id, ClientType: &c.target.agent, ClientObservedServerSideSessionId: c.observed.Load(),
		})
		if err == nil { // else what the status says must do
			fill(e, details)
		}
	}
	e.Message = plainMessage(e.Message)
	if e.Class == "" { // a failed task's error names its class in the text alone
		for _, text := range append([]string{e.Message}, e.Causes...) {
			if m := classInText.FindStringSubmatch(text); m != nil {
				e.Class = m[1]
				break
			}
		}
	}
	if e.SQLState == "" {
		for _, text := range append([]string{e.Message}, e.Causes...) {
			if m := stateInText.FindStringSubmatch(text); m != nil {
				e.SQLState = m[1]
				break
			}
		}
	}
	if said, ok := worker.Said(sparkText(e)); ok {
		return &programError{said, e}
	}
	return e
}

// programError is why a program of ours on an executor failed, as far as possible in its own words.
type programError struct {
	said  string
	cause error // Spark's account of it
}

func (e *programError) Error() string { return "spark: " + e.said }
func (e *programError) Unwrap() error { return e.cause }

var (
	classInText = regexp.MustCompile(`\[([A-Z][A-Z0-9_]+(?:\.[A-Z0-9_]+)*)\]`)
	stateInText = regexp.MustCompile(`SQLSTATE: ([0-9A-Z]{5})`)
	planBehind  = regexp.MustCompile(`(SQLSTATE: [0-9A-Z]{5}(?:; line \d+ pos \d+)?);\n`) // then comes "'Project [*]\n+- 'UnresolvedRelation"
)

// mostCauses bounds a chain of causes, which might have a loop.
const mostCauses = 20

func fill(e *mdslib.SparkError, details *pb.FetchErrorDetailsResponse) {
	if details.RootErrorIdx == nil {
		return
	}
	next := details.RootErrorIdx
	for n := 0; next != nil && int(*next) >= 0 && int(*next) < len(details.Errors) && n < mostCauses; n++ {
		one := details.Errors[*next]
		next = one.CauseIdx
		if n > 0 {
			if cause := plainMessage(one.Message); cause != "" {
				e.Causes = append(e.Causes, cause)
			}
		} else {
			e.Message = one.Message
		}
		throwable := one.SparkThrowable
		if e.Class == "" && throwable.GetErrorClass() != "" {
			e.Class = throwable.GetErrorClass()
		}
		if e.SQLState == "" && throwable.GetSqlState() != "" {
			e.SQLState = throwable.GetSqlState()
		}
	}
}

// plainMessage leaves out what is for Spark's own developers: the tree of the plan and Java's stack.
func plainMessage(text string) string {
	if m := planBehind.FindStringSubmatchIndex(text); m != nil {
		text = text[:m[3]]
	}
	text, _, _ = strings.Cut(text, "\nDriver stacktrace:")
	var lines []string
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\n")
		if trimmed := strings.TrimSpace(line); strings.HasPrefix(trimmed, "at ") && strings.Contains(trimmed, "(") || strings.HasPrefix(trimmed, "... ") && strings.HasSuffix(trimmed, " more") {
			continue
		}
		lines = append(lines, line)
	}
	return strings.TrimSpace(strings.Join(lines, "\n"))
}

// isNotFound tells whether the server does not know the operation or the session.
func isNotFound(err error) bool {
	s, ok := status.FromError(err)
	return ok && !errors.Is(err, context.Canceled) &&
		(strings.Contains(s.Message(), "INVALID_HANDLE.OPERATION_NOT_FOUND") || strings.Contains(s.Message(), "INVALID_HANDLE.SESSION_NOT_FOUND"))
}
