package echarts

// Engine: the library in a JavaScript interpreter, drawing to strings. Used by renderer.go.

import (
	"errors"
	"fmt"
	"hash/crc32"
	"regexp"
	"sync"
	"time"

	"github.com/dop251/goja"
)

// drawLimit ends a drawing that does not come back: options may hold functions.
const drawLimit = 20 * time.Second

// engine holds one runtime, which is not safe for concurrent use: drawings queue. It loads
// with the first one, a fifth of a second and 16 MB.
type engine struct {
	mu   sync.Mutex
	vm   *goja.Runtime
	draw goja.Callable
}

// program is compiled once: a runtime that had to be thrown away comes back quickly.
var program = sync.OnceValues(func() (*goja.Program, error) {
	return goja.Compile(ScriptName, string(Script()), false)
})

// The library asks for nothing of a browser but these; drawing to a string sets no timers.
const prelude = `var console = {log(){}, info(){}, debug(){}, warn(){}, error(m){ console.failed = String(m) }};
function setTimeout(){ return 0 } function clearTimeout(){}`

// Hovering and animation have no place in a picture: with animation the first frame, which is
// empty, would be drawn.
const drawing = `(function(option, width, height) {
	option.animation = false; option.tooltip = undefined; option.toolbox = undefined;
	[].concat(option.series || []).forEach(function(s) { s.silent = true; s.animation = false });
	console.failed = '';
	var chart = echarts.init(null, null, {renderer: 'svg', ssr: true, width: width, height: height});
	try { chart.setOption(option); var svg = chart.renderToSVGString() } finally { chart.dispose() }
	return [svg, console.failed];
})`

func (e *engine) load() error {
	if e.vm != nil {
		return nil
	}
	library, err := program()
	if err != nil {
		return fmt.Errorf("echarts: %w", err)
	}
	vm := goja.New()
	if _, err := vm.RunString(prelude); err != nil {
		return fmt.Errorf("echarts: %w", err)
	}
	if _, err := vm.RunProgram(library); err != nil {
		return fmt.Errorf("echarts: %s: %w", ScriptName, err)
	}
	f, err := vm.RunString(drawing)
	if err != nil {
		return fmt.Errorf("echarts: %w", err)
	}
	draw, ok := goja.AssertFunction(f)
	if !ok {
		return errors.New("echarts: no drawing function")
	}
	e.vm, e.draw = vm, draw
	return nil
}

// svg draws an option, a JavaScript expression. The SVG has no styles and no scripts, and
// its ids are its own, so that several can stand in one page.
func (e *engine) svg(option string, width, height int) (string, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if err := e.load(); err != nil {
		return "", err
	}
	vm := e.vm
	stop := time.AfterFunc(drawLimit, func() { vm.Interrupt(fmt.Sprintf("not drawn within %v", drawLimit)) })
	defer stop.Stop()
	value, err := vm.RunString("(" + option + ")")
	if err != nil {
		e.vm = nil // an interrupted or half-changed runtime is not used again
		return "", fmt.Errorf("echarts: option: %w", err)
	}
	result, err := e.draw(goja.Undefined(), value, vm.ToValue(width), vm.ToValue(height))
	if err != nil {
		e.vm = nil
		return "", fmt.Errorf("echarts: drawing: %w", err)
	}
	parts, ok := result.Export().([]any)
	if !ok || len(parts) != 2 {
		return "", fmt.Errorf("echarts: drawing gave %T", result.Export())
	}
	if failed, _ := parts[1].(string); failed != "" {
		return "", fmt.Errorf("echarts: drawing: %s", failed)
	}
	svg, _ := parts[0].(string)
	return own(svg), nil
}

var (
	// Hover classes zr0-cls-1 of one picture would reach into the next one.
	needless = regexp.MustCompile(`(?s) pointer-events="visible"| class="zr\d+-cls-\d+"| xml:space="preserve"| version="1.1"| baseProfile="full"|<style >.*?</style>\n?|<style>.*?</style>\n?`)
	ids      = regexp.MustCompile(`(id="|url\(#|href="#)zr\d+-`)
)

// own takes out what only a page of its own needs, and names the ids by the content.
func own(svg string) string {
	svg = needless.ReplaceAllString(svg, "")
	return ids.ReplaceAllString(svg, fmt.Sprintf("${1}gm%08x-", crc32.ChecksumIEEE([]byte(svg))))
}
