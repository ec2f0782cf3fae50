package host

import (
	"fmt"
	"os"
	"reflect"
	"strings"
	"text/tabwriter"

	"gomosaic/display"
	"gomosaic/kernel/cell"
	"gomosaic/kernel/cell/rt"
)

const (
	whosTypeRunes  = 40
	whosValueRunes = 60
)

// whos prints the session's variables as a table; it is rt.Whos's end in the host.
func (s *server) whos(variables []rt.Variable) {
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 8, 2, ' ', 0)
	fmt.Fprintf(w, "variable\ttype\tsize\tvalue\n")
	shown := 0
	for _, v := range variables {
		s.mu.Lock()
		pointer := s.cells[v.Cell].variables[v.Key]
		s.mu.Unlock()
		if pointer == nil {
			continue
		}
		shown++
		size, text := summary(reflect.ValueOf(pointer).Elem())
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", v.Name, shorten(v.Type, whosTypeRunes), size, text)
	}
	w.Flush()
	if shown == 0 {
		fmt.Fprintln(os.Stdout, "no variables")
		return
	}
	fmt.Fprint(os.Stdout, cell.Demangle(b.String()))
}

// sizeOf is the length of what has one, and blank for the rest.
func sizeOf(v reflect.Value) string {
	for v.Kind() == reflect.Interface && !v.IsNil() {
		v = v.Elem()
	}
	switch v.Kind() {
	case reflect.Slice, reflect.Map, reflect.String, reflect.Array, reflect.Chan:
		return fmt.Sprint(v.Len())
	}
	if x, ok := v.Interface().(interface{ Len() int }); ok && !(v.Kind() == reflect.Pointer && v.IsNil()) {
		return fmt.Sprint(x.Len())
	}
	return ""
}

// summary is a value's size and the value in one line, whatever its methods do.
func summary(v reflect.Value) (size, text string) {
	defer func() {
		if p := rt.Recovered(recover()); p != nil {
			text = "(" + rt.PanicText(p) + ")"
		}
	}()
	return sizeOf(v), display.Summary(v.Interface(), whosValueRunes)
}

func shorten(text string, runes int) string {
	if r := []rune(text); len(r) > runes {
		return string(r[:runes-1]) + "…"
	}
	return text
}
