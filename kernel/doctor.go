package kernel

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"
)

// Grade is the outcome of one check.
type Grade string

const (
	OK   Grade = "ok"
	Warn Grade = "warn" // something optional is missing
	Fail Grade = "fail" // the kernel or training does not work without it
)

// Finding is what one check of [Doctor] found.
type Finding struct {
	Check  string `json:"check"`
	Grade  Grade  `json:"grade"`
	Detail string `json:"detail"`        // versions and places, or what is missing
	Fix    string `json:"fix,omitempty"` // the command to type; "" for a check that is ok
}

// DoctorOptions say which installation is examined.
type DoctorOptions struct {
	CacheBytes int64  // bound of the user's cache; 0: host.DefaultCacheBytes
	ModuleDir  string // the clone of gomosaic
	Prefix     string // an environment whose kernels and Jupyter are looked at besides those of the user; "": the clone's .venv
}

// checkSeconds bounds each check, programs that it runs included.
const checkSeconds = 20

// Doctor runs all checks, side by side, and returns their findings in the order of the report.
func Doctor(ctx context.Context, o DoctorOptions) []Finding {
	checks := []func(context.Context, DoctorOptions) Finding{
		checkGo, checkCompiler, checkClone, checkCache, checkLibtorch, checkGPU, checkKernelspec, checkJupyter, checkJava, checkSpark,
	}
	findings := make([]Finding, len(checks))
	var wg sync.WaitGroup
	for i, check := range checks {
		wg.Go(func() {
			ctx, cancel := context.WithTimeout(ctx, checkSeconds*time.Second)
			defer cancel()
			findings[i] = check(ctx, o)
		})
	}
	wg.Wait()
	return findings
}

// Healthy tells whether nothing failed.
func Healthy(findings []Finding) bool {
	for _, f := range findings {
		if f.Grade == Fail {
			return false
		}
	}
	return true
}

// WriteFindings prints a line for each finding and, below it, the fix.
func WriteFindings(w io.Writer, findings []Finding) error {
	var b strings.Builder
	for _, f := range findings {
		fmt.Fprintf(&b, "%-4s  %-11s %s\n", f.Grade, f.Check, f.Detail)
		if f.Fix != "" {
			fmt.Fprintf(&b, "      %-11s → %s\n", "", f.Fix)
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// WriteFindingsJSON prints {"healthy": …, "findings": […]}.
func WriteFindingsJSON(w io.Writer, findings []Finding) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(struct {
		Healthy  bool      `json:"healthy"`
		Findings []Finding `json:"findings"`
	}{Healthy(findings), findings})
}
