package kernel

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"

	"gomosaic/kernel/host"
)

// The oldest releases that work.
const (
	goMinor   = 26 // of Go 1
	javaMajor = 17 // Spark 4 asks for it
)

// programOutput runs a program and returns its standard output without surrounding space; the error carries its last line.
func programOutput(ctx context.Context, env []string, name string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Env = append(os.Environ(), env...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		lines := strings.Split(strings.TrimSpace(stderr.String()), "\n")
		if last := lines[len(lines)-1]; last != "" {
			err = fmt.Errorf("%w: %s", err, last)
		}
		return "", err
	}
	return strings.TrimSpace(stdout.String()), nil
}

// asRoot is what precedes a command that root must run.
func asRoot() string {
	if os.Geteuid() == 0 {
		return ""
	}
	return "sudo "
}

// makeTarget is the command that runs a target of the clone's Makefile.
func makeTarget(o DoctorOptions, target string) string {
	if o.ModuleDir == "" {
		return "make -C <the clone of gomosaic> " + target
	}
	return "make -C " + shellWord(o.ModuleDir) + " " + target
}

// shellWord quotes a path where a shell would not take it as one word.
func shellWord(s string) string {
	plain := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("/._-+@%:,=", r)
	}
	if s != "" && strings.IndexFunc(s, func(r rune) bool { return !plain(r) }) < 0 {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}

// checkGo wants the very release that built this binary: cells are plugins, which must come from the same compiler.
func checkGo(ctx context.Context, o DoctorOptions) Finding {
	f := Finding{Check: "go", Grade: Fail}
	get := "curl -fL https://go.dev/dl/" + runtime.Version() + "." + runtime.GOOS + "-" + runtime.GOARCH + ".tar.gz | " + asRoot() + "tar -C /usr/local -xz && export PATH=/usr/local/go/bin:$PATH"
	path, err := exec.LookPath("go")
	if err != nil {
		f.Detail, f.Fix = "no go on PATH; cells are compiled by it", get
		return f
	}
	version, err := programOutput(ctx, []string{"GOTOOLCHAIN=local", "GOFLAGS="}, path, "env", "GOVERSION")
	if err != nil {
		f.Detail, f.Fix = fmt.Sprintf("%s env GOVERSION: %v", path, err), get
		return f
	}
	f.Detail = version + " at " + path
	if minor, ok := goRelease(version); !ok || minor < goMinor {
		f.Detail += fmt.Sprintf("; 1.%d or newer is needed", goMinor)
		f.Fix = get
		return f
	}
	if version != runtime.Version() {
		f.Detail += "; this gomosaic was built with " + runtime.Version() + ", and cells load only into a host of their own release"
		f.Fix = makeTarget(o, "setup")
		return f
	}
	f.Grade = OK
	return f
}

// goRelease parses the minor number of go1.N….
func goRelease(version string) (minor int, ok bool) {
	rest, ok := strings.CutPrefix(version, "go1.")
	if !ok {
		return 0, false
	}
	end := strings.IndexFunc(rest, func(r rune) bool { return r < '0' || r > '9' })
	if end < 0 {
		end = len(rest)
	}
	minor, err := strconv.Atoi(rest[:end])
	return minor, err == nil
}

func checkCompiler(ctx context.Context, _ DoctorOptions) Finding {
	f := Finding{Check: "g++", Grade: Fail, Fix: asRoot() + "apt-get install -y g++"}
	path, err := exec.LookPath("g++")
	if err != nil {
		f.Detail = "not on PATH; it links cells and builds the libtorch shim"
		return f
	}
	version, err := programOutput(ctx, nil, path, "-dumpfullversion", "-dumpversion")
	if err != nil {
		f.Detail = fmt.Sprintf("%s does not run: %v", path, err)
		return f
	}
	if _, err := exec.LookPath("ld"); err != nil {
		f.Detail, f.Fix = version+" at "+path+", but no ld on PATH", asRoot()+"apt-get install -y binutils"
		return f
	}
	return Finding{Check: "g++", Grade: OK, Detail: version + " at " + path}
}

// checkClone wants the sources that cells import.
func checkClone(ctx context.Context, o DoctorOptions) Finding {
	f := Finding{Check: "clone", Grade: Fail, Detail: o.ModuleDir}
	b, err := os.ReadFile(filepath.Join(o.ModuleDir, "go.mod"))
	if o.ModuleDir == "" {
		err = errors.New("this binary does not know its clone")
	}
	if err == nil && !strings.HasPrefix(string(b), "module gomosaic\n") {
		err = fmt.Errorf("%s/go.mod is that of another module", o.ModuleDir)
	}
	if err != nil {
		f.Detail = err.Error()
		f.Fix = makeTarget(DoctorOptions{}, "setup")
		return f
	}
	if _, err := programOutput(ctx, []string{"GOTOOLCHAIN=local", "GOFLAGS=-mod=readonly", "GOWORK=off", "GOPROXY=off"},
		"go", "-C", o.ModuleDir, "list", "-deps", "./kernel/cmd/gomosaic"); err != nil {
		f.Detail += ": its packages do not resolve: " + err.Error()
		f.Fix = "cd " + shellWord(o.ModuleDir) + " && go mod download"
		if strings.Contains(err.Error(), "build cache") {
			f.Fix = ownCache
		}
		return f
	}
	f.Grade = OK
	return f
}

// ownCache is the fix where the user's cache folder cannot be written.
const ownCache = "export XDG_CACHE_HOME=<a folder that you own>"

// checkCache wants a cache folder that compiled cells can be written to, and tells what it holds.
func checkCache(_ context.Context, o DoctorOptions) Finding {
	f := Finding{Check: "cache", Grade: Fail}
	dir, err := os.UserCacheDir()
	if err == nil {
		dir = filepath.Join(dir, "gomosaic")
		err = os.MkdirAll(dir, 0o755)
	}
	var probe *os.File
	if err == nil {
		probe, err = os.CreateTemp(dir, ".doctor-*")
	}
	if err != nil {
		f.Detail, f.Fix = fmt.Sprintf("the user's cache cannot be written: %v", err), ownCache
		return f
	}
	probe.Close()
	os.Remove(probe.Name())
	f.Grade, f.Detail = OK, dir
	if uses, err := host.UsedCache(dir); err == nil {
		f.Detail += ", " + cacheUse(uses, o.CacheBytes)
	}
	if free, ok := freeBytes(dir); ok {
		f.Detail += fmt.Sprintf(", %.1f GB free", float64(free)/1e9)
		if free < 2e9 {
			f.Grade, f.Fix = Warn, "go clean -cache"
		}
	}
	return f
}

// cacheUse says how much the cache holds, of what most, and its limit.
func cacheUse(uses []host.CacheUse, limit int64) string {
	if limit == 0 {
		limit = host.DefaultCacheBytes
	}
	total, largest := int64(0), ""
	for i, u := range uses {
		total += u.Bytes
		if i == 0 && u.Bytes > 0 {
			largest = fmt.Sprintf(", most of it %s", u.Kind)
		}
	}
	return fmt.Sprintf("%.2f GB of at most %.1f GB used (GOMOSAIC_CACHE_MB)%s", float64(total)/1e9, float64(limit)/1e9, largest)
}

func checkJava(ctx context.Context, _ DoctorOptions) Finding {
	f := Finding{Check: "java", Grade: Warn, Fix: asRoot() + fmt.Sprintf("apt-get install -y openjdk-%d-jre-headless", javaMajor)}
	path, err := exec.LookPath("java")
	if home := os.Getenv("JAVA_HOME"); home != "" {
		path, err = exec.LookPath(filepath.Join(home, "bin", "java"))
	}
	if err != nil {
		f.Detail = "none (optional: a Spark server on this machine needs it)"
		return f
	}
	settings := exec.CommandContext(ctx, path, "-XshowSettings:properties", "-version")
	out, err := settings.CombinedOutput()
	if err != nil {
		f.Detail = fmt.Sprintf("%s does not run: %v (optional)", path, err)
		return f
	}
	version := ""
	for line := range strings.Lines(string(out)) {
		if v, ok := strings.CutPrefix(strings.TrimSpace(line), "java.specification.version = "); ok {
			version = v
		}
	}
	f.Detail = "Java " + version + " at " + path
	if major, err := strconv.Atoi(version); err != nil || major < javaMajor {
		f.Detail += fmt.Sprintf("; Spark 4 needs %d (optional)", javaMajor)
		return f
	}
	return Finding{Check: "java", Grade: OK, Detail: f.Detail}
}

// checkSpark looks for a Spark to connect to or to start.
func checkSpark(context.Context, DoctorOptions) Finding {
	if remote := os.Getenv("SPARK_REMOTE"); remote != "" {
		server, _, _ := strings.Cut(remote, ";") // parameters may be secret
		return Finding{Check: "spark", Grade: OK, Detail: "SPARK_REMOTE=" + server}
	}
	if home := os.Getenv("SPARK_HOME"); home != "" {
		if _, err := os.Stat(filepath.Join(home, "sbin", "start-connect-server.sh")); err == nil {
			return Finding{Check: "spark", Grade: OK, Detail: "SPARK_HOME=" + home}
		}
	}
	return Finding{Check: "spark", Grade: Warn, Detail: "none (optional: mdslib.Connect(ctx, \"local\") needs no Spark)",
		Fix: "export SPARK_REMOTE=sc://<host>:15002, or, for mdslib.Connect(ctx, \"spark-local\"), pip install 'pyspark[connect]' and apt-get install openjdk-17-jre-headless"}
}
