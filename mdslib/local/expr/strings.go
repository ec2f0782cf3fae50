package expr

import (
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"hash/crc32"
	"math"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/cases"
	"golang.org/x/text/language"

	"gomosaic/mdslib/plan"
)

// runeIndex is the byte offset of the n-th character of s.
func runeIndex(s string, n int) int {
	if n <= 0 {
		return 0
	}
	for i := range s {
		if n == 0 {
			return i
		}
		n--
	}
	return len(s)
}

// window turns SQL's 1-based position (negative from the end, 0 as 1) and length into bounds within [0, n].
func window(pos, length int64, n int) (from, to int) {
	start := pos
	switch {
	case pos > 0:
		start = pos - 1
	case pos < 0:
		start = int64(n) + pos
	}
	end := start + length
	if length >= math.MaxInt32 || end > int64(n) {
		end = int64(n)
	}
	start, end = min(max(start, 0), int64(n)), max(end, 0)
	return int(start), int(max(start, end))
}

func substring(s string, pos, length int64) string {
	from, to := window(pos, length, utf8.RuneCountInString(s))
	start := runeIndex(s, from)
	return s[start : start+runeIndex(s[start:], to-from)]
}

func stringFunctions() map[string]function {
	const S, I, B = plan.String, plan.Int, plan.Binary
	ofString := func(fn func(s string) string) function {
		return strict(S, 1, 1, func(a []any) (any, error) { return fn(a[0].(string)), nil }, S)
	}
	test := func(ofText func(s, t string) bool) function {
		return strict(plan.Boolean, 2, 2, func(a []any) (any, error) { return ofText(a[0].(string), a[1].(string)), nil }, S)
	}
	length := function{1, 1, func(b *binder, args []*node) (*node, error) {
		if args[0].typ.Kind == B {
			return strictNode(plan.Of(I), args, func(a []any) (any, error) { return int32(len(a[0].([]byte))), nil }), nil
		}
		return strict(I, 1, 1, func(a []any) (any, error) { return int32(utf8.RuneCountInString(a[0].(string))), nil }, S).bind(b, args)
	}}
	octets := function{1, 1, func(b *binder, args []*node) (*node, error) {
		if args[0].typ.Kind == B {
			return length.bind(b, args)
		}
		return strict(I, 1, 1, func(a []any) (any, error) { return int32(len(a[0].(string))), nil }, S).bind(b, args)
	}}
	substr := function{2, 3, func(b *binder, args []*node) (*node, error) {
		kind := S
		if args[0].typ.Kind == B {
			kind = B
		}
		args, err := b.params(args, kind, I, I)
		if err != nil {
			return nil, err
		}
		return strictNode(plan.Of(kind), args, func(a []any) (any, error) {
			n := int64(math.MaxInt32)
			if len(a) == 3 {
				n = int64(a[2].(int32))
			}
			if p, ok := a[0].([]byte); ok {
				from, to := window(int64(a[1].(int32)), n, len(p))
				return p[from:to], nil
			}
			return substring(a[0].(string), int64(a[1].(int32)), n), nil
		}), nil
	}}
	// ltrim('x', s) as Spark has it: the characters come first for ltrim and rtrim, second for btrim.
	trimmer := func(charsFirst bool, cut func(s, chars string) string) function {
		return strict(S, 1, 2, func(a []any) (any, error) {
			s, chars := a[0].(string), " "
			if len(a) == 2 {
				if chars = a[1].(string); charsFirst {
					s, chars = chars, s
				}
			}
			return cut(s, chars), nil
		}, S)
	}
	pad := func(left bool) function {
		return strict(S, 2, 3, func(a []any) (any, error) {
			s, n, fill := a[0].(string), int(a[1].(int32)), " "
			if len(a) == 3 {
				fill = a[2].(string)
			}
			have := utf8.RuneCountInString(s)
			if n <= have || fill == "" {
				return s[:runeIndex(s, max(0, min(n, have)))], nil
			}
			if n > maxText {
				return nil, tooLong()
			}
			fill = strings.Repeat(fill, (n-have)/utf8.RuneCountInString(fill)+1)
			fill = fill[:runeIndex(fill, n-have)]
			if left {
				return fill + s, nil
			}
			return s + fill, nil
		}, S, I, S)
	}
	locate := func(needle, s string, from int) int32 {
		if from < 1 {
			return 0
		}
		start := runeIndex(s, from-1)
		if from-1 > utf8.RuneCountInString(s) {
			return 0
		}
		i := strings.Index(s[start:], needle)
		if i < 0 {
			return 0
		}
		return int32(from + utf8.RuneCountInString(s[start:start+i]))
	}
	position := strict(I, 2, 3, func(a []any) (any, error) {
		from := 1
		if len(a) == 3 {
			from = int(a[2].(int32))
		}
		return locate(a[0].(string), a[1].(string), from), nil
	}, S, S, I)
	digest := func(sum func(p []byte) []byte) function {
		return strict(S, 1, 1, func(a []any) (any, error) { return hex.EncodeToString(sum(a[0].([]byte))), nil }, B)
	}
	sha := digest(func(p []byte) []byte { s := sha1.Sum(p); return s[:] })
	char := strict(S, 1, 1, func(a []any) (any, error) {
		n := a[0].(int64)
		if n < 0 {
			return "", nil
		}
		return string(rune(n & 0xff)), nil
	}, plan.Long)
	// Java maps by Unicode's full rules: ß becomes SS, a last Σ becomes ς. A Caser belongs to one goroutine.
	lower := ofString(func(s string) string { return cases.Lower(language.Und).String(s) })
	upper := ofString(func(s string) string { return cases.Upper(language.Und).String(s) })
	return map[string]function{
		"lower": lower, "lcase": lower, "upper": upper, "ucase": upper,
		"length": length, "len": length, "char_length": length, "character_length": length,
		"octet_length": octets,
		"bit_length": {1, 1, func(b *binder, args []*node) (*node, error) {
			n, err := octets.bind(b, args)
			if err != nil {
				return nil, err
			}
			return strictNode(plan.Of(I), []*node{n}, func(a []any) (any, error) { return a[0].(int32) * 8, nil }), nil
		}},
		"substring": substr, "substr": substr,
		"left": strict(S, 2, 2, func(a []any) (any, error) {
			return substring(a[0].(string), 1, int64(max(a[1].(int32), 0))), nil
		}, S, I),
		"right": strict(S, 2, 2, func(a []any) (any, error) {
			s, n := a[0].(string), int(a[1].(int32))
			if n <= 0 {
				return "", nil
			}
			return s[runeIndex(s, utf8.RuneCountInString(s)-n):], nil
		}, S, I),
		"trim":  trimmer(false, strings.Trim),
		"btrim": trimmer(false, strings.Trim),
		"ltrim": trimmer(true, strings.TrimLeft),
		"rtrim": trimmer(true, strings.TrimRight),
		"lpad":  pad(true), "rpad": pad(false),
		"concat": {0, -1, concat},
		"concat_ws": {1, -1, func(b *binder, args []*node) (*node, error) {
			return concatWS(b, args)
		}},
		"replace": strict(S, 2, 3, func(a []any) (any, error) {
			with := ""
			if len(a) == 3 {
				with = a[2].(string)
			}
			if a[1] == "" {
				return a[0], nil
			}
			return strings.ReplaceAll(a[0].(string), a[1].(string), with), nil
		}, S),
		"repeat": strict(S, 2, 2, func(a []any) (any, error) {
			s, n := a[0].(string), int(max(a[1].(int32), 0))
			if len(s)*n > maxText {
				return nil, tooLong()
			}
			return strings.Repeat(s, n), nil
		}, S, I),
		"space": strict(S, 1, 1, func(a []any) (any, error) {
			n := int(max(a[0].(int32), 0))
			if n > maxText {
				return nil, tooLong()
			}
			return strings.Repeat(" ", n), nil
		}, I),
		"initcap": ofString(func(s string) string {
			start := true
			return strings.Map(func(r rune) rune {
				first := start
				start = r == ' '
				if first {
					return unicode.ToTitle(r)
				}
				return unicode.ToLower(r)
			}, s)
		}),
		"instr":  strict(I, 2, 2, func(a []any) (any, error) { return locate(a[1].(string), a[0].(string), 1), nil }, S),
		"locate": position, "position": position,
		"startswith": test(strings.HasPrefix), "endswith": test(strings.HasSuffix), "contains": test(strings.Contains),
		"split_part": strict(S, 3, 3, func(a []any) (any, error) {
			s, sep, n := a[0].(string), a[1].(string), int(a[2].(int32))
			parts := []string{s}
			if sep != "" {
				parts = strings.Split(s, sep)
			}
			switch {
			case n == 0:
				return nil, fail("INVALID_INDEX_OF_ZERO", "split_part counts from 1 (or from -1 at the end), not from 0")
			case n < 0:
				n += len(parts) + 1
			}
			if n < 1 || n > len(parts) {
				return "", nil
			}
			return parts[n-1], nil
		}, S, S, I),
		"substring_index": strict(S, 3, 3, func(a []any) (any, error) {
			s, sep, n := a[0].(string), a[1].(string), int(a[2].(int32))
			if n == 0 || sep == "" {
				return "", nil
			}
			parts := strings.Split(s, sep)
			if n > 0 {
				return strings.Join(parts[:min(n, len(parts))], sep), nil
			}
			return strings.Join(parts[max(0, len(parts)+n):], sep), nil
		}, S, S, I),
		"ascii": strict(I, 1, 1, func(a []any) (any, error) {
			if a[0] == "" {
				return int32(0), nil
			}
			r, _ := utf8.DecodeRuneInString(a[0].(string))
			return int32(r), nil
		}, S),
		"chr": char, "char": char,
		"translate": strict(S, 3, 3, func(a []any) (any, error) {
			from, to := []rune(a[1].(string)), []rune(a[2].(string))
			return strings.Map(func(r rune) rune {
				for i, f := range from {
					if f == r {
						if i < len(to) {
							return to[i]
						}
						return -1
					}
				}
				return r
			}, a[0].(string)), nil
		}, S),
		"base64": strict(S, 1, 1, func(a []any) (any, error) { return base64.StdEncoding.EncodeToString(a[0].([]byte)), nil }, B),
		"unbase64": strict(B, 1, 1, func(a []any) (any, error) {
			p, err := base64.StdEncoding.DecodeString(a[0].(string))
			if err != nil {
				return nil, fail("CONVERSION_INVALID_INPUT", "unbase64: %v", err)
			}
			return p, nil
		}, S),
		"hex": {1, 1, func(b *binder, args []*node) (*node, error) {
			if args[0].typ.Numeric() {
				return strict(S, 1, 1, func(a []any) (any, error) {
					return strings.ToUpper(strconv.FormatUint(uint64(a[0].(int64)), 16)), nil
				}, plan.Long).bind(b, args)
			}
			return strict(S, 1, 1, func(a []any) (any, error) { return strings.ToUpper(hex.EncodeToString(a[0].([]byte))), nil }, B).bind(b, args)
		}},
		"unhex": {1, 1, func(b *binder, args []*node) (*node, error) {
			args, err := b.params(args, S)
			if err != nil {
				return nil, err
			}
			return strictNode(plan.Of(B), args, func(a []any) (any, error) {
				s := a[0].(string)
				p, err := hex.DecodeString(strings.Repeat("0", len(s)%2) + s)
				if err != nil {
					return nil, nil
				}
				return p, nil
			}).orNull(true), nil
		}},
		"md5": digest(func(p []byte) []byte { s := md5.Sum(p); return s[:] }),
		"sha": sha, "sha1": sha,
		"sha2": {2, 2, func(b *binder, args []*node) (*node, error) {
			args, err := b.params(args, B, I)
			if err != nil {
				return nil, err
			}
			return strictNode(plan.Of(S), args, func(a []any) (any, error) {
				p := a[0].([]byte)
				switch a[1].(int32) {
				case 0, 256:
					s := sha256.Sum256(p)
					return hex.EncodeToString(s[:]), nil
				case 224:
					s := sha256.Sum224(p)
					return hex.EncodeToString(s[:]), nil
				case 384:
					s := sha512.Sum384(p)
					return hex.EncodeToString(s[:]), nil
				case 512:
					s := sha512.Sum512(p)
					return hex.EncodeToString(s[:]), nil
				}
				return nil, nil
			}).orNull(true), nil
		}},
		"crc32": strict(plan.Long, 1, 1, func(a []any) (any, error) { return int64(crc32.ChecksumIEEE(a[0].([]byte))), nil }, B),
	}
}

// maxText bounds what repeat, space, lpad and rpad make.
const maxText = 1 << 30

func tooLong() error {
	return fail("COLLECTION_SIZE_LIMIT_EXCEEDED", "the text would be longer than 1 GiB")
}

// concat joins strings (other values as text), binaries or arrays; NULL where one is NULL.
func concat(b *binder, args []*node) (*node, error) {
	kind := plan.String
	for i, a := range args {
		switch {
		case a.typ.Kind == plan.Array:
			kind = plan.Array
		case a.typ.Kind == plan.Binary && (i == 0 || kind == plan.Binary):
			kind = plan.Binary
		case kind == plan.Binary && a.typ.Kind != plan.Null:
			kind = plan.String
		}
	}
	if kind == plan.Array {
		args, t, err := b.unify("concat", args)
		if err != nil {
			return nil, err
		}
		return strictNode(t, args, func(a []any) (any, error) {
			var all []any
			for _, v := range a {
				all = append(all, v.([]any)...)
			}
			return all, nil
		}), nil
	}
	cast := make([]*node, len(args))
	for i, a := range args {
		var err error
		if cast[i], err = b.implicit(a, plan.Of(kind)); err != nil {
			return nil, err
		}
	}
	return strictNode(plan.Of(kind), cast, func(a []any) (any, error) {
		if kind == plan.Binary {
			var all []byte
			for _, v := range a {
				all = append(all, v.([]byte)...)
			}
			return all, nil
		}
		var s strings.Builder
		for _, v := range a {
			s.WriteString(v.(string))
		}
		return s.String(), nil
	}), nil
}

// concatWS joins strings and arrays of strings with a separator and leaves NULLs out.
func concatWS(b *binder, args []*node) (*node, error) {
	cast := make([]*node, len(args))
	for i, a := range args {
		to := plan.Of(plan.String)
		if i > 0 && a.typ.Kind == plan.Array {
			to = plan.ArrayOf(to, true)
		}
		var err error
		if cast[i], err = b.implicit(a, to); err != nil {
			return nil, err
		}
	}
	n := looseNode(plan.Of(plan.String), cast, func(a []any) (any, error) {
		if a[0] == nil {
			return nil, nil
		}
		var parts []string
		for _, v := range a[1:] {
			switch v := v.(type) {
			case string:
				parts = append(parts, v)
			case []any:
				for _, e := range v {
					if e != nil {
						parts = append(parts, e.(string))
					}
				}
			}
		}
		return strings.Join(parts, a[0].(string)), nil
	})
	n.nullable = args[0].nullable
	return n, nil
}

func regexFunctions() map[string]function {
	const S, I = plan.String, plan.Int
	// withPattern binds a function whose second argument is a regular expression.
	withPattern := func(least, most int, result plan.Type, fn func(a []any, res *regexes) (any, error), params ...plan.Kind) function {
		return function{least, most, func(b *binder, args []*node) (*node, error) {
			args, err := b.params(args, params...)
			if err != nil {
				return nil, err
			}
			res, err := newRegexes(args[1], compileRegex)
			if err != nil {
				return nil, err
			}
			return strictNode(result, args, func(a []any) (any, error) { return fn(a, res) }), nil
		}}
	}
	groupOf := func(a []any) int {
		if len(a) == 3 {
			return int(a[2].(int32))
		}
		return 1
	}
	checkGroup := func(n, have int) error {
		if n < 0 || n > have {
			return fail("INVALID_PARAMETER_VALUE.REGEX_GROUP_INDEX", "group %d: the pattern has %d", n, have)
		}
		return nil
	}
	matches := withPattern(2, 2, boolean, func(a []any, res *regexes) (any, error) {
		re, err := res.get(a[1].(string))
		if err != nil {
			return nil, err
		}
		return re.MatchString(a[0].(string)), nil
	}, S)
	return map[string]function{
		"regexp_like": matches, "rlike": matches, "regexp": matches,
		"split": withPattern(2, 3, plan.ArrayOf(plan.Of(S), false), func(a []any, res *regexes) (any, error) {
			limit := 0
			if len(a) == 3 {
				limit = int(a[2].(int32))
			}
			s := a[0].(string)
			if a[1] == "" && s != "" { // Spark's own: one part a character, without an empty last one
				runes := []rune(s)
				if limit <= 0 || limit > len(runes) {
					limit = len(runes)
				}
				parts := make([]any, limit)
				for i := range parts {
					parts[i] = string(runes[i])
				}
				parts[limit-1] = string(runes[limit-1:])
				return parts, nil
			}
			re, err := res.get(a[1].(string))
			if err != nil {
				return nil, err
			}
			return splitJava(s, re, limit), nil
		}, S, S, I),
		"regexp_extract": withPattern(2, 3, plan.Of(S), func(a []any, res *regexes) (any, error) {
			re, err := res.get(a[1].(string))
			if err != nil {
				return nil, err
			}
			g := groupOf(a)
			if err := checkGroup(g, re.NumSubexp()); err != nil {
				return nil, err
			}
			s := a[0].(string)
			m := re.FindStringSubmatchIndex(s)
			if m == nil || m[2*g] < 0 {
				return "", nil
			}
			return s[m[2*g]:m[2*g+1]], nil
		}, S, S, I),
		"regexp_extract_all": withPattern(2, 3, plan.ArrayOf(plan.Of(S), true), func(a []any, res *regexes) (any, error) {
			re, err := res.get(a[1].(string))
			if err != nil {
				return nil, err
			}
			g := groupOf(a)
			if err := checkGroup(g, re.NumSubexp()); err != nil {
				return nil, err
			}
			all := []any{}
			s := a[0].(string)
			for _, m := range re.all(s) {
				if m[2*g] < 0 {
					all = append(all, "")
				} else {
					all = append(all, s[m[2*g]:m[2*g+1]])
				}
			}
			return all, nil
		}, S, S, I),
		"regexp_count": withPattern(2, 2, plan.Of(I), func(a []any, res *regexes) (any, error) {
			re, err := res.get(a[1].(string))
			if err != nil {
				return nil, err
			}
			return int32(len(re.all(a[0].(string)))), nil
		}, S),
		"regexp_replace": withPattern(3, 4, plan.Of(S), func(a []any, res *regexes) (any, error) {
			re, err := res.get(a[1].(string))
			if err != nil {
				return nil, err
			}
			s, start := a[0].(string), 0
			if len(a) == 4 {
				p := int(a[3].(int32))
				if p < 1 {
					return nil, fail("", "regexp_replace: position %d, want at least 1", p)
				}
				start = runeIndex(s, p-1)
			}
			var b strings.Builder
			last := 0
			for _, m := range re.all(s) {
				if m[0] < start {
					continue
				}
				b.WriteString(s[last:m[0]])
				if err := javaReplacement(&b, a[2].(string), s, re, m); err != nil {
					return nil, err
				}
				last = m[1]
			}
			b.WriteString(s[last:])
			return b.String(), nil
		}, S, S, S, I),
	}
}
