package mdslib

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// ParseBytes reads a number of bytes as mosaicml-streaming's bytes_to_int does: "67108864", "123b", "16mb", "1.5gb"; the
// units kb to yb are powers of 1024, upper or lower case. 2^63 bytes or more are an error.
func ParseBytes(text string) (int64, error) {
	number := strings.ToLower(strings.TrimSpace(text))
	unit := 1.0
	for i, suffix := range []string{"kb", "mb", "gb", "tb", "pb", "eb", "zb", "yb"} {
		if cut, ok := strings.CutSuffix(number, suffix); ok {
			number, unit = strings.TrimSpace(cut), math.Pow(1024, float64(i+1))
			f, err := strconv.ParseFloat(number, 64)
			if err != nil || math.Abs(f*unit) >= 1<<63 || math.IsNaN(f) || strings.ContainsAny(number, "xp_") {
				return 0, badBytes(text)
			}
			return int64(f * unit), nil
		}
	}
	n, err := strconv.ParseInt(strings.TrimSpace(strings.TrimSuffix(number, "b")), 10, 64)
	if err != nil {
		return 0, badBytes(text)
	}
	return n, nil
}

// Bytes writes a number of bytes as the options want it: SizeLimit: mdslib.Bytes(64<<20), CacheLimit: mdslib.Bytes(free/2).
// A negative number is one that they refuse.
func Bytes[N ~int | ~int64 | ~uint64 | ~uint32](n N) string { return fmt.Sprintf("%d", n) }

func badBytes(text string) error {
	return fmt.Errorf("mdslib: %q is no number of bytes: want for example 67108864, 123b, 512kb, 16mb or 1.5gb", text)
}

// defaultSizeLimit is the reference's default shard size.
const defaultSizeLimit = 1 << 26

// parseSizeLimit reads MDSOptions.SizeLimit; 0 stands for none.
func parseSizeLimit(text string) (int64, error) {
	switch strings.ToLower(strings.TrimSpace(text)) {
	case "":
		return defaultSizeLimit, nil
	case "none":
		return 0, nil
	}
	n, err := ParseBytes(text)
	if err != nil {
		return 0, err
	}
	if n < 0 || n > maxOffset {
		return 0, fmt.Errorf("mdslib: SizeLimit %q: want 0 to 4294967295 bytes, since MDS counts offsets in uint32", text)
	}
	return n, nil
}

// FormatBytes writes a size for people, in decimal units: 999 B, 1.5 kB, 16.8 MB, 2.00 GB.
func FormatBytes(n int64) string {
	switch {
	case n < 1000:
		return fmt.Sprintf("%d B", n)
	case n < 1e6:
		return fmt.Sprintf("%.1f kB", float64(n)/1e3)
	case n < 1e9:
		return fmt.Sprintf("%.1f MB", float64(n)/1e6)
	}
	return fmt.Sprintf("%.2f GB", float64(n)/1e9)
}
