package cytomine

import (
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base64"
)

// dateFormat is how the Date header is written for the signature; the server
// signs the text as it comes and reads no time from it.
const dateFormat = "Mon, 02 Jan 2006 15:04:05 +0000"

// signature computes what the server expects after the public key: method,
// Content-MD5, Content-Type and date as in the headers, and the path with its
// query exactly as on the wire.
func signature(private, method, contentMD5, contentType, date, path string) string {
	mac := hmac.New(sha1.New, []byte(private))
	mac.Write([]byte(method + "\n" + contentMD5 + "\n" + contentType + "\n" + date + "\n" + path))
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}
