package notebooks_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	cdppage "github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// page is a notebook open in JupyterLab, driven by mouse and keyboard as a user would.
type page struct {
	t       *testing.T
	ctx     context.Context
	address string
}

// openPage writes a notebook of the given code cells to dir and opens it.
func openPage(t *testing.T, lab, dir string, cells ...string) *page {
	t.Helper()
	var list []any
	for i, source := range cells {
		list = append(list, map[string]any{"cell_type": "code", "id": fmt.Sprint("cell", i), "metadata": map[string]any{}, "source": source,
			"outputs": []any{}, "execution_count": nil})
	}
	nb, err := json.Marshal(map[string]any{"nbformat": 4, "nbformat_minor": 5, "cells": list, "metadata": map[string]any{
		"kernelspec": map[string]any{"name": "gomosaic", "display_name": "Go (gomosaic)", "language": "go"}}})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "page.ipynb"), nb, 0o666); err != nil {
		t.Fatal(err)
	}
	p := &page{t: t, ctx: newBrowser(t), address: lab + "lab/tree/page.ipynb?token=test"}
	p.load()
	go func() { // Lab asks whether to leave a page with changes
		for _, err := range chromedp.Events(p.ctx, cdppage.JavascriptDialogOpening) {
			if err != nil {
				return
			}
			if _, err := chromedp.Call(p.ctx, cdppage.HandleJavaScriptDialog, cdppage.HandleJavaScriptDialogParams{Accept: true}); err != nil {
				return
			}
		}
	}()
	return p
}

// load opens the page, or opens it again while it is open, and waits for its kernel.
func (p *page) load() {
	p.t.Helper()
	if err := chromedp.Do(p.ctx, chromedp.Navigate(p.address), chromedp.WaitVisible(".jp-Notebook .cm-content")); err != nil {
		p.t.Fatal(err)
	}
	p.until("the kernel is connected", "fetch('/api/kernels').then(r => r.json()).then(all => all.some(k => k.connections > 0 && k.execution_state != 'starting'))")
	p.until("the page knows its kernel", "document.querySelector('.jp-KernelName')?.innerText.includes('Go (gomosaic)')")
}

// until waits for a condition of the page.
func (p *page) until(what, condition string) {
	p.t.Helper()
	deadline := time.Now().Add(time.Minute)
	for !evaluate[bool](p.t, p.ctx, "(async () => Boolean(await ("+condition+")))()") {
		if time.Now().After(deadline) {
			p.shot("failed")
			p.t.Fatalf("not within a minute: %s; the notebook shows\n%s", what, evaluate[string](p.t, p.ctx, "document.querySelector('.jp-Notebook').innerText"))
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// shot keeps a picture of the page in out/screenshots.
func (p *page) shot(name string) {
	p.t.Helper()
	picture, err := chromedp.Run(p.ctx, chromedp.CaptureScreenshot())
	if err == nil {
		err = os.WriteFile(filepath.Join("out", "screenshots", "kernel-"+name+".png"), picture, 0o666)
	}
	if err != nil {
		p.t.Error(err)
	}
}

// cellAt is the JavaScript for a cell's element.
func cellAt(i int) string {
	return fmt.Sprintf("document.querySelectorAll('.jp-Notebook .jp-CodeCell')[%d]", i)
}

// click puts the cursor at the end of a cell; it clicks again where outputs that arrived have moved the cell away.
func (p *page) click(i int) {
	p.t.Helper()
	p.until(fmt.Sprintf("cell %d is there", i), cellAt(i)+"?.querySelector('.cm-content')")
	for range 20 {
		at := evaluate[struct{ X, Y float64 }](p.t, p.ctx, "(() => { const cell = "+cellAt(i)+
			"; cell.scrollIntoView({block: 'nearest'}); const r = cell.querySelector('.cm-content').getBoundingClientRect(); return {X: r.right - 200, Y: r.bottom - 10}; })()")
		if err := chromedp.Do(p.ctx, chromedp.MouseClickXY(at.X, at.Y)); err != nil {
			p.t.Fatal(err)
		}
		time.Sleep(100 * time.Millisecond)
		if evaluate[bool](p.t, p.ctx, cellAt(i)+".querySelector('.cm-content').contains(document.activeElement)") {
			return
		}
	}
	p.shot("failed")
	p.t.Fatalf("cell %d takes no focus", i)
}

// keys types.
func (p *page) keys(text string, modifiers ...chromedp.KeyOption) {
	p.t.Helper()
	if err := chromedp.Do(p.ctx, chromedp.KeyEvent(text, modifiers...)); err != nil {
		p.t.Fatal(err)
	}
}

var shift = chromedp.KeyModifiers(chromedp.ModifierShift)

// run executes a cell by Shift-Enter.
func (p *page) run(i int) {
	p.t.Helper()
	p.click(i)
	evaluate[bool](p.t, p.ctx, cellAt(i)+".querySelectorAll('.jp-OutputArea-child').forEach(o => o.dataset.old = true) ?? true")
	p.keys(kb.Enter, shift)
}

// shows waits until a cell's output holds the text, that of its last run, and the cell has ended.
func (p *page) shows(i int, text string) {
	p.t.Helper()
	p.until(fmt.Sprintf("cell %d shows %q", i, text), fmt.Sprintf("[...%s.querySelectorAll('.jp-OutputArea-child:not([data-old])')].some(o => o.innerText.includes(%q)) && !%s.innerText.includes('[*]')",
		cellAt(i), text, cellAt(i)))
}

// chord types two keys that are a command until its effect is there: Lab forgets the first one after a second, which a busy machine may
// need for both.
func (p *page) chord(keys, what, effect string) {
	p.t.Helper()
	p.keys(kb.Escape) // command mode
	for range 5 {
		p.keys(keys)
		for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
			if evaluate[bool](p.t, p.ctx, "Boolean("+effect+")") {
				return
			}
		}
	}
	p.until(what, effect)
}

// kernels are the processes `gomosaic kernel` that a process has started.
func kernels(t *testing.T, parent int) (pids []int) {
	t.Helper()
	stats, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		t.Fatal(err)
	}
	for _, stat := range stats {
		b, err := os.ReadFile(stat)
		if err != nil {
			continue // it has ended
		}
		command, _ := os.ReadFile(filepath.Join(filepath.Dir(stat), "cmdline"))
		fields := strings.Fields(string(b[bytes.LastIndexByte(b, ')')+1:]))
		if fields[1] == strconv.Itoa(parent) && fields[0] != "Z" && bytes.Contains(command, []byte("gomosaic\x00kernel\x00")) {
			pid, err := strconv.Atoi(filepath.Base(filepath.Dir(stat)))
			if err != nil {
				t.Fatal(err)
			}
			pids = append(pids, pid)
		}
	}
	return pids
}

// TestKernelInBrowser does by mouse and keyboard in JupyterLab what users do with a kernel: run, interrupt, complete, look
// up, lose the process of the cells, reload the page while a cell runs, restart, lose the kernel. The screenshots stay in
// out/screenshots.
func TestKernelInBrowser(t *testing.T) {
	if err := os.MkdirAll(filepath.Join("out", "screenshots"), 0o777); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	lab, server := startLab(t, dir)
	const (
		first = iota
		endless
		again
		typed
		deadly
		after
		ticking
		last
	)
	p := openPage(t, lab, dir, []string{
		first: "import (\"fmt\"; \"os\"; \"time\")\nanswer := 42\nfmt.Println(\"answer\", answer)", endless: "for {}", again: "answer + 1", typed: "",
		deadly: "os.Exit(3)", after: "fmt.Sprint(\"fresh \", 6*7)", ticking: "for i := 0; ; i++ {\n\tfmt.Println(\"tick\", i)\n\ttime.Sleep(100*time.Millisecond)\n\tif _, err := os.Stat(\"enough\"); err == nil {\n\t\tbreak\n\t}\n}\nticked := \"all\"",
		last: "ticked + \" of them\"",
	}...)

	p.run(first)
	p.shows(first, "answer 42")

	p.run(endless)
	p.until("the cell runs", cellAt(endless)+".innerText.includes('[*]')")
	time.Sleep(time.Second)
	p.chord("ii", "the cell is interrupted", "!"+cellAt(endless)+".innerText.includes('[*]')")
	p.shows(endless, "interrupted")
	p.run(again)
	p.shows(again, "43") // the state is kept
	p.shot("interrupt")

	p.click(typed)
	p.keys("fmt.Spri")
	p.keys(kb.Tab)
	p.until("the completer lists functions", "[...document.querySelectorAll('.jp-Completer-item')].some(e => e.innerText.includes('Sprintf') && e.innerText.includes('function'))")
	p.shot("completion")
	if err := chromedp.Do(p.ctx, chromedp.Click(".jp-Completer-item:first-child")); err != nil {
		t.Fatal(err)
	}
	p.until("the match is in the cell", cellAt(typed)+".querySelector('.cm-content').innerText.trim() == 'fmt.Sprint' && !document.querySelector('.jp-Completer:not(.lm-mod-hidden)')")
	p.click(typed)
	p.keys("(")
	p.keys(kb.Tab, shift)
	p.until("the tooltip shows Markdown", `(() => { const tip = document.querySelector('.jp-Tooltip .jp-RenderedMarkdown'); return tip
		&& tip.querySelector('pre')?.innerText.includes('func Sprint(a ...any) string') && tip.innerText.includes('Example'); })()`)
	p.shot("tooltip")
	p.keys(kb.Escape)

	p.run(deadly)
	p.shows(deadly, "exit status 3")
	p.run(after) // the kernel is still there, with a fresh process
	p.shows(after, "fresh 42")
	p.shot("host-died")

	p.run(first) // its imports; the state was gone
	p.shows(first, "answer 42")
	p.run(ticking)
	p.until("the cell ticks", cellAt(ticking)+".innerText.includes('tick 3')")
	p.load()
	p.until("the running cell is known to the reloaded page", "document.querySelector('.jp-Notebook-ExecutionIndicator').dataset.status == 'busy'")
	p.run(last)
	p.until("the cell waits for the one that runs", cellAt(last)+".innerText.includes('[*]')")
	if err := os.WriteFile(filepath.Join(dir, "enough"), nil, 0o666); err != nil {
		t.Fatal(err)
	}
	p.shows(last, "all of them")
	p.shot("reload")

	p.chord("00", "Lab asks", "document.querySelector('.jp-Dialog')?.innerText.includes('Restart')")
	p.keys(kb.Enter)
	p.until("the question is gone", "!document.querySelector('.jp-Dialog')")
	p.run(again)
	p.shows(again, "undefined: answer")

	for _, pid := range kernels(t, server) {
		if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
	}
	p.until("Lab tells of the kernel's death", "document.querySelector('.jp-Dialog')?.innerText.includes('died')")
	p.shot("kernel-died")
	p.keys(kb.Enter)
	p.until("the message is gone", "!document.querySelector('.jp-Dialog')")
	p.run(first) // the server has started another
	p.shows(first, "answer 42")
}
