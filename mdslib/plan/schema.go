package plan

import (
	"fmt"
	"html"
	"strings"
)

// Schema is the columns of a relation, in order.
type Schema struct {
	Fields []Field `json:"fields"`
}

// Names returns the column names in order.
func (s Schema) Names() []string {
	names := make([]string, len(s.Fields))
	for i, f := range s.Fields {
		names[i] = f.Name
	}
	return names
}

// Index returns the position of the column called name: exactly so if there is one, else in another case, as Spark
// resolves names; -1 if there is none. The second result is false where two columns fit.
func (s Schema) Index(name string) (int, bool) {
	found, unique := -1, true
	for i, f := range s.Fields {
		if strings.EqualFold(f.Name, name) {
			if found >= 0 {
				unique = false
			} else {
				found = i
			}
		}
	}
	return found, unique
}

// Resolve returns the position of the column that the parts of a name begin with, and how many of them are its name: two
// where the first is the alias of its table, else one. A position of -1 means that there is none; unique is false where
// two columns fit.
func (s Schema) Resolve(parts []string) (at, used int, unique bool) {
	if len(parts) > 1 {
		at, unique = -1, true
		for i, f := range s.Fields {
			if f.Table != "" && strings.EqualFold(f.Table, parts[0]) && strings.EqualFold(f.Name, parts[1]) {
				if at >= 0 {
					unique = false
				} else {
					at = i
				}
			}
		}
		if at >= 0 {
			return at, 2, unique
		}
	}
	at, unique = s.Index(parts[0])
	return at, 1, unique
}

// String renders the schema as Spark's printSchema does.
func (s Schema) String() string {
	var b strings.Builder
	b.WriteString("root\n")
	for _, f := range s.Fields {
		writeField(&b, " |", f.Name, f.Type, f.Nullable)
	}
	return b.String()
}

// HTML renders the schema for a notebook.
func (s Schema) HTML() string {
	return `<pre style="font-family:var(--jp-code-font-family,monospace);line-height:1.3">` + html.EscapeString(s.String()) + "</pre>"
}

func writeField(b *strings.Builder, prefix, name string, t Type, nullable bool) {
	fmt.Fprintf(b, "%s-- %s: %s (nullable = %t)\n", prefix, name, t.SchemaName(), nullable)
	writeParts(b, prefix+"    |", t)
}

func writeParts(b *strings.Builder, prefix string, t Type) {
	part := func(name string, t Type, note string) {
		fmt.Fprintf(b, "%s-- %s: %s%s\n", prefix, name, t.SchemaName(), note)
		writeParts(b, prefix+"    |", t)
	}
	switch t.Kind {
	case Array:
		part("element", *t.Elem, fmt.Sprintf(" (containsNull = %t)", t.ContainsNull))
	case Map:
		part("key", *t.Key, "")
		part("value", *t.Elem, fmt.Sprintf(" (valueContainsNull = %t)", t.ContainsNull))
	case Struct:
		for _, f := range t.Fields {
			writeField(b, prefix, f.Name, f.Type, f.Nullable)
		}
	}
}
