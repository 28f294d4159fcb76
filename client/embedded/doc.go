// Package embedded is a Cytomine-compatible server that needs nothing but a
// folder: net/http in front of one SQLite database and plain files.
//
// It speaks the classic HTTP API (the Grails core of 2018-2022, community
// edition 3.0 with the image and slice fields of the ULiège branch) so that the
// Cytomine Python client and the apps written for it run against it unmodified.
// Where that API has traps it has them too: a bad signature answers 302, a PUT
// replaces the whole object and reads its id from the body, "" is stored as
// null, errors come in three shapes. A client that survives this server survives
// the real one.
//
// Rules of the package:
//
//   - Each resource is described by a [class]: its table, its fields, what to
//     check before a write and what to delete with it. Only annotations, images
//     and files have code of their own.
//   - All writes go through [store.update], one at a time, in one transaction
//     each. Reads use other connections and never wait for a write.
//   - What a caller may see follows project membership; see access.go.
//   - There is no router here: nothing is ever executed. Execution belongs to the
//     programs that talk to this server.
package embedded
