package profile

import (
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"net/url"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/cytorun/cytorun/client"
)

// CertificateError tells that the certificate of a server is not trusted. It
// holds what a person needs to decide whether to trust it all the same.
type CertificateError struct {
	Host        string // with the port where the address has one
	Subject     string // as the certificate says: untrusted text
	Issuer      string
	Fingerprint string // SHA-256, 64 lower-case hex digits
	NotBefore   time.Time
	NotAfter    time.Time
	PEM         []byte // the certificate itself, see SaveCertificate
	Err         error  // why it is not trusted
}

// Error says which certificate is refused and how to go on.
func (e *CertificateError) Error() string {
	return fmt.Sprintf("the certificate of %s is not trusted: %v; it names %q and is valid until %s; give its authority with --ca FILE, or accept this one with 'cytorun login --trust %s https://%s'",
		e.Host, e.Err, e.Subject, e.NotAfter.UTC().Format(time.DateOnly), e.Fingerprint, e.Host)
}

// Unwrap gives client.ErrUnreachable, because no server of ours answered, and the
// reason. Trying again may help: certificates are renewed.
func (e *CertificateError) Unwrap() []error { return []error{client.ErrUnreachable, e.Err} }

// TLS gives the settings for connections to this server: certificates of the
// system, of the CA file, and the one that the person chose to trust. A refused
// certificate makes the connection fail with a *CertificateError.
func (p Profile) TLS() (*tls.Config, error) {
	var own []byte
	if p.CA != "" {
		var err error
		if own, err = os.ReadFile(p.CA); err != nil {
			return nil, fmt.Errorf("cannot read the certificates to trust: %w; give another file with --ca", err)
		}
		if !x509.NewCertPool().AppendCertsFromPEM(own) {
			return nil, fmt.Errorf("no certificate in %s: it must be a PEM file with BEGIN CERTIFICATE; give another file with --ca", p.CA)
		}
	}
	// Reading the certificates of a system takes some 8 ms, which a start that
	// asks no server over TLS need not pay.
	roots := sync.OnceValue(func() *x509.CertPool {
		pool, err := x509.SystemCertPool()
		if err != nil {
			pool = x509.NewCertPool() // a machine without certificates: only the CA file counts
		}
		pool.AppendCertsFromPEM(own)
		return pool
	})
	trusted := NormaliseFingerprint(p.Trust)
	site, err := url.Parse(p.URL)
	if err != nil {
		return nil, fmt.Errorf("%q is no address of a server: %w", p.URL, err)
	}
	return &tls.Config{
		MinVersion: tls.VersionTLS12,
		// The verification below does what the standard one does, accepts the
		// pinned certificate besides, and says more when it refuses.
		InsecureSkipVerify: true,
		VerifyConnection: func(state tls.ConnectionState) error {
			leaf := state.PeerCertificates[0]
			host := state.ServerName
			if host == "" { // TLS names no host that is an IP address
				host = site.Hostname()
			}
			if trusted != "" && fingerprint(leaf) == trusted {
				return nil
			}
			between := x509.NewCertPool()
			for _, c := range state.PeerCertificates[1:] {
				between.AddCert(c)
			}
			_, err := leaf.Verify(x509.VerifyOptions{Roots: roots(), Intermediates: between, DNSName: host})
			if err == nil {
				return nil
			}
			if host == site.Hostname() {
				host = site.Host // with the port
			}
			return refused(host, leaf, trusted, err)
		},
	}, nil
}

func refused(host string, leaf *x509.Certificate, trusted string, err error) error {
	var unknown x509.UnknownAuthorityError
	switch {
	case trusted != "":
		err = fmt.Errorf("it is not the one that was trusted before: %w", err)
	case errors.As(err, &unknown) && leaf.Subject.String() == leaf.Issuer.String():
		err = fmt.Errorf("it is signed by itself (%w)", err)
	}
	return &CertificateError{
		Host: host, Subject: leaf.Subject.String(), Issuer: leaf.Issuer.String(),
		Fingerprint: fingerprint(leaf), NotBefore: leaf.NotBefore, NotAfter: leaf.NotAfter,
		PEM: PEM(leaf),
		Err: err,
	}
}

// PEM is a certificate as it is kept in files, see SaveCertificate.
func PEM(c *x509.Certificate) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw})
}

func fingerprint(c *x509.Certificate) string {
	sum := sha256.Sum256(c.Raw)
	return hex.EncodeToString(sum[:])
}

// NormaliseFingerprint makes a fingerprint as other programs show it
// ("sha256:AB:CD…") into the form of Profile.Trust.
func NormaliseFingerprint(s string) string {
	s = strings.ToLower(strings.TrimSpace(s))
	s = strings.TrimPrefix(strings.TrimPrefix(s, "sha256"), ":")
	s = strings.TrimPrefix(s, "=")
	return strings.NewReplacer(":", "", " ", "").Replace(s)
}
