package style

import "testing"

func TestAPenWritesWhatItsStyleRenders(t *testing.T) {
	for _, dark := range []bool{true, false} {
		th := New(dark)
		for name, s := range map[string]struct{ got, want func(string) string }{
			"plain":  {PenOf(th.Plain).Write, func(s string) string { return th.Plain.Render(s) }},
			"faint":  {PenOf(th.Faint).Write, func(s string) string { return th.Faint.Render(s) }},
			"good":   {PenOf(th.Good).Write, func(s string) string { return th.Good.Render(s) }},
			"cursor": {PenOf(th.Accent).Write, func(s string) string { return th.Accent.Render(s) }},
		} {
			for _, text := range []string{"x", "1.5 ★", "a b", "細胞", "–"} {
				if got, want := s.got(text), s.want(text); got != want {
					t.Errorf("%s, %q: %q, want %q", name, text, got, want)
				}
			}
		}
	}
}
