package descriptor

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
)

// decimal is an exact decimal number: 0.DIGITS times ten to the power exp.
// Going through float64 would change large ids and print 0.1 differently.
type decimal struct {
	neg    bool
	digits string // no zero at either end; empty is zero
	exp    int
}

// plainZeros is how many zeros text writes out before it uses an exponent.
const plainZeros = 20

// parseDecimal reads 12, -0.5, .5, 5., 1e-3, +2 and 007. It refuses NaN,
// infinities and what a float64 cannot hold, because programs read floats.
func parseDecimal(s string) (decimal, error) {
	s = strings.TrimSpace(s)
	rest := strings.Replace(s, "−", "-", 1) // the minus sign of word processors
	var d decimal
	switch {
	case strings.HasPrefix(rest, "-"):
		d.neg, rest = true, rest[1:]
	case strings.HasPrefix(rest, "+"):
		rest = rest[1:]
	}
	mantissa, exponent, hasExp := cutExponent(rest)
	whole, fraction, _ := strings.Cut(mantissa, ".")
	if whole+fraction == "" || !allDigits(whole) || !allDigits(fraction) {
		return decimal{}, notANumber(s)
	}
	if hasExp {
		e, err := strconv.Atoi(exponent)
		if err != nil && errors.Is(err, strconv.ErrSyntax) || strings.ContainsAny(exponent, "_") {
			return decimal{}, notANumber(s)
		}
		d.exp = max(min(e, 1_000_000_000), -1_000_000_000)
	}
	all := whole + fraction
	d.digits = strings.TrimLeft(all, "0")
	d.exp += len(whole) - (len(all) - len(d.digits))
	d.digits = strings.TrimRight(d.digits, "0")
	if d.digits == "" {
		return decimal{}, nil
	}
	if d.exp > 400 || d.exp < -400 {
		return decimal{}, outOfRange(s, d.exp > 0)
	}
	switch f, _ := strconv.ParseFloat(d.text(), 64); {
	case math.IsInf(f, 0):
		return decimal{}, outOfRange(s, true)
	case f == 0:
		return decimal{}, outOfRange(s, false)
	}
	return d, nil
}

func cutExponent(s string) (mantissa, exponent string, found bool) {
	if i := strings.IndexAny(s, "eE"); i >= 0 {
		return s[:i], s[i+1:], true
	}
	return s, "", false
}

func allDigits(s string) bool {
	return strings.IndexFunc(s, func(r rune) bool { return r < '0' || r > '9' }) < 0
}

func notANumber(s string) error {
	switch strings.ToLower(strings.TrimLeft(s, "+-")) {
	case "nan", "inf", "infinity":
		return fmt.Errorf("%s is not a finite number", quote(s))
	}
	if point := strings.Replace(s, ",", ".", 1); point != s {
		if d, err := parseDecimal(point); err == nil {
			return fmt.Errorf("%s is not a number; with a decimal point it is %s", quote(s), d.text())
		}
	}
	return fmt.Errorf("%s is not a number", quote(s))
}

func outOfRange(s string, large bool) error {
	if large {
		return fmt.Errorf("%s is too large for a number", quote(s))
	}
	return fmt.Errorf("%s is too close to zero for a number", quote(s))
}

// text writes every digit, with an exponent only where twenty or more zeros
// would have to be written out.
func (d decimal) text() string {
	n := len(d.digits)
	var s string
	switch {
	case n == 0:
		return "0"
	case d.exp > n+plainZeros || d.exp < -plainZeros:
		s = d.digits[:1]
		if n > 1 {
			s += "." + d.digits[1:]
		}
		s += "e" + strconv.Itoa(d.exp-1)
	case d.exp >= n:
		s = d.digits + strings.Repeat("0", d.exp-n)
	case d.exp > 0:
		s = d.digits[:d.exp] + "." + d.digits[d.exp:]
	default:
		s = "0." + strings.Repeat("0", -d.exp) + d.digits
	}
	if d.neg {
		return "-" + s
	}
	return s
}

func (d decimal) isInteger() bool { return d.exp >= len(d.digits) }

// compare returns -1, 0 or 1.
func (d decimal) compare(e decimal) int {
	switch {
	case d.sign() != e.sign():
		if d.sign() < e.sign() {
			return -1
		}
		return 1
	case d.neg:
		return e.abs().compare(d.abs())
	case d.digits == "":
		return 0
	case d.exp != e.exp:
		if d.exp < e.exp {
			return -1
		}
		return 1
	}
	return strings.Compare(d.digits, e.digits)
}

func (d decimal) abs() decimal { d.neg = false; return d }

func (d decimal) sign() int {
	switch {
	case d.digits == "":
		return 0
	case d.neg:
		return -1
	}
	return 1
}
