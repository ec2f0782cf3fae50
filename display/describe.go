package display

// describer takes a value apart into nodes of text. Made and used by Text and Summary.

import (
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
	"unsafe"
)

// describer holds the limits of one description.
type describer struct {
	left     int // nodes that may still be made
	elements int // of the outermost slice or map
	above    map[visit]bool
	aside    bool // see Glimpse: no method of the user's, no unexported field of other packages
	noMaps   bool // maps may be written to meanwhile
}

// visit is a pointer, map or slice whose content is being described.
type visit struct {
	pointer uintptr
	length  int
	typ     reflect.Type
}

func leaf(text string) node { return node{text: text} }

// describe makes the node of a value; depth is 0 for the outermost.
func (d *describer) describe(v reflect.Value, depth int) node {
	if d.left--; d.left < 0 || depth > textDepth {
		return leaf("…")
	}
	if !v.IsValid() {
		return leaf("<nil>")
	}
	if n, ok := d.synchronised(v, depth); ok {
		return n
	}
	if text, ok := d.own(v, depth); ok {
		return leaf(text)
	}
	switch v.Kind() {
	case reflect.String:
		if depth == 0 {
			return leaf(clip(v.String(), textBytes))
		}
		return leaf(strconv.Quote(clip(v.String(), 1000)))
	case reflect.Pointer:
		return d.pointer(v, depth)
	case reflect.Interface:
		if v.IsNil() {
			return leaf("<nil>")
		}
		d.left++ // the interface itself is not seen
		return d.describe(v.Elem(), depth)
	case reflect.Struct:
		return d.structure(v, depth)
	case reflect.Slice, reflect.Array:
		return d.list(v, depth)
	case reflect.Map:
		return d.mapping(v, depth)
	case reflect.Func:
		if v.IsNil() {
			return leaf("<nil>")
		}
		return leaf(typeName(v.Type()))
	case reflect.Chan:
		if v.IsNil() {
			return leaf("<nil>")
		}
		return leaf(fmt.Sprintf("%s (%d of %d)", typeName(v.Type()), v.Len(), v.Cap()))
	case reflect.UnsafePointer:
		return leaf(fmt.Sprintf("%#x", v.Pointer()))
	}
	return leaf(scalar(v))
}

// scalar writes a number or truth value, whatever methods its type has.
func scalar(v reflect.Value) string {
	switch {
	case v.Kind() == reflect.Uintptr:
		return fmt.Sprintf("%#x", v.Uint())
	case v.CanInt():
		return strconv.FormatInt(v.Int(), 10)
	case v.CanUint():
		return strconv.FormatUint(v.Uint(), 10)
	case v.Kind() == reflect.Float32:
		return fmt.Sprint(float32(v.Float()))
	case v.CanFloat():
		return fmt.Sprint(v.Float())
	case v.Kind() == reflect.Complex64:
		return fmt.Sprint(complex64(v.Complex()))
	case v.CanComplex():
		return fmt.Sprint(v.Complex())
	}
	return strconv.FormatBool(v.Bool())
}

// quick are packages whose String and Error methods take no time and change nothing.
var quick = []string{"time", "errors", "math/big", "net/url", "io/fs"}

func isQuick(t reflect.Type) bool {
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	return slices.Contains(quick, t.PkgPath())
}

// own is what the value says of itself by an Error, String or Format method, its own or a pointer's to it, as fmt has it.
func (d *describer) own(v reflect.Value, depth int) (text string, ok bool) {
	if !v.CanInterface() || v.Kind() == reflect.Interface {
		return "", false
	}
	if v.Kind() == reflect.Pointer && v.IsNil() {
		return "<nil>", true
	}
	if d.aside && !isQuick(v.Type()) {
		return "", false
	}
	x := v.Interface()
	if !speaks(x) && v.Kind() != reflect.Pointer && speaks(reflect.Zero(reflect.PointerTo(v.Type())).Interface()) {
		x = pointerTo(v).Interface() // big.Int, url.URL, strings.Builder
	}
	if depth > 0 && speaks(x) && strings.Contains(typeName(v.Type()), ".") {
		switch x.(type) {
		case HTMLer, TryRenderer:
			return typeName(v.Type()), true // a package's table or chart: its text has many lines, and may take long
		}
	}
	switch x := x.(type) {
	case time.Time: // String has the reading of the monotonic clock behind it
		return x.Format("2006-01-02 15:04:05.999999999 -0700 MST"), true
	case error, fmt.Stringer, fmt.Formatter:
		text = fmt.Sprint(x) // it tells of a method that panics
	default:
		return "", false
	}
	if depth > 0 {
		return clip(text, 1000), true
	}
	return clip(text, textBytes), true
}

// speaks tells whether a value has one of the methods by which fmt prints it.
func speaks(x any) bool {
	switch x.(type) {
	case error, fmt.Stringer, fmt.Formatter:
		return true
	}
	return false
}

// pointerTo is the value's address, or that of a copy.
func pointerTo(v reflect.Value) reflect.Value {
	if v.CanAddr() {
		return v.Addr()
	}
	p := reflect.New(v.Type())
	p.Elem().Set(v)
	return p
}

// enter notes that the content of a pointer, map or slice is being described; ok is false if it is already.
func (d *describer) enter(v reflect.Value) (leave func(), ok bool) {
	at := visit{pointer: v.Pointer(), typ: v.Type()}
	if v.Kind() == reflect.Slice {
		at.length = v.Len()
	}
	if d.above[at] {
		return nil, false
	}
	d.above[at] = true
	return func() { delete(d.above, at) }, true
}

func (d *describer) pointer(v reflect.Value, depth int) node {
	if v.IsNil() {
		return leaf("<nil>")
	}
	leave, ok := d.enter(v)
	if !ok {
		return leaf("↺")
	}
	defer leave()
	n := d.describe(v.Elem(), max(depth, 1))
	if n.open != "" {
		n.open = "&" + n.open
	} else {
		n.text = "&" + n.text
	}
	return n
}

func (d *describer) structure(v reflect.Value, depth int) node {
	n := node{open: typeName(v.Type()) + "{", close: "}"}
	if v.CanInterface() && !v.CanAddr() { // fields of package main, which a notebook's types are in, describe themselves too
		p := reflect.New(v.Type()).Elem()
		p.Set(v)
		v = p
	}
	for i := range v.NumField() {
		if d.left <= 0 {
			n.items = append(n.items, leaf("…"))
			break
		}
		field := v.Field(i)
		if v.Type().Field(i).Name == "_" || v.Type().Field(i).Type.Name() == "noCopy" {
			continue // padding, and a mark for go vet
		}
		if f := v.Type().Field(i); d.aside && !f.IsExported() && !isOwn(f.PkgPath) {
			if k := len(n.items); k == 0 || n.items[k-1].text != "…" {
				n.items = append(n.items, leaf("…"))
			}
			continue
		}
		if v.Type().Field(i).PkgPath == "main" && v.CanAddr() {
			field = reflect.NewAt(field.Type(), unsafe.Pointer(field.UnsafeAddr())).Elem()
		}
		item := d.describe(field, depth+1)
		item.label = v.Type().Field(i).Name + ":" + item.label
		n.items = append(n.items, item)
	}
	return n
}

// isOwn tells the packages of cells from others.
func isOwn(path string) bool { return path == "main" || strings.HasPrefix(path, "nb/c") }

// limit is how many of n elements are shown at the head and at the tail.
func (d *describer) limit(n, depth int) (head, tail int) {
	most := textInner
	if depth == 0 {
		most = d.elements
	}
	if most = min(most, d.elements, max(d.left, 1)); n <= most {
		return n, 0
	}
	tail = min(most/4, 5)
	return most - tail, tail
}

func (d *describer) list(v reflect.Value, depth int) node {
	if v.Type().Elem().Kind() == reflect.Uint8 {
		return d.bytes(v, depth)
	}
	if v.Kind() == reflect.Slice && v.Len() > 0 {
		leave, ok := d.enter(v)
		if !ok {
			return leaf("↺")
		}
		defer leave()
	}
	n := node{open: "[", close: "]", leaves: true}
	add := func(i int) {
		item := d.describe(v.Index(i), depth+1)
		n.leaves = n.leaves && item.open == "" && !strings.Contains(item.text, "\n")
		n.items = append(n.items, item)
	}
	head, tail := d.limit(v.Len(), depth)
	for i := range head {
		add(i)
	}
	if head+tail < v.Len() {
		n.items = append(n.items, leaf("…"))
		n.note = "(" + groupDigits(v.Len()) + " elements)"
	}
	for i := v.Len() - tail; i < v.Len(); i++ {
		add(i)
	}
	return n
}

// bytes shows text as a string and all else as numbers in hexadecimal.
func (d *describer) bytes(v reflect.Value, depth int) node {
	const most = 64
	name, size := typeName(v.Type()), v.Len()
	if v.Type() == reflect.TypeFor[[]byte]() {
		name = "[]byte"
	}
	raw := make([]byte, min(size, textBytes))
	for i := range raw {
		raw[i] = byte(v.Index(i).Uint())
	}
	note := ""
	if size > len(raw) || !isText(raw) && size > most || depth > 0 && size > 1000 {
		note = "(" + groupDigits(size) + " bytes)"
	}
	if isText(raw) {
		if depth > 0 {
			raw = raw[:min(len(raw), 1000)]
		}
		return node{open: name + "(", items: []node{leaf(strconv.Quote(string(raw)))}, close: ")", note: note}
	}
	n := node{open: name + "{", close: "}", leaves: true, note: note}
	for _, b := range raw[:min(size, most)] {
		n.items = append(n.items, leaf(fmt.Sprintf("0x%02x", b)))
	}
	if size > most {
		n.items = append(n.items, leaf("…"))
	}
	return n
}

// isText tells whether bytes read as text; the last rune may be cut.
func isText(raw []byte) bool {
	for len(raw) > 0 {
		r, size := utf8.DecodeRune(raw)
		if r == utf8.RuneError && size == 1 {
			return len(raw) < utf8.UTFMax && !utf8.FullRune(raw)
		}
		if !unicode.IsPrint(r) && !unicode.IsSpace(r) {
			return false
		}
		raw = raw[size:]
	}
	return true
}

func (d *describer) mapping(v reflect.Value, depth int) node {
	n := node{open: "map[", close: "]"}
	if d.noMaps {
		n.items = append(n.items, leaf("…"))
		n.note = "(not read while goroutines of cells run)"
		return n
	}
	if v.Len() == 0 {
		return n
	}
	leave, ok := d.enter(v)
	if !ok {
		return leaf("↺")
	}
	defer leave()
	head, tail := d.limit(v.Len(), depth)
	for _, e := range firstEntries(v, head+tail) {
		key := d.describe(e.key, depth+1).line()
		item := d.describe(e.value, depth+1)
		item.label = key + ":" + item.label
		n.items = append(n.items, item)
	}
	if head+tail < v.Len() {
		n.items = append(n.items, leaf("…"))
		n.note = "(" + groupDigits(v.Len()) + " entries)"
	}
	return n
}

// typeName is a type as its user writes it: without the name of the package that a program's own types have, or those
// of compiled cells.
func typeName(t reflect.Type) string {
	if t.Name() == "" && t.Kind() == reflect.Struct {
		return "struct"
	}
	name := t.String()
	for _, own := range []string{"Ꞷmain.", "main."} {
		for i := 0; ; {
			at := strings.Index(name[i:], own)
			if at < 0 {
				break
			}
			i += at
			if before, _ := utf8.DecodeLastRuneInString(name[:i]); unicode.IsLetter(before) || unicode.IsDigit(before) || before == '_' {
				i += len(own)
			} else {
				name = name[:i] + name[i+len(own):]
			}
		}
	}
	return name
}
