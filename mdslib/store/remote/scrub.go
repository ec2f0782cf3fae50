package remote

// Secrets taken out of texts.

import (
	"net/url"
	"regexp"
	"strings"
)

// hidden stands where a secret stood.
const hidden = "…"

// The shapes in which secrets come: parameters of signed URLs, members of connection strings and JSON, headers, and the
// password of a URL.
var (
	named = regexp.MustCompile(`(?i)((?:x-(?:amz|goog)-(?:signature|credential|security-token)|\bsig|signature|(?:account|shared_?|secret_?|access_?|private_?|api_?)key(?:_?id)?|` +
		`sharedaccesssignature|(?:access_|refresh_|id_|session_?|security_?)?token|(?:client_?)?secret|password|passwd|pwd)(?:["']?\s*=\s*["']?|["']\s*:\s*["']?))[^&;,\s"'<>]+`)
	told   = regexp.MustCompile(`(?i)(\b(?:x-[a-z0-9-]*(?:signature|credential|token|key)|password|passwd|secret)\s*:\s*)[^&;,\s"'<>]+`)
	header = regexp.MustCompile(`(?i)\b((?:authorization["']?\s*[:=]\s*["']?)?(?:bearer|basic|sharedkey|aws4-hmac-sha256)\s+)[^"'\r\n<>)]+`)
	login  = regexp.MustCompile(`([a-zA-Z][a-zA-Z0-9+.-]*://[^/@:\s"']*:)[^/\s"']*@`)
)

// Scrub returns text without the given secrets, in plain and as URLs spell them, and without what looks like one: signatures
// and tokens in addresses, keys of connection strings, Authorization headers, passwords of URLs. Secrets shorter than four
// bytes are only found by their shape.
func Scrub(text string, secrets ...string) string {
	for _, s := range secrets {
		if len(s) < 4 {
			continue
		}
		for _, form := range []string{s, url.QueryEscape(s), url.PathEscape(s)} {
			text = strings.ReplaceAll(text, form, hidden)
		}
	}
	text = login.ReplaceAllString(text, "${1}"+hidden+"@")
	text = header.ReplaceAllString(text, "${1}"+hidden)
	text = named.ReplaceAllString(text, "${1}"+hidden)
	return told.ReplaceAllString(text, "${1}"+hidden)
}
