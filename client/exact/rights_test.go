package exact

import (
	"slices"
	"testing"

	"github.com/cytorun/cytorun/client/exact/exacttest"
)

func TestLackingRightsAreNamedAndNothingIsWritten(t *testing.T) {
	s := newSite(t, exacttest.Options{})
	team := []int{s.demo.Team}
	s.AddUser(exacttest.User{Name: "claims", Password: "p", Teams: team, Permissions: []string{"processing.change_pluginjob"}})
	s.AddUser(exacttest.User{Name: "none", Password: "p", Teams: team})
	results := []string{"processing.add_pluginresult", "processing.add_pluginresultentry", "processing.add_pluginresultannotation"}
	for _, c := range []struct {
		user    string
		results bool
		want    []string
	}{
		{"worker", true, nil},
		{"claims", false, nil},
		{"claims", true, results},
		{"none", false, []string{"processing.change_pluginjob"}},
		{"none", true, append([]string{"processing.change_pluginjob"}, results...)},
	} {
		if got := s.as(t, c.user, Options{}).LackingRights(t.Context(), c.results); !slices.Equal(got, c.want) {
			t.Errorf("%s, results %t: lacks %q, want %q", c.user, c.results, got, c.want)
		}
	}
	for _, table := range []string{"pluginjobs", "pluginresults", "pluginresultentrys", "pluginresultannotations"} {
		if rows := s.Rows(table); len(rows) > 0 {
			t.Errorf("%s: %v", table, rows)
		}
	}
}

func TestRightsThatAnAccountHasAreAskedForOnce(t *testing.T) {
	s := newSite(t, exacttest.Options{})
	c := s.as(t, "worker", Options{})
	asked := 0
	s.Fault(func(r exacttest.Request) exacttest.Fault {
		if r.Method != "GET" {
			asked++
		}
		return exacttest.Fault{}
	})
	for range 3 {
		if lacking := c.LackingRights(t.Context(), true); len(lacking) > 0 {
			t.Error(lacking)
		}
	}
	if asked != 4 {
		t.Errorf("%d requests for 4 rights", asked)
	}
}
