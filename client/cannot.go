package client

// Ability names something that not every kind of server can do, for a screen that
// must say why it does not offer it.
type Ability string

// The abilities that a kind of server may lack.
const (
	KeepsParameters Ability = "parameters of jobs"
	KeepsComments   Ability = "comments of jobs"
	KeepsLogs       Ability = "logs of jobs"
	KeepsFiles      Ability = "result files"
	KeepsMetrics    Ability = "metrics"
	KeepsHistory    Ability = "several jobs of one algorithm on one image"
	HasOntologies   Ability = "ontologies"
	RegistersByFile Ability = "registering from a descriptor"
	RunsOnProjects  Ability = "jobs over a whole project"
	KeysPerJob      Ability = "keys of jobs"
	KnowsContainers Ability = "containers and parameters of algorithms"
	DatesProjects   Ability = "creation dates of projects"
	DrawsUntyped    Ability = "annotations without a term"
	ErasesOneByOne  Ability = "erasing single results"
)

// Abilities are all of them.
var Abilities = []Ability{
	KeepsParameters, KeepsComments, KeepsLogs, KeepsFiles, KeepsMetrics, KeepsHistory, HasOntologies, RegistersByFile,
	RunsOnProjects, KeysPerJob, KnowsContainers, DatesProjects, DrawsUntyped, ErasesOneByOne,
}

// Limited is a server that lacks abilities for good, because its kind does.
type Limited interface {
	// Cannot says in one sentence, lower case and without a full stop, why the
	// server lacks an ability and what stands in for it; empty when it has it.
	Cannot(a Ability) string
}

// Cannot asks a server of any kind.
func Cannot(s Server, a Ability) string {
	if l, ok := s.(Limited); ok {
		return l.Cannot(a)
	}
	return ""
}

// Unsupported is ErrUnsupported with the reason why a server lacks an ability, where
// it gives one.
func Unsupported(s Server, a Ability) error {
	if why := Cannot(s, a); why != "" {
		return &unsupported{why}
	}
	return ErrUnsupported
}

type unsupported struct{ why string }

func (e *unsupported) Error() string { return e.why }

func (e *unsupported) Unwrap() error { return ErrUnsupported }
