package cell

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// This file gives the types of a compiled cell the user's own names: what %T, %+v, reflect, encoders and templates see.
// The compiler knows only generated names, exported by the reserved rune, so that cells can use each other's. Between
// compiler and linker the object file's type descriptors are edited: a field ꞶName becomes name and is private to the
// package main, as it would be in a program, a method ꞶName becomes name and is not counted among the exported ones, and
// Ꞷmain.Ꞷpoint becomes main.point. Everything refers to symbols, none of which is renamed; all cells are edited alike, so
// that types of several cells stay identical. Identity itself does not rest on these names: a type's hash and its package
// path (nb/c3) stay.
//
// Sources: Go's src/cmd/internal/goobj/objfile.go (the format of object files) and src/internal/abi/type.go (that of type
// descriptors), Go 1.26. An object file of another version is left as it is; names are then taken apart by [Demangle]
// only.

// Blocks of an object file whose places are needed, by their number in its header.
const (
	objectMagic      = "\x00go120ld"
	blockSymbols     = 3
	blockHashed64    = 4
	blockHashed      = 5
	blockOther       = 6 // defined symbols of no package
	blockOtherRefs   = 7
	blockRelocIndex  = 11
	blockDataIndex   = 13
	blockRelocs      = 14
	blockData        = 16
	blocks           = 19
	objectHeaderSize = len(objectMagic) + 8 + 4 + 4*blocks
	symbolSize       = 21
	symbolFlag       = 11 // byte of a symbol's first flags
	symbolIsType     = 1 << 6
	relocSize        = 23 // offset 4, size 1, type 2, addend 8, package 4, symbol 4
)

// Pseudo-packages of symbol references.
const (
	inNone     = 1<<31 - 1
	inHashed64 = inNone - 1
	inHashed   = inNone - 2
	inSelf     = inNone - 4
)

// Parts of type descriptors and of the names that they refer to.
const (
	typeFlag       = 20
	typeKind       = 23
	kindMask       = 1<<5 - 1
	hasUncommon    = 1 << 0
	structPackage  = 48 // pointer to a name
	nameExported   = 1 << 0
	nameHasTag     = 1 << 1
	nameHasPackage = 1 << 2
	nameEmbedded   = 1 << 3
)

// uncommonAt is where a descriptor's methods are announced, by kind; 48 for kinds that are not listed.
var uncommonAt = map[byte]int{17: 72, 18: 64, 19: 56, 20: 80, 21: 104, 22: 56, 23: 56, 25: 80}

const kindStruct = 25

// restoreNames edits the package archive that the compiler wrote.
func restoreNames(file string) error {
	archive, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	edited, err := restoreNamesIn(archive)
	if errors.Is(err, errOtherFormat) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("%s: names of types: %w", file, err)
	}
	return os.WriteFile(file, edited, 0o644)
}

var errOtherFormat = errors.New("not an object file of this Go version")

// knownObject is the first line before an object file whose type descriptors are laid out as below: 64 bits, the small end
// first.
var knownObject = regexp.MustCompile(`^go object \w+ (?:amd64|arm64|loong64|mips64le|ppc64le|riscv64) ` + regexp.QuoteMeta(languageVersion) + `(?:[.a-z ]|$)`)

// restoreNamesIn looks for the object file within an archive ("!<arch>\n", then members of a 60-byte header and content).
func restoreNamesIn(archive []byte) ([]byte, error) {
	const memberHeader = 60
	for at := len("!<arch>\n"); at+memberHeader <= len(archive); {
		header := archive[at : at+memberHeader]
		size, err := strconv.Atoi(strings.TrimSpace(string(header[48:58])))
		content := at + memberHeader
		if err != nil || size < 0 || content+size > len(archive) {
			return nil, errOtherFormat
		}
		if !strings.HasPrefix(string(header), "_go_.o") {
			at = content + size + size%2
			continue
		}
		text := bytes.Index(archive[content:content+size], []byte("\n!\n")) // the compiler's lines before the object file
		if text < 0 || !knownObject.Match(archive[content:content+text]) {
			return nil, errOtherFormat
		}
		start := content + text + len("\n!\n")
		object, err := editObject(archive[start : content+size])
		if err != nil {
			return nil, err
		}
		size = start - content + len(object)
		out := slices.Concat(archive[:at+48], fmt.Appendf(nil, "%-10d", size), archive[at+58:start], object)
		if size%2 == 1 {
			out = append(out, 0)
		}
		return out, nil
	}
	return nil, errOtherFormat
}

// object is an object file being edited.
type object struct {
	data    []byte
	offsets [blocks]int
	counts  [4]int // symbols of the blocks that define some
	names   map[symbolRef]nameUse
	main    symbolRef // a name that reads "main"
	added   map[int][]byte
}

// symbolRef is a reference to a symbol, as relocations have it.
type symbolRef struct{ pkg, index uint32 }

// nameUse is what an edited name is the name of.
type nameUse int

const (
	nameOfType nameUse = iota + 1
	nameOfField
	nameOfMethod
)

func editObject(data []byte) ([]byte, error) {
	if !bytes.HasPrefix(data, []byte(objectMagic)) || len(data) < objectHeaderSize {
		return nil, errOtherFormat
	}
	o := &object{data: slices.Clone(data), names: map[symbolRef]nameUse{}, added: map[int][]byte{}}
	for i := range o.offsets {
		o.offsets[i] = int(binary.LittleEndian.Uint32(data[objectHeaderSize-4*(blocks-i):]))
		if o.offsets[i] > len(data) || i > 0 && o.offsets[i] < o.offsets[i-1] {
			return nil, errOtherFormat
		}
	}
	total := 0
	for i := range o.counts {
		o.counts[i] = (o.offsets[blockSymbols+i+1] - o.offsets[blockSymbols+i]) / symbolSize
		total += o.counts[i]
	}
	for i := range total {
		if strings.HasPrefix(o.symbolName(i), "type:.namedata.") {
			if err := o.editName(i); err != nil {
				return nil, err
			}
		}
	}
	for i := range total {
		if o.data[o.offsets[blockSymbols]+i*symbolSize+symbolFlag]&symbolIsType != 0 {
			if err := o.editType(i); err != nil {
				return nil, err
			}
		}
	}
	return o.withAdded(total), nil
}

func (o *object) uint32(at int) int { return int(binary.LittleEndian.Uint32(o.data[at:])) }

func (o *object) symbolName(i int) string {
	at := o.offsets[blockSymbols] + i*symbolSize
	n, from := o.uint32(at), o.uint32(at+4)
	return string(o.data[from : from+n])
}

// ref is how relocations refer to the i-th defined symbol.
func (o *object) ref(i int) symbolRef {
	for block, pkg := range [4]uint32{inSelf, inHashed64, inHashed, inNone} {
		if i < o.counts[block] {
			return symbolRef{pkg, uint32(i)}
		}
		i -= o.counts[block]
	}
	return symbolRef{}
}

// content is the i-th defined symbol's data.
func (o *object) content(i int) []byte {
	at := o.offsets[blockDataIndex] + 4*i
	return o.data[o.offsets[blockData]+o.uint32(at) : o.offsets[blockData]+o.uint32(at+4)]
}

// relocs are the i-th defined symbol's relocations.
func (o *object) relocs(i int) [][]byte {
	at := o.offsets[blockRelocIndex] + 4*i
	var list [][]byte
	for j := o.uint32(at); j < o.uint32(at+4); j++ {
		from := o.offsets[blockRelocs] + j*relocSize
		list = append(list, o.data[from:from+relocSize])
	}
	return list
}

func relocOffset(r []byte) int { return int(int32(binary.LittleEndian.Uint32(r))) }

func relocTarget(r []byte) symbolRef {
	return symbolRef{binary.LittleEndian.Uint32(r[15:]), binary.LittleEndian.Uint32(r[19:])}
}

func setRelocTarget(r []byte, to symbolRef) {
	binary.LittleEndian.PutUint32(r[15:], to.pkg)
	binary.LittleEndian.PutUint32(r[19:], to.index)
}

var cellPackage = regexp.MustCompile(`\bnb/c\d+\.`)

// editName rewrites one name in its place: flags, length, text, and perhaps a tag with its length. No name grows.
func (o *object) editName(i int) error {
	content := o.content(i)
	if len(content) < 2 || content[0]&nameHasPackage != 0 {
		return nil
	}
	flags := content[0]
	name, rest, ok := cutCounted(content[1:])
	if !ok {
		return errOtherFormat
	}
	tag := ""
	if flags&nameHasTag != 0 {
		if tag, _, ok = cutCounted(rest); !ok {
			return errOtherFormat
		}
	}
	if !strings.Contains(name, reserved) && !cellPackage.MatchString(name) {
		return nil
	}
	use := nameOfMethod
	switch {
	case strings.ContainsAny(name, "*.[]{}( "):
		use = nameOfType
		name = cellPackage.ReplaceAllString(name, userPackage+".")
	case tag != "" || flags&nameEmbedded != 0:
		use = nameOfField
		flags &^= nameExported
		tag = strings.TrimPrefix(strings.TrimPrefix(tag, hideTag), " ")
	}
	name = strings.ReplaceAll(name, reserved, "")
	ref := o.ref(i)
	o.names[ref] = use
	if name == userPackage {
		o.main = ref
	}
	if tag == "" {
		flags &^= nameHasTag
	}
	edited := append([]byte{flags}, binary.AppendUvarint(nil, uint64(len(name)))...)
	edited = append(edited, name...)
	if tag != "" {
		edited = append(binary.AppendUvarint(edited, uint64(len(tag))), tag...)
	}
	if len(edited) > len(content) {
		return fmt.Errorf("the name %s does not fit", name)
	}
	clear(content[copy(content, edited):])
	return nil
}

// cutCounted takes a text with its length before it.
func cutCounted(b []byte) (text string, rest []byte, ok bool) {
	n, size := binary.Uvarint(b)
	if size <= 0 || n > uint64(len(b)-size) {
		return "", nil, false
	}
	return string(b[size : size+int(n)]), b[size+int(n):], true
}

// editType makes a struct with private fields one of package main, and takes private methods out of the exported ones.
func (o *object) editType(i int) error {
	content, relocs := o.content(i), o.relocs(i)
	if len(content) < structPackage {
		return nil
	}
	kind := content[typeKind] & kindMask
	fields, methods := 0, 0 // edited names that the type refers to
	methodsLast := true     // the private methods come behind the exported ones, as the compiler sorts
	announced := cmp.Or(uncommonAt[kind], structPackage)
	first := len(content)
	if content[typeFlag]&hasUncommon != 0 && len(content) >= announced+16 {
		first = announced + int(binary.LittleEndian.Uint32(content[announced+8:]))
	}
	var packageReloc []byte
	var kindOfReloc []byte
	slices.SortFunc(relocs, func(a, b []byte) int { return relocOffset(a) - relocOffset(b) })
	for _, r := range relocs {
		at := relocOffset(r)
		if kind == kindStruct && at == structPackage {
			packageReloc = r
		}
		switch use := o.names[relocTarget(r)]; {
		case use == nameOfField && kind == kindStruct && at < first:
			fields++
			kindOfReloc = r
		case at < first || (at-first)%16 != 0:
		case use == nameOfMethod:
			methods++
		case methods > 0:
			methodsLast = false
		}
	}
	if methods > 0 && methodsLast {
		exported := content[announced+6:]
		binary.LittleEndian.PutUint16(exported, binary.LittleEndian.Uint16(exported)-uint16(methods))
	}
	if fields == 0 {
		return nil
	}
	if o.main == (symbolRef{}) {
		return errors.New("there is no name for the package main")
	}
	if packageReloc != nil {
		setRelocTarget(packageReloc, o.main)
		return nil
	}
	added := slices.Clone(kindOfReloc) // as a field's name is referred to
	binary.LittleEndian.PutUint32(added, structPackage)
	clear(added[7:15])
	setRelocTarget(added, o.main)
	o.added[i] = added
	return nil
}

// withAdded is the file with the added relocations in their places, and all behind them moved.
func (o *object) withAdded(total int) []byte {
	if len(o.added) == 0 {
		return o.data
	}
	out := slices.Clone(o.data[:o.offsets[blockRelocs]])
	for block := blockRelocs + 1; block < blocks; block++ {
		at := objectHeaderSize - 4*(blocks-block)
		binary.LittleEndian.PutUint32(out[at:], uint32(o.offsets[block]+relocSize*len(o.added)))
	}
	more := 0
	for i := range total {
		at := o.offsets[blockRelocIndex] + 4*i
		binary.LittleEndian.PutUint32(out[at:], uint32(o.uint32(at)+more))
		from, to := o.offsets[blockRelocs]+o.uint32(at)*relocSize, o.offsets[blockRelocs]+o.uint32(at+4)*relocSize
		out = append(out, o.data[from:to]...)
		if added := o.added[i]; added != nil {
			out = append(out, added...)
			more++
		}
	}
	last := o.offsets[blockRelocIndex] + 4*total
	binary.LittleEndian.PutUint32(out[last:], uint32(o.uint32(last)+more))
	return append(out, o.data[o.offsets[blockRelocs+1]:]...)
}
