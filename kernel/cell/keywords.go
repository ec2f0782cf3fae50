package cell

import "go/token"

// keywords says for each keyword what it does and where the language specification has it.
var keywords = map[string]struct{ form, does, section string }{
	"break":       {"break [Label]", "ends the innermost for, switch or select, or the one with the label", "Break_statements"},
	"case":        {"case x, y:", "is a branch of a switch, or of a select", "Switch_statements"},
	"chan":        {"chan T, <-chan T, chan<- T", "is a channel of values of type T: for both directions, to receive, to send", "Channel_types"},
	"const":       {"const Name [Type] = value", "declares constants; iota counts the lines of a group", "Constant_declarations"},
	"continue":    {"continue [Label]", "starts the next round of the innermost for, or of the one with the label", "Continue_statements"},
	"default":     {"default:", "is the branch of a switch or a select that is taken when no other is", "Switch_statements"},
	"defer":       {"defer f(x)", "calls f when the function around it returns; x is evaluated now", "Defer_statements"},
	"else":        {"if condition { … } else { … }", "is taken when the condition is false", "If_statements"},
	"fallthrough": {"fallthrough", "goes on into the next branch of a switch", "Fallthrough_statements"},
	"for":         {"for condition { … }\nfor i := 0; i < n; i++ { … }\nfor i, v := range x { … }", "repeats; for alone does so until break or return", "For_statements"},
	"func":        {"func name(x, y int) (int, error) { … }", "declares a function, or is one: func() { … }()", "Function_declarations"},
	"go":          {"go f(x)", "calls f in a goroutine of its own; in a notebook it may outlive its cell", "Go_statements"},
	"goto":        {"goto Label", "goes to a label of the same function", "Goto_statements"},
	"if":          {"if [x := f();] condition { … }", "runs its block when the condition is true", "If_statements"},
	"import":      {"import [name] \"path\"", "makes a package known; in a notebook it may stand in any cell and stays in force", "Import_declarations"},
	"interface":   {"interface { Method(x int) error }", "is a type by its methods, or a constraint of a type parameter: interface { ~int | ~float64 }", "Interface_types"},
	"map":         {"map[Key]Value", "is a table; v, ok := m[k] tells whether k is there", "Map_types"},
	"package":     {"package name", "names the package of a file; a cell needs none", "Package_clause"},
	"range":       {"for i, v := range x { … }", "goes over a slice, a string, a map, a channel, an integer or a function", "For_range"},
	"return":      {"return [x, y]", "ends the function with its results", "Return_statements"},
	"select":      {"select { case v := <-c: … }", "waits for the first of several channel operations", "Select_statements"},
	"struct":      {"struct { Name Type }", "is a type with fields; a type without a name is embedded", "Struct_types"},
	"switch":      {"switch [x := f();] x { case 1: … }\nswitch v := x.(type) { case int: … }", "takes the first branch that fits a value, or a type", "Switch_statements"},
	"type":        {"type Name[T any] struct { … }", "declares a type", "Type_declarations"},
	"var":         {"var name [Type] [= value]", "declares variables; name := value does so too", "Variable_declarations"},
}

// keywordDescription describes a keyword.
func keywordDescription(name string) (Description, bool) {
	k, ok := keywords[name]
	if !ok || !token.IsKeyword(name) {
		return Description{}, false
	}
	text := name + " " + k.does + "."
	return Description{Signature: k.form, Doc: Documentation{Text: text, Markdown: text, Link: "https://go.dev/ref/spec#" + k.section}}, true
}
