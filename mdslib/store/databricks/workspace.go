package databricks

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"gopkg.in/ini.v1"

	"gomosaic/mdslib/store/remote"
)

// workspace is a Databricks workspace and who we are there.
type workspace struct {
	host   string // https://…, without a slash at its end
	id     string // its number; only addresses that several workspaces share need it
	source string // where host comes from, for errors
	who    credentials
	client *http.Client
	values map[string]string // all settings, by their names in profiles
}

func (w *workspace) describe() string {
	return fmt.Sprintf("%s at %s (%s)", w.who.describe(), w.host, w.source)
}

func (w *workspace) secrets() []string { return w.who.secrets() }

// settings are what Databricks' unified authentication reads: from the environment, and what is not there from a profile.
type settings struct {
	values map[string]string // by their names in profiles
	from   map[string]string // where each comes from
	tried  []string          // what was looked at without success
}

// variables are the settings that are understood, and their environment variables.
var variables = map[string]string{
	"host":                "DATABRICKS_HOST",
	"token":               "DATABRICKS_TOKEN",
	"client_id":           "DATABRICKS_CLIENT_ID",
	"client_secret":       "DATABRICKS_CLIENT_SECRET",
	"auth_type":           "DATABRICKS_AUTH_TYPE",
	"workspace_id":        "DATABRICKS_WORKSPACE_ID",
	"databricks_cli_path": "DATABRICKS_CLI_PATH",
	"cluster_id":          "DATABRICKS_CLUSTER_ID",

	"serverless_compute_id": "DATABRICKS_SERVERLESS_COMPUTE_ID",
}

// findWorkspace reads the settings of a profile and no others. Without one it reads them in the order of Databricks' own
// clients: the environment, then the profile that DATABRICKS_CONFIG_PROFILE names or, where the environment names neither host
// nor credentials, the default one.
func findWorkspace(profile string) (*workspace, error) {
	s := settings{values: map[string]string{}, from: map[string]string{}}
	if profile == "" {
		for name, variable := range variables {
			if v := os.Getenv(variable); v != "" {
				s.values[name], s.from[name] = v, variable
			}
		}
		profile = os.Getenv("DATABRICKS_CONFIG_PROFILE")
	}
	if profile != "" || s.values["host"] == "" && s.values["token"] == "" && s.values["client_id"] == "" {
		if err := s.readProfile(profile); err != nil {
			return nil, err
		}
	} else if s.values["host"] == "" {
		s.tried = append(s.tried, "DATABRICKS_HOST (not set)")
	}
	host := s.values["host"]
	if host == "" {
		return nil, fmt.Errorf("no Databricks workspace is configured: tried %s; set DATABRICKS_HOST and DATABRICKS_TOKEN, or a profile", strings.Join(s.tried, ", "))
	}
	if !strings.Contains(host, "://") {
		host = "https://" + host
	}
	u, err := url.Parse(host)
	if err != nil || u.Host == "" || u.User != nil || u.Scheme != "https" && u.Scheme != "http" {
		return nil, fmt.Errorf("%s is no address of a workspace, such as https://dbc-a1b2c3d4.cloud.databricks.com", s.from["host"])
	}
	w := &workspace{host: u.Scheme + "://" + u.Host, id: s.values["workspace_id"], source: s.from["host"], client: remote.HTTPClient(), values: s.values}
	w.who, err = s.credentials(w, profile)
	return w, err
}

// readProfile adds the settings of a profile of ~/.databrickscfg, or of the file that DATABRICKS_CONFIG_FILE names; "" is
// the profile that the file calls its default, or DEFAULT.
func (s *settings) readProfile(profile string) error {
	s.tried = append(s.tried, "DATABRICKS_HOST (not set)")
	file := os.Getenv("DATABRICKS_CONFIG_FILE")
	if rest, ok := strings.CutPrefix(cmp.Or(file, "~/.databrickscfg"), "~"); ok {
		home, err := os.UserHomeDir()
		if err != nil {
			s.tried = append(s.tried, "~/.databrickscfg (no home folder)")
			return nil
		}
		file = filepath.Join(home, rest)
	}
	// A password may contain "#": comments need a space before it, as in Databricks' own clients.
	config, err := ini.LoadSources(ini.LoadOptions{SpaceBeforeInlineComment: true}, file)
	if errors.Is(err, fs.ErrNotExist) && profile == "" {
		s.tried = append(s.tried, file+" (no such file)")
		return nil
	}
	if err != nil {
		return fmt.Errorf("the Databricks profiles cannot be read: %w", err)
	}
	name := cmp.Or(profile, strings.TrimSpace(config.Section("__settings__").Key("default_profile").String()), "DEFAULT")
	section := config.Section(name)
	if len(section.Keys()) == 0 {
		s.tried = append(s.tried, fmt.Sprintf("profile %s of %s (not there)", name, file))
		if profile != "" {
			return fmt.Errorf("%s has no profile %s", file, profile)
		}
		return nil
	}
	for setting := range variables {
		if v := section.Key(setting).String(); v != "" && s.values[setting] == "" {
			s.values[setting], s.from[setting] = v, fmt.Sprintf("profile %s of %s", name, file)
		}
	}
	if s.values["host"] == "" {
		s.tried = append(s.tried, fmt.Sprintf("profile %s of %s (has no host)", name, file))
	}
	return nil
}
