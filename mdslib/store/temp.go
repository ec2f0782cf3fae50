package store

// Names of files that are being written.

import (
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
)

// tempMark is in the name of every file that is being written.
const tempMark = ".tmp-"

// TempName returns a new name in the folder of place, a path with slashes or of this machine, for a file that is written
// there and renamed to place when it is whole.
func TempName(place string) string {
	i := strings.LastIndexAny(place, "/"+string(os.PathSeparator)) + 1
	return place[:i] + "." + place[i:] + tempMark + strconv.FormatUint(rand.Uint64(), 36)
}

// IsTemp tells whether a file of that name, without its folder, is one that is being written, or was when its writer died:
// no object of a store and no data.
func IsTemp(name string) bool {
	return strings.HasPrefix(name, ".") && strings.Contains(name, tempMark)
}
