package hf

// The user's token.

import (
	"cmp"
	"os"
	"path/filepath"
	"strings"
)

// token is what the user shows the Hub; the secret of none is "".
type token struct {
	secret string
	from   string // where it was found, or was sought
}

// findToken looks where the Hub's own libraries do: HF_TOKEN and its older name, then the file that `hf auth login` writes.
func findToken() token {
	if v := os.Getenv("HF_HUB_DISABLE_IMPLICIT_TOKEN"); v != "" && v != "0" {
		return token{"", "none, as HF_HUB_DISABLE_IMPLICIT_TOKEN wants it"}
	}
	for _, name := range []string{"HF_TOKEN", "HUGGING_FACE_HUB_TOKEN"} {
		if v := strings.TrimSpace(os.Getenv(name)); v != "" {
			return token{v, "the token of " + name}
		}
	}
	file := os.Getenv("HF_TOKEN_PATH")
	if file == "" {
		home, _ := os.UserHomeDir() // "" leads to a file that is not there
		cache := cmp.Or(os.Getenv("XDG_CACHE_HOME"), filepath.Join(home, ".cache"))
		file = filepath.Join(cmp.Or(os.Getenv("HF_HOME"), filepath.Join(cache, "huggingface")), "token")
	}
	text, err := os.ReadFile(file)
	if secret := strings.TrimSpace(string(text)); err == nil && secret != "" {
		return token{secret, "the token of " + file}
	}
	return token{"", "no token, tried HF_TOKEN and " + file}
}
