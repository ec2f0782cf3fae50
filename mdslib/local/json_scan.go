package local

// JSON text taken apart where it lies, without decoding what nobody asks for. All of it assumes text that json.Valid accepts.

import (
	"bytes"
	"encoding/json"
	"unicode/utf8"
)

// eachMember calls fn for the members of an object, or returns false for another value. The slices are the text's own; a
// name that has escapes is decoded.
func eachMember(text []byte, fn func(name, value []byte)) bool {
	text = skipJSONSpace(text)
	if len(text) == 0 || text[0] != '{' {
		return false
	}
	text = skipJSONSpace(text[1:])
	for text[0] != '}' {
		n := jsonEnd(text)
		name := text[1 : n-1]
		if bytes.IndexByte(name, '\\') >= 0 {
			var s string
			if json.Unmarshal(text[:n], &s) == nil {
				name = []byte(s)
			}
		}
		text = skipJSONSpace(skipJSONSpace(text[n:])[1:]) // the colon
		n = jsonEnd(text)
		fn(name, text[:n])
		if text = skipJSONSpace(text[n:]); text[0] == ',' {
			text = skipJSONSpace(text[1:])
		}
	}
	return true
}

// eachElement calls fn for the elements of an array, or returns false for another value.
func eachElement(text []byte, fn func(value []byte)) bool {
	text = skipJSONSpace(text)
	if len(text) == 0 || text[0] != '[' {
		return false
	}
	text = skipJSONSpace(text[1:])
	for text[0] != ']' {
		n := jsonEnd(text)
		fn(text[:n])
		if text = skipJSONSpace(text[n:]); text[0] == ',' {
			text = skipJSONSpace(text[1:])
		}
	}
	return true
}

func skipJSONSpace(text []byte) []byte {
	for len(text) > 0 && (text[0] == ' ' || text[0] == '\t' || text[0] == '\n' || text[0] == '\r') {
		text = text[1:]
	}
	return text
}

// jsonEnd is where the value ends that text begins with.
func jsonEnd(text []byte) int {
	depth := 0
	for i := 0; i < len(text); i++ {
		switch text[i] {
		case '"':
			for i++; text[i] != '"'; i++ {
				if text[i] == '\\' {
					i++
				}
			}
			if depth == 0 {
				return i + 1
			}
		case '{', '[':
			depth++
		case '}', ']':
			if depth == 0 { // behind a number or a word
				return i
			}
			if depth--; depth == 0 {
				return i + 1
			}
		case ',', ' ', '\t', '\n', '\r':
			if depth == 0 {
				return i
			}
		}
	}
	return len(text)
}

// jsonText is the text of a string, or false for another value.
func jsonText(raw []byte) (string, bool) {
	if len(raw) == 0 || raw[0] != '"' {
		return "", false
	}
	if inner := raw[1 : len(raw)-1]; bytes.IndexByte(inner, '\\') < 0 && utf8.Valid(inner) {
		return string(inner), true
	}
	var s string
	return s, json.Unmarshal(raw, &s) == nil
}
