package cell

// What other languages call what Go has under another name.

import (
	"fmt"
	"go/types"
	"slices"
)

// foreignWords are what other languages call what Go has too.
var foreignWords = map[string]string{
	"None": "nil", "null": "nil", "NULL": "nil", "nullptr": "nil", "undefined": "nil", "True": "true", "False": "false",
	"float": "float64", "double": "float64", "long": "int64", "char": "byte or rune", "str": "string", "String": "string",
	"object": "any", "dict": "map[string]any", "list": "a slice, []T", "vector": "a slice, []T",
	"printf": "fmt.Printf", "printl": "fmt.Println", "Println": "fmt.Println", "Printf": "fmt.Printf", "Sprintf": "fmt.Sprintf",
	"self": "the name in the method's receiver", "this": "the name in the method's receiver",
	"abs": "math.Abs", "sqrt": "math.Sqrt", "sleep": "time.Sleep", "input": "display.Input", "exit": "os.Exit", "type": "%T",
}

// foreignMethods are what other languages' lists, dictionaries and texts have as methods and Go as functions; %s is the value.
var foreignMethods = map[string]map[string]string{
	"list": {"append": "%s = append(%[1]s, value)", "push": "%s = append(%[1]s, value)", "add": "%s = append(%[1]s, value)", "extend": "%s = append(%[1]s, others…)",
		"sort": "slices.Sort(%s)", "reverse": "slices.Reverse(%s)", "contains": "slices.Contains(%s, value)", "includes": "slices.Contains(%s, value)",
		"index": "slices.Index(%s, value)", "map": "for i, v := range %s { … }", "filter": "slices.DeleteFunc(%s, func …)", "forEach": "for i, v := range %s { … }",
		"pop": "%s[len(%[1]s)-1] is the last element, %[1]s[:len(%[1]s)-1] the others", "copy": "slices.Clone(%s)", "join": "strings.Join(%s, separator)"},
	"map": {"keys": "maps.Keys(%s)", "values": "maps.Values(%s)", "items": "for key, value := range %s { … }", "get": "value, ok := %s[key]",
		"pop": "delete(%s, key)", "copy": "maps.Clone(%s)", "update": "maps.Copy(%s, others)", "has": "_, ok := %s[key]"},
	"text": {"upper": "strings.ToUpper(%s)", "lower": "strings.ToLower(%s)", "split": "strings.Split(%s, separator)", "strip": "strings.TrimSpace(%s)", "trim": "strings.TrimSpace(%s)",
		"replace": "strings.ReplaceAll(%s, old, new)", "startswith": "strings.HasPrefix(%s, prefix)", "startsWith": "strings.HasPrefix(%s, prefix)",
		"endswith": "strings.HasSuffix(%s, suffix)", "endsWith": "strings.HasSuffix(%s, suffix)", "contains": "strings.Contains(%s, part)", "find": "strings.Index(%s, part)",
		"join": "strings.Join(list, %s)", "format": "fmt.Sprintf(%s, values…)", "encode": "[]byte(%s)"},
}

func foreignMethod(t types.Type, value, name string) string {
	kind := ""
	switch u := t.Underlying().(type) {
	case *types.Slice, *types.Array:
		kind = "list"
	case *types.Map:
		kind = "map"
	case *types.Basic:
		if u.Info()&types.IsString != 0 {
			kind = "text"
		}
	}
	switch {
	case kind == "":
		return ""
	case slices.Contains([]string{"len", "length", "size", "count", "Len", "Length"}, name):
		return fmt.Sprintf("len(%s)", value)
	case foreignMethods[kind][name] != "":
		return fmt.Sprintf(foreignMethods[kind][name], value)
	}
	return ""
}
