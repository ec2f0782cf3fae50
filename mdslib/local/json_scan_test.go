package local

import (
	"encoding/json"
	"reflect"
	"testing"
)

// FuzzJSONScan holds the scanner to encoding/json: the same members and elements of every text that is valid.
func FuzzJSONScan(f *testing.F) {
	for _, seed := range []string{`{}`, `[]`, ` { "a" : 1 , "b":[1,{"x":"]}\""}], "c" : null }`, `[1, "a,b", [2], {"k":3}]`, `{"a":1,"a":2}`, `{"\u0061b\"": "\\"}`, `5`, `"x"`, `[[[]],{}]`, "{\"\xff\":true}"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if !json.Valid([]byte(text)) {
			return
		}
		var object map[string]json.RawMessage
		members := map[string]json.RawMessage{}
		isObject := eachMember([]byte(text), func(name, value []byte) {
			members[string(name)] = value
		})
		if err := json.Unmarshal([]byte(text), &object); (err == nil && object != nil) != isObject {
			t.Fatalf("an object: %t, %v", isObject, err)
		}
		if isObject && len(members) >= len(object) { // names that aren't UTF-8 stay apart
			for name, want := range object {
				if got, ok := members[name]; ok && string(got) != string(want) {
					t.Errorf("%q is %s, want %s", name, got, want)
				}
			}
		} else if isObject {
			t.Errorf("%d members, want %d", len(members), len(object))
		}
		var list []json.RawMessage
		elements := []json.RawMessage{}
		isArray := eachElement([]byte(text), func(value []byte) { elements = append(elements, value) })
		if err := json.Unmarshal([]byte(text), &list); (err == nil && list != nil) != isArray || isArray && !reflect.DeepEqual(list, elements) {
			t.Errorf("elements %s, want %s, %v", elements, list, err)
		}
		for _, e := range elements {
			var want string
			if got, ok := jsonText(e); ok != (json.Unmarshal(e, &want) == nil && string(e) != "null") || got != want {
				t.Errorf("text %q, want %q", got, want)
			}
		}
	})
}
