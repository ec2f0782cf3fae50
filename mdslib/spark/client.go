package spark

// A session with a Spark Connect server, and its requests.

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"gomosaic/mdslib/spark/pb"
)

// client is one session with a server. Its methods are safe for concurrent use.
type client struct {
	target  *target
	conn    *grpc.ClientConn
	rpc     pb.SparkConnectServiceClient
	session string // a UUID, ours
	user    *pb.UserContext
	policy  retryPolicy
	version string // the server's

	observed atomic.Pointer[string] // the server's own id of the session, once it has said it

	background sync.WaitGroup // requests that nobody waits for
	artifacts  sentArtifacts
	lifelines  lifelines
}

// connectPolicy gives up after four seconds: whoever connects wants to know.
var connectPolicy = retryPolicy{retries: 4, first: 50 * time.Millisecond, most: time.Minute, factor: 4}

// Batches of rows, of 4 MiB each, come by streams of which the server sends so much ahead. gRPC's own guess, by how long answers
// take, has the server wait for us after each batch.
const (
	streamWindow = 16 << 20
	readBuffer   = 256 << 10
)

// dial opens a session. It asks the server for its version, so that a server that cannot be reached, or refuses us, is this
// function's error.
func dial(ctx context.Context, t *target) (*client, error) {
	transport := insecure.NewCredentials()
	if t.tls {
		roots, err := certificates()
		if err != nil {
			return nil, err
		}
		transport = credentials.NewTLS(&tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12})
	}
	options := []grpc.DialOption{
		grpc.WithTransportCredentials(transport), grpc.WithReadBufferSize(readBuffer),
		grpc.WithInitialWindowSize(streamWindow), grpc.WithInitialConnWindowSize(2 * streamWindow),
	}
	if t.token != "" || t.fetch != nil {
		options = append(options, grpc.WithPerRPCCredentials(bearer{t}))
	}
	conn, err := grpc.NewClient(t.address(), append(options, grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(t.maxMessage), grpc.MaxCallSendMsgSize(t.maxMessage)))...)
	if err != nil {
		return nil, fmt.Errorf("spark: %s: %w", t, err)
	}
	c := &client{
		target: t, conn: conn, rpc: pb.NewSparkConnectServiceClient(conn), session: t.session,
		user: &pb.UserContext{UserId: t.user}, policy: connectPolicy,
	}
	if c.session == "" {
		c.session = uuid.NewString()
	}
	r, err := c.analyze(ctx, &pb.AnalyzePlanRequest{Analyze: &pb.AnalyzePlanRequest_SparkVersion_{SparkVersion: &pb.AnalyzePlanRequest_SparkVersion{}}})
	if err != nil {
		conn.Close()
		return nil, err
	}
	c.version, c.policy = r.GetSparkVersion().GetVersion(), defaultPolicy
	return c, nil
}

// certificates are the authorities of $GRPC_DEFAULT_SSL_ROOTS_FILE_PATH, which gRPC has elsewhere, too; nil are the system's.
func certificates() (*x509.CertPool, error) {
	file := os.Getenv("GRPC_DEFAULT_SSL_ROOTS_FILE_PATH")
	if file == "" {
		return nil, nil
	}
	pem, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("spark: GRPC_DEFAULT_SSL_ROOTS_FILE_PATH: %w", err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("spark: GRPC_DEFAULT_SSL_ROOTS_FILE_PATH: %s holds no certificate", file)
	}
	return pool, nil
}

// outgoing adds the headers of the connection string to a request.
func (c *client) outgoing(ctx context.Context) context.Context {
	return metadata.NewOutgoingContext(ctx, c.target.headers)
}

// bearer puts a target's token into each request.
type bearer struct{ *target }

// GetRequestMetadata implements credentials.PerRPCCredentials.
func (b bearer) GetRequestMetadata(ctx context.Context, _ ...string) (map[string]string, error) {
	token := b.token
	if b.fetch != nil {
		var err error
		if token, err = b.fetch(ctx); err != nil {
			return nil, status.Error(codes.Unauthenticated, err.Error())
		}
	}
	return map[string]string{"authorization": "Bearer " + token}, nil
}

// RequireTransportSecurity implements credentials.PerRPCCredentials.
func (b bearer) RequireTransportSecurity() bool { return !b.loopback() }

// request makes a request until it succeeds or fails for good, and describes its error.
func request[T any](ctx context.Context, c *client, call func(context.Context) (T, error)) (T, error) {
	own, stop := withoutDeadline(ctx)
	defer stop()
	r := c.policy.begin(c.target)
	defer r.end()
	for {
		answer, err := call(c.outgoing(own))
		if err == nil {
			return answer, c.saw(any(answer))
		}
		if !r.again(ctx, err) {
			return answer, c.describe(ctx, err)
		}
	}
}

// errRestarted: the server that answers is not the one that the session was opened with.
var errRestarted = errors.New("spark: the server was restarted, or has ended this session: its temporary views, settings, kept rows (Cache) and large rows of CreateDataFrame are lost; connect again")

// saw compares the server's own id of the session, which each of its answers has, with the one that it has said first.
func (c *client) saw(answer any) error {
	a, ok := answer.(interface{ GetServerSideSessionId() string })
	if !ok || a.GetServerSideSessionId() == "" { // a server before 4.0
		return nil
	}
	id := a.GetServerSideSessionId()
	if c.observed.CompareAndSwap(nil, &id) || *c.observed.Load() == id {
		return nil
	}
	return errRestarted
}

// analyze asks about a plan without running it; the session's own fields of the request are filled in.
func (c *client) analyze(ctx context.Context, r *pb.AnalyzePlanRequest) (*pb.AnalyzePlanResponse, error) {
	r.SessionId, r.UserContext, r.ClientType, r.ClientObservedServerSideSessionId = c.session, c.user, &c.target.agent, c.observed.Load()
	return request(ctx, c, func(ctx context.Context) (*pb.AnalyzePlanResponse, error) { return c.rpc.AnalyzePlan(ctx, r) })
}

// Conf implements mdslib.SQLEngine: a setting of the session, such as "spark.sql.session.timeZone".
func (c *client) Conf(ctx context.Context, key string) (string, error) {
	r := &pb.ConfigRequest{
		SessionId: c.session, UserContext: c.user, ClientType: &c.target.agent, ClientObservedServerSideSessionId: c.observed.Load(),
		Operation: &pb.ConfigRequest_Operation{OpType: &pb.ConfigRequest_Operation_Get{Get: &pb.ConfigRequest_Get{Keys: []string{key}}}},
	}
	answer, err := request(ctx, c, func(ctx context.Context) (*pb.ConfigResponse, error) { return c.rpc.Config(ctx, r) })
	if err != nil {
		return "", err
	}
	if len(answer.Pairs) != 1 {
		return "", fmt.Errorf("spark: setting %s: the server gave %d values", key, len(answer.Pairs))
	}
	return answer.Pairs[0].GetValue(), nil
}

// SetConf implements mdslib.SQLEngine.
func (c *client) SetConf(ctx context.Context, key, value string) error {
	r := &pb.ConfigRequest{
		SessionId: c.session, UserContext: c.user, ClientType: &c.target.agent, ClientObservedServerSideSessionId: c.observed.Load(),
		Operation: &pb.ConfigRequest_Operation{OpType: &pb.ConfigRequest_Operation_Set{Set: &pb.ConfigRequest_Set{Pairs: []*pb.KeyValue{{Key: key, Value: &value}}}}},
	}
	_, err := request(ctx, c, func(ctx context.Context) (*pb.ConfigResponse, error) { return c.rpc.Config(ctx, r) })
	return err
}

// farewell bounds the last requests of an operation and of a session, which are made though their context has ended.
const farewell = 3 * time.Second

// interrupt stops an operation on the server and tells whether the server knew of it.
func (c *client) interrupt(operation string) (known bool, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), farewell)
	defer cancel()
	answer, err := c.rpc.Interrupt(c.outgoing(ctx), &pb.InterruptRequest{
		SessionId: c.session, UserContext: c.user, ClientType: &c.target.agent,
		InterruptType: pb.InterruptRequest_INTERRUPT_TYPE_OPERATION_ID, Interrupt: &pb.InterruptRequest_OperationId{OperationId: operation},
	})
	return len(answer.GetInterruptedIds()) > 0, err
}

// close ends the session on the server, and with it what still runs there and what was sent to it, and closes the connection.
func (c *client) close() error {
	c.background.Wait()
	ctx, cancel := context.WithTimeout(context.Background(), farewell)
	defer cancel()
	_, err := c.rpc.ReleaseSession(c.outgoing(ctx), &pb.ReleaseSessionRequest{SessionId: c.session, UserContext: c.user, ClientType: &c.target.agent})
	if err != nil {
		err = c.describe(context.Background(), err)
	}
	c.conn.Close()
	return err
}
