package main

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/charmbracelet/x/term"
	"github.com/spf13/cobra"

	"github.com/cytorun/cytorun/client"
	"github.com/cytorun/cytorun/client/profile"
	"github.com/cytorun/cytorun/client/servers"
	"github.com/cytorun/cytorun/internal/app"
	"github.com/cytorun/cytorun/internal/text"
)

func newLoginCommand(c *cli) *cobra.Command {
	var name, public, user, trust string
	cmd := &cobra.Command{
		Use:   "login ADDRESS",
		Short: "check a server and your keys, and keep both",
		Long: `Find out what kind of server answers at an address, check that it lets you in,
and keep both as a profile.

Cytomine: your two keys are on your account page there. The private key is
asked for, or read from CYTOMINE_PRIVATE_KEY.

EXACT: your user name and password make a personal access token, called
cytorun@ and the name of this box, which is kept instead of the password; or
give a token that you have (pat_...), or set EXACT_TOKEN.

Secrets are read from standard input when that is no terminal, one a line; they
are never an argument, which other users of this box could see. See 'cytorun
logout'.`,
		Example: "  cytorun login https://cytomine.example.org --ca site.pem",
		Args:    exactArgs("the address of a server"),
		RunE: func(cmd *cobra.Command, args []string) error {
			env, err := c.environment()
			if err != nil {
				return err
			}
			p := profile.Profile{Name: name, URL: args[0], CA: c.sel.CA, Trust: profile.NormaliseFingerprint(trust)}
			if p.Kind, err = trusting(c, &p, func() (client.Kind, error) { return env.Detect(cmd.Context(), p) }); err != nil {
				return err
			}
			ask := func() (client.Keys, error) { return c.askKeys(public) }
			if p.Kind == client.Exact {
				ask = func() (client.Keys, error) { return c.askToken(user) }
			}
			keys, err := ask()
			if err != nil {
				return err
			}
			return c.login(cmd.Context(), env, p, keys)
		},
	}
	f := cmd.Flags()
	f.StringVar(&name, "name", "", "what to call this server (default: its host name)")
	f.StringVar(&public, "public-key", "", "your public key (default: CYTOMINE_PUBLIC_KEY, else it is asked for)")
	f.StringVar(&user, "user", "", "your user name on EXACT (default: EXACT_USER, else it is asked for)")
	f.StringVar(&trust, "trust", "", "trust the certificate with this SHA-256 `FINGERPRINT`")
	return cmd
}

// askKeys finds the keys in the flags and the environment, else asks for them.
func (c *cli) askKeys(public string) (client.Keys, error) {
	keys := client.Keys{Public: public, Private: os.Getenv("CYTOMINE_PRIVATE_KEY")}
	if keys.Public == "" {
		keys.Public = os.Getenv("CYTOMINE_PUBLIC_KEY")
	}
	in := bufio.NewReader(c.in)
	var err error
	if keys.Public == "" {
		if keys.Public, err = c.ask(in, "public key: ", false); err != nil {
			return keys, err
		}
	}
	if keys.Private == "" {
		if keys.Private, err = c.ask(in, "private key: ", true); err != nil {
			return keys, err
		}
	}
	if keys.Public == "" || keys.Private == "" {
		return keys, usageError(errors.New("login needs both keys; they are on your account page of the server"))
	}
	return keys, nil
}

// askToken finds what EXACT lets a person in with: a user name and a password or
// token, or a token alone.
func (c *cli) askToken(user string) (client.Keys, error) {
	const otherwise = "set EXACT_TOKEN, or pipe your user name and your password or token, one a line"
	keys := client.Keys{Public: cmp.Or(user, os.Getenv("EXACT_USER")), Private: os.Getenv("EXACT_TOKEN")}
	if keys.Private != "" {
		return keys, nil
	}
	in := bufio.NewReader(c.in)
	var err error
	if keys.Public == "" {
		if keys.Public, err = c.askLine(in, "user name: ", false, otherwise); err != nil {
			return keys, err
		}
		if strings.HasPrefix(keys.Public, "pat_") { // nobody is called so
			return client.Keys{Private: keys.Public}, nil
		}
	}
	if keys.Private, err = c.askLine(in, "password or token: ", true, otherwise); err != nil {
		return keys, err
	}
	if keys.Public == "" || keys.Private == "" {
		return keys, usageError(errors.New("login to EXACT needs your user name and your password or a token (pat_...)"))
	}
	return keys, nil
}

// ask reads one line of a login to a server.
func (c *cli) ask(in *bufio.Reader, question string, secret bool) (string, error) {
	return c.askLine(in, question, secret, "set CYTOMINE_PUBLIC_KEY and CYTOMINE_PRIVATE_KEY, or pipe one key a line")
}

// lines reads what a person or a pipe says, line by line.
func (c *cli) lines() *bufio.Reader { return bufio.NewReader(c.in) }

// askLine reads one line; a secret is not echoed by a terminal. otherwise says
// what to do where nobody answers.
func (c *cli) askLine(in *bufio.Reader, question string, secret bool, otherwise string) (string, error) {
	f, ok := c.in.(*os.File)
	terminal := ok && term.IsTerminal(f.Fd())
	if terminal {
		fmt.Fprint(c.err, question)
	}
	if terminal && secret {
		b, err := term.ReadPassword(f.Fd())
		fmt.Fprintln(c.err)
		return strings.TrimSpace(string(b)), err
	}
	line, err := in.ReadString('\n')
	if err != nil && line == "" {
		return "", usageError(fmt.Errorf("no %s: standard input is no terminal and gives none; %s", strings.TrimSuffix(question, ": "), otherwise))
	}
	return strings.TrimSpace(line), nil
}

// login logs in; a person at a terminal may trust an unknown certificate.
func (c *cli) login(ctx context.Context, env *app.Env, p profile.Profile, keys client.Keys) error {
	r, err := trusting(c, &p, func() (servers.LoginResult, error) { return env.Login(ctx, p, keys) })
	if err != nil {
		return err
	}
	return c.printLogin(r)
}

// trusting asks a server, and once more where a person at a terminal trusts the
// certificate that it shows.
func trusting[T any](c *cli, p *profile.Profile, ask func() (T, error)) (T, error) {
	answer, err := ask()
	var cert *profile.CertificateError
	if errors.As(err, &cert) && p.Trust == "" && c.trust(cert) {
		p.Trust = cert.Fingerprint
		return ask()
	}
	return answer, err
}

// trust asks whether a certificate is the right one. Without a terminal nobody
// can say so, and the error says which flags do.
func (c *cli) trust(cert *profile.CertificateError) bool {
	f, ok := c.in.(*os.File)
	if !ok || !term.IsTerminal(f.Fd()) {
		return false
	}
	fmt.Fprintf(c.err, "%s shows a certificate that this box does not trust: %s\n  subject      %s\n  issuer       %s\n  valid        %s to %s\n  fingerprint  %s\n",
		text.Line(cert.Host), text.Line(cert.Err.Error()), text.Line(cert.Subject), text.Line(cert.Issuer),
		cert.NotBefore.Format(time.DateOnly), cert.NotAfter.Format(time.DateOnly), cert.Fingerprint)
	fmt.Fprint(c.err, "trust this certificate for this server? compare the fingerprint with the site's administrator first [y/N] ")
	answer, _ := bufio.NewReader(c.in).ReadString('\n')
	answer = strings.ToLower(strings.TrimSpace(answer))
	return answer == "y" || answer == "yes"
}

func (c *cli) printLogin(r servers.LoginResult) error {
	for _, n := range r.Notes {
		c.say("%s", n)
	}
	if c.json {
		return c.printJSON(field{"profile", toProfileJSON(r.Profile, r.Profile.Name)})
	}
	who := r.User.Username
	if who == "" {
		who = "whoever the token belongs to"
	}
	c.say("logged in to %s as %s; 'cytorun' opens it", r.Profile.URL, who)
	return nil
}
