package exact

import "github.com/cytorun/cytorun/client"

var _ client.Limited = (*Client)(nil)

var cannot = map[client.Ability]string{
	client.KeepsParameters: "EXACT keeps no parameters of jobs; they are in the run folders of this box",
	client.KeepsComments:   "EXACT keeps no comments of jobs, only the message of a failed one",
	client.KeepsLogs:       "EXACT keeps no logs; they are in the run folders of this box",
	client.KeepsFiles:      "EXACT keeps no result files; they are in the run folders of this box",
	client.KeepsMetrics:    "EXACT keeps no metrics",
	client.KeepsHistory:    "EXACT has one job per plugin and image; a new run restarts it, and earlier ones are in the run folders of this box",
	client.HasOntologies:   "EXACT has no ontologies; the annotation types of an image set's products take their place",
	client.RegistersByFile: "EXACT does not know what a plugin runs; bind it with a local descriptor",
	client.RunsOnProjects:  "a job on EXACT is over one image; a run over an image set is one job per image",
	client.KeysPerJob:      "EXACT has no users of jobs; a program gets the token of whoever runs it",
	client.KnowsContainers: "EXACT knows neither container nor parameters of a plugin; bind it with a local descriptor",
	client.DatesProjects:   "EXACT does not say when an image set was made",
	client.DrawsUntyped:    "every annotation on EXACT has an annotation type",
	client.ErasesOneByOne:  "the results of a job on EXACT are deleted together",
}

// Cannot says why EXACT lacks an ability.
func (c *Client) Cannot(a client.Ability) string { return cannot[a] }
