package s3

// Oracle's object storage by its S3-compatible endpoint.

import (
	"bufio"
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"gomosaic/mdslib/store/remote"
)

// parseOCI reads oci://bucket@namespace/prefix. What is not in the URL comes from the environment, else from the profile of
// ~/.oci/config: namespace, region, and the access_key_id and secret_access_key of a customer secret key. Without a key
// there, AWS's ways of finding one are gone.
func parseOCI(url string, getenv func(string) string) (Config, error) {
	bucket, prefix, err := remote.SplitBucket(url)
	if err != nil {
		return Config{}, err
	}
	bucket, namespace, _ := strings.Cut(bucket, "@")
	profile := cmp.Or(getenv("OCI_CLI_PROFILE"), "DEFAULT")
	path := cmp.Or(getenv("OCI_CONFIG_FILE"), getenv("OCI_CLI_CONFIG_FILE"))
	if path == "" {
		home, _ := os.UserHomeDir()
		path = filepath.Join(home, ".oci", "config")
	}
	settings, err := readProfile(path, profile)
	if err != nil {
		return Config{}, fmt.Errorf("store: %s: %w", url, err)
	}
	c := Config{
		Root: url, Bucket: bucket, Prefix: prefix,
		Endpoint:    getenv("OCI_ENDPOINT_URL"),
		Region:      cmp.Or(getenv("OCI_REGION"), getenv("OCI_CLI_REGION"), settings["region"]),
		AccessKeyID: getenv("OCI_ACCESS_KEY_ID"), SecretKey: getenv("OCI_SECRET_ACCESS_KEY"),
		Keys: "OCI_ACCESS_KEY_ID and OCI_SECRET_ACCESS_KEY",
	}
	if c.SecretKey == "" {
		c.AccessKeyID, c.SecretKey = settings["access_key_id"], settings["secret_access_key"]
		c.Keys = fmt.Sprintf("the profile %q of %s", profile, path)
	}
	if c.Endpoint != "" {
		return c, nil
	}
	namespace = cmp.Or(namespace, getenv("OCI_NAMESPACE"), settings["namespace"])
	if namespace == "" {
		return c, fmt.Errorf("store: %s: which namespace? Write oci://bucket@namespace/folder, or set OCI_NAMESPACE, or namespace in the profile %q of %s", url, profile, path)
	}
	if c.Region == "" {
		return c, fmt.Errorf("store: %s: which region? Set OCI_REGION, or region in the profile %q of %s", url, profile, path)
	}
	c.Endpoint = fmt.Sprintf("https://%s.compat.objectstorage.%s.oraclecloud.com", namespace, c.Region)
	return c, nil
}

// readProfile reads one section of an ini file; a file that is not there has none.
func readProfile(path, section string) (map[string]string, error) {
	file, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer file.Close()
	settings, current := map[string]string{}, ""
	lines := bufio.NewScanner(file)
	for lines.Scan() {
		line := strings.TrimSpace(lines.Text())
		if name, ok := strings.CutPrefix(line, "["); ok {
			current = strings.TrimSuffix(name, "]")
		} else if key, value, ok := strings.Cut(line, "="); ok && current == section && !strings.HasPrefix(line, "#") {
			settings[strings.TrimSpace(key)] = strings.TrimSpace(value)
		}
	}
	return settings, lines.Err()
}
