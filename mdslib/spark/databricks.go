package spark

// Databricks: a cluster, or serverless, by the profiles and variables of Databricks' own clients.

import (
	"context"
	"fmt"
	"strings"

	"github.com/google/uuid"

	"gomosaic/mdslib"
	"gomosaic/mdslib/store/databricks"
)

// openDatabricks opens "databricks://profile", or with "databricks://" what the environment or the default profile names.
func openDatabricks(ctx context.Context, url string) (mdslib.Engine, error) {
	profile := strings.TrimPrefix(strings.TrimPrefix(url, "databricks:"), "//")
	if strings.ContainsAny(profile, "/;?@") {
		return nil, fmt.Errorf("spark: want databricks:// and the name of a profile of ~/.databrickscfg, or nothing for the environment's workspace")
	}
	compute, err := databricks.FindCompute(profile)
	if err != nil {
		return nil, fmt.Errorf("spark: %w", err)
	}
	t, err := parseTarget("sc://" + compute.Address + "/;use_ssl=true")
	if err != nil {
		return nil, err
	}
	t.token, t.fetch = "", compute.Token
	t.session = uuid.NewString()
	if compute.ClusterID != "" {
		t.headers.Set("x-databricks-cluster-id", compute.ClusterID)
	} else {
		t.headers.Set("x-databricks-session-id", t.session) // which serverless keeps the session's compute by
	}
	t.user = "" // the token says who we are
	e, err := openEngine(ctx, t)
	if err != nil {
		return nil, fmt.Errorf("%w (%s)", err, compute)
	}
	return e, nil
}
