package echarts

// The script of an output. It waits for one library per page, whatever the order in which
// outputs come back when a notebook is opened.

import (
	_ "embed"
	"encoding/json"
	"os"
	"strings"
)

//go:embed upgrade.js
var upgradeScript string

// KernelEnv names the kernelspec whose directory holds the library, where install gave it
// another name than "gomosaic".
const KernelEnv = "GOMOSAIC_KERNELSPEC"

func upgrade(id, option string) string {
	kernel := os.Getenv(KernelEnv)
	if kernel == "" {
		kernel = "gomosaic"
	}
	return "<script>" + strings.NewReplacer("$ID", quote(id), "$OPTION", option, "$KERNEL", quote(kernel)).Replace(upgradeScript) + "</script>"
}

// quote is s as a JavaScript string that cannot end a <script>: encoding/json escapes <, >, &
// and the two line separators.
func quote(s string) string {
	b, err := json.Marshal(s)
	if err != nil {
		return `""` // a string always encodes
	}
	return string(b)
}
