package notebooks_test

import (
	"context"
	"net/url"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

// scriptsOff keeps the page's own scripts from running; ours from the outside still do.
var scriptsOff = chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
	_, err := cdp.Call(ctx, t, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true})
	return err
})

// evaluate runs a script in the page, waits for the promise that it may return, and returns its value.
func evaluate[T any](t *testing.T, ctx context.Context, script string) T {
	t.Helper()
	value, err := chromedp.Run(ctx, chromedp.EvaluateAsDevTools[T](script, chromedp.EvalAsValue, chromedp.EvalAwaitPromise))
	if err != nil {
		t.Fatal(err)
	}
	return value
}

// screenshot returns a picture of the whole page.
func screenshot(t *testing.T, ctx context.Context) []byte {
	t.Helper()
	picture, err := chromedp.Run(ctx, chromedp.FullScreenshot(90))
	if err != nil {
		t.Fatal(err)
	}
	return picture
}

// scrollThrough shows every part of the notebook once and ends at its first chart.
const scrollThrough = `(async () => {
	const area = document.querySelector('.jp-WindowedPanel-outer') || document.querySelector('.jp-Notebook');
	for (let y = 0; y <= area.scrollHeight; y += 400) {
		area.scrollTop = y;
		await new Promise(next => setTimeout(next, 80));
	}
	const chart = document.querySelector('.jp-OutputArea-output canvas, .jp-OutputArea-output img[src^="data:image/svg"]');
	if (chart) chart.scrollIntoView({block: 'center'});
	await new Promise(next => setTimeout(next, 500));
	return true;
})()`

// fileURL returns the file: address of a path.
func fileURL(path string) string { return (&url.URL{Scheme: "file", Path: path}).String() }
