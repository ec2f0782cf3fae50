package notebooks_test

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"syscall"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// chromium returns the browser that setup/chromium.sh found for make.
func chromium(t *testing.T) string {
	t.Helper()
	out, err := exec.Command("../setup/chromium.sh").Output()
	if err != nil {
		t.Fatalf("no Chromium: type make test, or name one in $CHROMIUM (%v)", err)
	}
	return string(out[:len(out)-1])
}

// startLab serves dir by JupyterLab on a free loopback port and returns its address, and its process.
func startLab(t *testing.T, dir string) (address string, pid int) {
	t.Helper()
	cmd := exec.Command(python(t), "-m", "jupyter", "lab", "--no-browser", "--ip=127.0.0.1", "--port=0", "--ServerApp.root_dir="+dir,
		"--IdentityProvider.token=test", "--ServerApp.allow_root=True", "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate")
	settings := t.TempDir()
	for name, text := range map[string]string{
		"apputils-extension/notification": `{"fetchNews": "false", "checkForUpdates": false}`,
		"completer-extension/manager":     `{"providerTimeout": 60000}`, // a second is too little where the machine is busy
	} {
		file := filepath.Join(settings, "@jupyterlab", name+".jupyterlab-settings")
		if err := os.MkdirAll(filepath.Dir(file), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	cmd.Env = append(os.Environ(), "JUPYTER_CONFIG_DIR="+t.TempDir(), "JUPYTER_DATA_DIR="+t.TempDir(), "JUPYTER_RUNTIME_DIR="+t.TempDir(), "JUPYTERLAB_SETTINGS_DIR="+settings)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	stderr, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM)
		cmd.Wait()
	})
	found := make(chan string, 1)
	go func() {
		url := regexp.MustCompile(`http://127\.0\.0\.1:\d+/`)
		for lines := bufio.NewScanner(stderr); lines.Scan(); {
			if m := url.FindString(lines.Text()); m != "" {
				select {
				case found <- m:
				default:
				}
			}
		}
	}()
	select {
	case address = <-found:
		return address, cmd.Process.Pid
	case <-time.After(time.Minute):
		t.Fatal("JupyterLab did not come up within a minute")
		return "", 0
	}
}

// newBrowser starts a headless browser that reaches nothing but the loopback interface.
func newBrowser(t *testing.T) context.Context {
	t.Helper()
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(chromium(t)), chromedp.NoSandbox, chromedp.WindowSize(1300, 1600),
		chromedp.Flag("host-resolver-rules", "MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"),
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true),
	)
	ctx, stop := chromedp.NewExecAllocator(t.Context(), options...)
	t.Cleanup(stop)
	ctx, stop = chromedp.NewContext(ctx)
	t.Cleanup(stop)
	ctx, stop = context.WithTimeout(ctx, 6*time.Minute)
	t.Cleanup(stop)
	return ctx
}

// pictures counts what a page shows: images that have loaded with a size, those that are static charts, and canvases.
const pictures = `(() => {
	const images = [...document.querySelectorAll('.jp-OutputArea-output img')];
	const drawn = images.filter(i => i.complete && i.naturalWidth > 0 && i.getBoundingClientRect().width > 0);
	return {
		images: images.length,
		drawn: drawn.length,
		charts: drawn.filter(i => i.src.startsWith('data:image/svg+xml')).length + document.querySelectorAll('.jp-OutputArea-output canvas').length,
		errors: document.querySelectorAll('.jp-OutputArea-output[data-mime-type="application/vnd.jupyter.stderr"], .jp-RenderedError').length,
	};
})()`

// counts is what pictures returns.
type counts struct{ Images, Drawn, Charts, Errors int }

// assertPictures: charts and images come on the page, and all of them are drawn. show makes the page draw what it can.
func assertPictures(t *testing.T, ctx context.Context, where, show string) {
	t.Helper()
	var got counts
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); { // at once, where the machine is not busy
		evaluate[bool](t, ctx, show)
		got = evaluate[counts](t, ctx, pictures)
		if got.Charts >= 2 && got.Images >= 12 && got.Drawn+got.Charts >= got.Images && got.Errors == 0 {
			return
		}
	}
	t.Errorf("%s shows %+v, want at least 2 charts and 12 images, all drawn, and no error", where, got)
}

// TestTutorialInBrowser opens the executed tutorial in JupyterLab, and its exported page with scripts off, in a headless
// browser that has no network. The screenshots stay in out/screenshots.
func TestTutorialInBrowser(t *testing.T) {
	out := t.TempDir()
	runTutorial(t, out, "NUM_EPOCHS=1", "MAX_TRAIN=64", "MAX_VAL=32")
	screenshots := filepath.Join("out", "screenshots")
	if err := os.MkdirAll(screenshots, 0o777); err != nil {
		t.Fatal(err)
	}
	save := func(name string, png []byte) {
		if err := os.WriteFile(filepath.Join(screenshots, name), png, 0o666); err != nil {
			t.Error(err)
		}
	}

	t.Run("JupyterLab", func(t *testing.T) {
		address, _ := startLab(t, out)
		ctx := newBrowser(t)
		open := fmt.Sprintf("%slab/tree/%s.ipynb?token=test&reset", address, tutorial)
		if err := chromedp.Do(ctx, chromedp.Navigate(open), chromedp.WaitVisible(".jp-Notebook .jp-OutputArea-output")); err != nil {
			t.Fatal(err)
		}
		// Lab renders a cell when it nears the window: show the whole notebook once before counting.
		assertPictures(t, ctx, "JupyterLab", scrollThrough)
		save("lab.jpg", screenshot(t, ctx))
	})

	t.Run("exported page, scripts off", func(t *testing.T) {
		ctx := newBrowser(t)
		page, err := filepath.Abs(filepath.Join(out, tutorial+".html"))
		if err != nil {
			t.Fatal(err)
		}
		if err := chromedp.Do(ctx, scriptsOff, chromedp.Navigate(fileURL(page)), chromedp.WaitReady("body")); err != nil {
			t.Fatal(err)
		}
		save("page.jpg", screenshot(t, ctx))
		assertPictures(t, ctx, "the exported page", "true")
	})
}
