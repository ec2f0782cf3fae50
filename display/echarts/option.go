package echarts

// Option: the description of a chart that ECharts takes, as go-echarts makes it, and its way
// into a script without what it holds becoming script. Made by from_chart.go and from_goecharts.go.

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
)

// option is the decoded JSON of a chart; a function is a string between two marks, as
// go-echarts writes it.
type option map[string]any

const functionMark = "__f__"

// textKeys hold text that comes from data: what looks like a function there is still text.
var textKeys = map[string]bool{"name": true, "value": true, "text": true, "subtext": true, "id": true, "link": true, "sublink": true}

// newOption decodes what go-echarts gives: maps and structs alike become plain values.
func newOption(v any) (option, error) {
	raw, err := json.Marshal(v)
	if err != nil {
		return nil, fmt.Errorf("echarts: option: %w", err)
	}
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	var o option
	if err := d.Decode(&o); err != nil {
		return nil, fmt.Errorf("echarts: option: %w", err)
	}
	return o, nil
}

// expression is the option as a JavaScript expression for use in a <script>: JSON whose
// strings cannot end the script (encoding/json escapes <, >, & and the line separators), and
// functions as they were written, < of a tag or a comment escaped. Only option.function's
// places hold functions.
func (o option) expression() (string, error) {
	nonce := fmt.Sprintf("f%016x-", rand.Uint64())
	var code []string
	var replace func(key string, v any) any
	replace = func(key string, v any) any {
		switch x := v.(type) {
		case option:
			return replace(key, map[string]any(x))
		case map[string]any:
			out := make(map[string]any, len(x))
			for k, e := range x {
				out[k] = replace(k, e)
			}
			return out
		case []any:
			out := make([]any, len(x))
			for i, e := range x {
				if _, text := e.(string); text {
					out[i] = e
				} else {
					out[i] = replace(key, e)
				}
			}
			return out
		case string:
			if !textKeys[key] && strings.HasPrefix(x, functionMark) && strings.HasSuffix(x, functionMark) && len(x) > 2*len(functionMark) {
				code = append(code, x[len(functionMark):len(x)-len(functionMark)])
				return fmt.Sprintf("%s%d", nonce, len(code)-1)
			}
		}
		return v
	}
	raw, err := json.Marshal(replace("", map[string]any(o)))
	if err != nil {
		return "", fmt.Errorf("echarts: option: %w", err)
	}
	if code == nil {
		return string(raw), nil
	}
	pairs := make([]string, 0, 2*len(code))
	for i := len(code) - 1; i >= 0; i-- {
		safe := strings.NewReplacer("</", `<\/`, "<!--", `<\!--`).Replace(code[i])
		pairs = append(pairs, fmt.Sprintf(`"%s%d"`, nonce, i), safe)
	}
	return strings.NewReplacer(pairs...).Replace(string(raw)), nil
}

// object gives the option's part of that name, made if it is missing; of a list, the first one.
func (o option) object(name string) option {
	switch x := o[name].(type) {
	case map[string]any:
		return x
	case option:
		return x
	case []any:
		if len(x) > 0 {
			if first, is := x[0].(map[string]any); is {
				return first
			}
		}
	}
	made := map[string]any{}
	o[name] = made
	return made
}

// list gives the option's parts of that name: all of a list, or the one that is there.
func (o option) list(name string) []option {
	switch x := o[name].(type) {
	case map[string]any:
		return []option{x}
	case []any:
		var parts []option
		for _, e := range x {
			if part, is := e.(map[string]any); is {
				parts = append(parts, part)
			}
		}
		return parts
	}
	return nil
}

// or sets what is not set.
func (o option) or(name string, value any) {
	if _, set := o[name]; !set {
		o[name] = value
	}
}

func (o option) str(name string) string {
	s, _ := o[name].(string)
	return s
}

// alt is the chart in words.
func (o option) alt(kind string) string {
	words := kind + " chart"
	if o == nil {
		return words
	}
	if titles := o.list("title"); len(titles) > 0 && titles[0].str("text") != "" {
		words += " " + titles[0].str("text")
	}
	var names []string
	for _, s := range o.list("series") {
		if n := s.str("name"); n != "" && len(names) < 12 {
			names = append(names, n)
		}
	}
	if len(names) > 0 {
		words += ": " + strings.Join(names, ", ")
	}
	return words
}
