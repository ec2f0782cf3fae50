package databricks

// The compute of a workspace that runs Spark; package spark connects to it.

import (
	"context"
	"fmt"
	"net/url"
)

// Compute is a cluster of a workspace, or its serverless compute.
type Compute struct {
	Address   string // host:port, which is spoken to by TLS
	ClusterID string // "" for serverless
	workspace *workspace
}

// FindCompute reads the profile of ~/.databrickscfg, or with "" the environment and then the default profile, as stores do. The
// compute is cluster_id (DATABRICKS_CLUSTER_ID) or, with serverless_compute_id (DATABRICKS_SERVERLESS_COMPUTE_ID), which is auto,
// serverless.
func FindCompute(profile string) (*Compute, error) {
	w, err := findWorkspace(profile)
	if err != nil {
		return nil, fmt.Errorf("databricks: %w", err)
	}
	u, err := url.Parse(w.host)
	if err != nil || u.Scheme != "https" {
		return nil, fmt.Errorf("databricks: %s (%s): want https", w.host, w.source)
	}
	c := &Compute{Address: u.Host, ClusterID: w.values["cluster_id"], workspace: w}
	if u.Port() == "" {
		c.Address += ":443"
	}
	if serverless := w.values["serverless_compute_id"]; (c.ClusterID == "") == (serverless == "") {
		return nil, fmt.Errorf("databricks: %s: want either cluster_id (DATABRICKS_CLUSTER_ID) or serverless_compute_id = auto (DATABRICKS_SERVERLESS_COMPUTE_ID) in %s", w.host, w.source)
	}
	return c, nil
}

// Token is that of a request, fetched anew where it has run out. It is safe for concurrent use.
func (c *Compute) Token(ctx context.Context) (string, error) {
	token, err := c.workspace.who.token(ctx)
	if err != nil {
		return "", fmt.Errorf("databricks: %w", err)
	}
	return token, nil
}

// String says where the compute is and who asks, without secrets.
func (c *Compute) String() string {
	which := "serverless"
	if c.ClusterID != "" {
		which = "cluster " + c.ClusterID
	}
	return which + ", " + c.workspace.describe()
}
