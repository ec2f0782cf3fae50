package expr

import (
	"encoding/binary"
	"math"
	"math/big"
	"math/bits"

	"gomosaic/mdslib/plan"
)

// hashSeed is the seed of Spark's hash and xxhash64 functions. Each column's hash is the seed of the next; a NULL leaves
// the seed as it is.
const hashSeed = 42

// XXHash64 is Spark's xxhash64 over values (catalyst's XXH64.java, and HashExpression for the types).
func XXHash64(values ...any) int64 {
	h := uint64(hashSeed)
	for _, v := range values {
		h = hashValue(v, h, xxInt, xxLong, xxBytes)
	}
	return int64(h)
}

// Murmur3 is Spark's hash over values (Murmur3_x86_32.java).
func Murmur3(values ...any) int32 {
	h := uint64(hashSeed)
	for _, v := range values {
		h = hashValue(v, h, murmurInt, murmurLong, murmurBytes)
	}
	return int32(h)
}

// hashValue feeds one value to a hash by its type, as HashExpression.computeHash does: integers up to 32 bits, dates and
// booleans as int; bigint and timestamps as long; floats by their bits, -0.0 as 0.0; decimals of up to 18 digits by
// their unscaled long, longer ones by the bytes of it.
func hashValue(v any, seed uint64, ofInt func(uint32, uint64) uint64, ofLong func(uint64, uint64) uint64, ofBytes func([]byte, uint64) uint64) uint64 {
	switch v := v.(type) {
	case nil:
		return seed
	case bool:
		if v {
			return ofInt(1, seed)
		}
		return ofInt(0, seed)
	case int8:
		return ofInt(uint32(v), seed)
	case int16:
		return ofInt(uint32(v), seed)
	case int32:
		return ofInt(uint32(v), seed)
	case plan.DateValue:
		return ofInt(uint32(v), seed)
	case int64:
		return ofLong(uint64(v), seed)
	case plan.TimestampValue:
		return ofLong(uint64(v), seed)
	case float32:
		if v == 0 {
			return ofInt(0, seed)
		}
		if v != v {
			return ofInt(0x7fc00000, seed)
		}
		return ofInt(math.Float32bits(v), seed)
	case float64:
		if v == 0 {
			return ofLong(0, seed)
		}
		if v != v {
			return ofLong(0x7ff8000000000000, seed)
		}
		return ofLong(math.Float64bits(v), seed)
	case string:
		return ofBytes([]byte(v), seed)
	case []byte:
		return ofBytes(v, seed)
	case hashedDecimal:
		if v.precision <= 18 {
			return ofLong(uint64(v.Unscaled.Int64()), seed)
		}
		return ofBytes(twosComplement(v.DecimalValue), seed)
	case []any:
		for _, e := range v {
			seed = hashValue(e, seed, ofInt, ofLong, ofBytes)
		}
		return seed
	case plan.StructValue:
		for _, e := range v {
			seed = hashValue(e, seed, ofInt, ofLong, ofBytes)
		}
		return seed
	}
	return seed
}

// hashedDecimal carries the precision of the decimal's type, which decides how it is hashed.
type hashedDecimal struct {
	plan.DecimalValue
	precision int
}

// twosComplement is Java's BigInteger.toByteArray: big-endian, as few bytes as hold the sign.
func twosComplement(d plan.DecimalValue) []byte {
	u := d.Unscaled
	if u.Sign() >= 0 {
		b := u.Bytes()
		if len(b) == 0 || b[0] >= 0x80 {
			b = append([]byte{0}, b...)
		}
		return b
	}
	size := len(u.Bytes())
	n := new(big.Int).Lsh(big.NewInt(1), uint(8*size))
	n.Add(n, u)
	b := n.FillBytes(make([]byte, size))
	switch {
	case b[0] < 0x80: // the sign bit needs a byte of its own
		return append([]byte{0xff}, b...)
	case size > 1 && b[0] == 0xff && b[1] >= 0x80: // it needs none
		return b[1:]
	}
	return b
}

// withPrecision prepares a value of a type for hashing.
func withPrecision(v any, t plan.Type) any {
	switch v := v.(type) {
	case plan.DecimalValue:
		return hashedDecimal{v, t.Precision}
	case []any:
		if t.Elem.Kind == plan.Decimal || t.Elem.Kind == plan.Array || t.Elem.Kind == plan.Struct {
			out := make([]any, len(v))
			for i, e := range v {
				out[i] = withPrecision(e, *t.Elem)
			}
			return out
		}
	case plan.StructValue:
		out := make(plan.StructValue, len(v))
		for i, e := range v {
			out[i] = withPrecision(e, t.Fields[i].Type)
		}
		return out
	}
	return v
}

// The primes of XXH64.
const (
	xxPrime1 = 0x9E3779B185EBCA87
	xxPrime2 = 0xC2B2AE3D27D4EB4F
	xxPrime3 = 0x165667B19E3779F9
	xxPrime4 = 0x85EBCA77C2B2AE63
	xxPrime5 = 0x27D4EB2F165667C5
	xxRound1 = (xxPrime1 + xxPrime2) & math.MaxUint64
)

func xxInt(v uint32, seed uint64) uint64 {
	h := seed + xxPrime5 + 4
	h ^= uint64(v) * xxPrime1
	return xxMix(bits.RotateLeft64(h, 23)*xxPrime2 + xxPrime3)
}

func xxLong(v, seed uint64) uint64 {
	h := seed + xxPrime5 + 8
	h ^= bits.RotateLeft64(v*xxPrime2, 31) * xxPrime1
	return xxMix(bits.RotateLeft64(h, 27)*xxPrime1 + xxPrime4)
}

func xxMix(h uint64) uint64 {
	h ^= h >> 33
	h *= xxPrime2
	h ^= h >> 29
	h *= xxPrime3
	return h ^ h>>32
}

func xxRound(acc, v uint64) uint64 { return bits.RotateLeft64(acc+v*xxPrime2, 31) * xxPrime1 }

// xxBytes is XXH64 with a seed.
func xxBytes(p []byte, seed uint64) uint64 {
	n := uint64(len(p))
	var h uint64
	if len(p) >= 32 {
		v := [4]uint64{seed, seed, seed, seed}
		v[0] += xxRound1
		v[1] += xxPrime2
		v[3] -= xxPrime1
		for len(p) >= 32 {
			for i := range v {
				v[i] = xxRound(v[i], binary.LittleEndian.Uint64(p[8*i:]))
			}
			p = p[32:]
		}
		h = bits.RotateLeft64(v[0], 1) + bits.RotateLeft64(v[1], 7) + bits.RotateLeft64(v[2], 12) + bits.RotateLeft64(v[3], 18)
		for _, x := range v {
			h = (h^xxRound(0, x))*xxPrime1 + xxPrime4
		}
	} else {
		h = seed + xxPrime5
	}
	h += n
	for ; len(p) >= 8; p = p[8:] {
		h = bits.RotateLeft64(h^xxRound(0, binary.LittleEndian.Uint64(p)), 27)*xxPrime1 + xxPrime4
	}
	if len(p) >= 4 {
		h = bits.RotateLeft64(h^uint64(binary.LittleEndian.Uint32(p))*xxPrime1, 23)*xxPrime2 + xxPrime3
		p = p[4:]
	}
	for _, b := range p {
		h = bits.RotateLeft64(h^uint64(b)*xxPrime5, 11) * xxPrime1
	}
	return xxMix(h)
}

func murmurK(k uint32) uint32 { return bits.RotateLeft32(k*0xcc9e2d51, 15) * 0x1b873593 }

func murmurH(h, k uint32) uint32 { return bits.RotateLeft32(h^k, 13)*5 + 0xe6546b64 }

func murmurEnd(h, n uint32) uint64 {
	h ^= n
	h = (h ^ h>>16) * 0x85ebca6b
	h = (h ^ h>>13) * 0xc2b2ae35
	return uint64(h ^ h>>16)
}

func murmurInt(v uint32, seed uint64) uint64 { return murmurEnd(murmurH(uint32(seed), murmurK(v)), 4) }

func murmurLong(v, seed uint64) uint64 {
	h := murmurH(uint32(seed), murmurK(uint32(v)))
	return murmurEnd(murmurH(h, murmurK(uint32(v>>32))), 8)
}

// murmurBytes is Spark's hashUnsafeBytes, which mixes each of the last bytes as a signed int of its own.
func murmurBytes(p []byte, seed uint64) uint64 {
	h := uint32(seed)
	n := uint32(len(p))
	for ; len(p) >= 4; p = p[4:] {
		h = murmurH(h, murmurK(binary.LittleEndian.Uint32(p)))
	}
	for _, b := range p {
		h = murmurH(h, murmurK(uint32(int32(int8(b)))))
	}
	return murmurEnd(h, n)
}
