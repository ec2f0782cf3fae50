package spark

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"gomosaic/mdslib"
)

func TestParseTarget(t *testing.T) {
	t.Setenv("SPARK_CONNECT_AUTHENTICATE_TOKEN", "")
	t.Setenv("SPARK_CONNECT_USER_AGENT", "")
	t.Setenv("SPARK_USER", "ann")
	for text, want := range map[string]string{
		"sc://host":                                "host:15002 tls=false token= user=ann headers=map[]",
		"sc://host:443/;use_ssl=true":              "host:443 tls=true token= user=ann headers=map[]",
		"sc://host/;token=a%3Db;user_id=bo":        "host:15002 tls=true token=a=b user=bo headers=map[]",
		"sc://localhost/;token=x":                  "localhost:15002 tls=false token=x user=ann headers=map[]",
		"sc://127.0.0.1:9/;token=x;use_ssl=TRUE":   "127.0.0.1:9 tls=true token=x user=ann headers=map[]",
		"sc://[::1]:7/;":                           "[::1]:7 tls=false token= user=ann headers=map[]",
		"sc://[fe80::1]":                           "[fe80::1]:15002 tls=false token= user=ann headers=map[]",
		"sc://a.b:1;X-Databricks-Cluster-Id=c%20d": "a.b:1 tls=false token= user=ann headers=map[x-databricks-cluster-id:[c d]]",
		"sc://h/;session_id=6BA7B810-9dad-41d1-80b4-00c04fd430c8;user_agent=nightly": "h:15002 tls=false token= user=ann headers=map[] session=6ba7b810-9dad-41d1-80b4-00c04fd430c8",
	} {
		target, err := parseTarget(text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		got := fmt.Sprintf("%s tls=%v token=%s user=%s headers=%v", target.address(), target.tls, target.token, target.user, map[string][]string(target.headers))
		if target.session != "" {
			got += " session=" + target.session
		}
		if got != want {
			t.Errorf("%s:\n got %s\nwant %s", text, got, want)
		}
	}
	for text, want := range map[string]string{
		"http://host":                           "does not begin with sc://",
		"sc://":                                 "the host is missing",
		"sc://:15002":                           "the host is missing",
		"sc://host/token=secretsecret":          "after the port comes more than a slash",
		"sc://host:0":                           `the port "0"`,
		"sc://host:http":                        `the port "http"`,
		"sc://a:b:c":                            "an IPv6 address stands in brackets",
		"sc://secret@host":                      "a token is given as ;token=",
		"sc://host/;use_ssl=yes":                `use_ssl is "yes"`,
		"sc://host/;secretsecret":               `without = or name, after "secr…"`,
		"sc://host/;token=%zz":                  "parameter token: a % that begins no escape",
		"sc://host/;session_id=me":              "session_id is no UUID",
		"sc://host/;grpc_max_message_size=much": `grpc_max_message_size is "much"`,
		"sc://host/;x y=1":                      `"x y" cannot be a header's name`,
		"sc://host/;user_agent=" + strings.Repeat("x", 2049): "more than 2048",
		"sc://host/;use_ssl=false;token=secretsecret":        "in the clear",
	} {
		_, err := parseTarget(text)
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "secretsecret") {
			t.Errorf("%s: error %v, want %q", text, err, want)
		}
	}
}

// TestTLS: a server is believed if its certificate is, and the token goes to no other.
func TestTLS(t *testing.T) {
	certificate, authority := selfSigned(t, "localhost", time.Hour)
	expired, gone := selfSigned(t, "localhost", -time.Minute)
	authority = append(authority, gone...)
	roots := filepath.Join(t.TempDir(), "roots.pem")
	if err := os.WriteFile(roots, authority, 0o600); err != nil {
		t.Fatal(err)
	}
	f := &fake{}
	port := f.serve(t, certificate)
	const secret = "secretsecret"
	connect := func(host string) error {
		f.note(func() { f.headers = nil })
		_, err := mdslib.Connect(t.Context(), "sc://"+host+":"+port+"/;use_ssl=true;token="+secret+";x-cluster=c1")
		if err != nil && strings.Contains(err.Error(), secret) {
			t.Errorf("the error has the token: %v", err)
		}
		return err
	}
	old := connectPolicy
	connectPolicy = quick
	defer func() { connectPolicy = old }()
	if err := connect("localhost"); err == nil || !strings.Contains(err.Error(), "certificate signed by unknown authority") || f.headers != nil {
		t.Errorf("unknown authority: error %v, headers %v", err, f.headers)
	}
	t.Setenv("GRPC_DEFAULT_SSL_ROOTS_FILE_PATH", roots)
	if err := connect("127.0.0.1"); err == nil || !strings.Contains(err.Error(), "cannot validate certificate") || f.headers != nil {
		t.Errorf("another name: error %v, headers %v", err, f.headers)
	}
	if err := connect("localhost"); err != nil {
		t.Fatal(err)
	}
	if got := f.headers; got["authorization"][0] != "Bearer "+secret || got["x-cluster"][0] != "c1" {
		t.Errorf("headers %v", got)
	}
	port = f.serve(t, expired)
	if err := connect("localhost"); err == nil || !strings.Contains(err.Error(), "certificate has expired") || f.headers != nil {
		t.Errorf("expired: error %v, headers %v", err, f.headers)
	}
	port = f.serve(t)
	if err := connect("localhost"); err == nil || f.headers != nil {
		t.Errorf("TLS asked of a server that has none: error %v, headers %v", err, f.headers)
	}
}

// selfSigned makes a certificate for a name that is good for so long from now on, and its PEM.
func selfSigned(t *testing.T, name string, left time.Duration) (tls.Certificate, []byte) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), DNSNames: []string{name}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(left),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
}

// TestUnreachable: a server that isn't there is said to be so, soon and with its address.
func TestUnreachable(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := listener.Addr().String()
	listener.Close()
	old := connectPolicy
	connectPolicy = quick
	defer func() { connectPolicy = old }()
	_, err = mdslib.Connect(t.Context(), "sc://"+address)
	if err == nil || !strings.Contains(err.Error(), "spark: sc://"+address+" cannot be reached") || !strings.Contains(err.Error(), "connection refused") {
		t.Errorf("error %v", err)
	}
}
