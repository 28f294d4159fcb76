package embedded

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"sync"
	"time"

	_ "modernc.org/sqlite" // registers the CGO-free driver "sqlite"
)

// querier is what both a write transaction and the pool of readers can do.
type querier interface {
	// query runs a SELECT; the caller closes the rows.
	query(sql string, args ...any) (*sql.Rows, error)
}

// store is the database: one connection that writes and a few that read. WAL
// keeps them from waiting for one another, and a mutex in front of the writer
// keeps SQLite from ever having to say that the database is locked.
type store struct {
	readers *sql.DB
	writers *sql.DB // holds exactly the connection behind conn
	now     func() time.Time

	mu    sync.Mutex // held for the length of a write transaction
	conn  *sql.Conn
	stmts map[string]*sql.Stmt
	next  int64 // next free id of the one sequence all classes share
}

// pragmas are set on every connection. NORMAL in WAL mode survives a crash of the
// process; only a power cut may lose the last transactions, never consistency.
const pragmas = "_pragma=journal_mode(WAL)&_pragma=synchronous(NORMAL)&_pragma=busy_timeout(10000)" +
	"&_pragma=temp_store(MEMORY)&_pragma=cache_size(-8000)"

// openStore opens or creates the database file.
func openStore(ctx context.Context, file string, now func() time.Time) (*store, error) {
	dsn := "file:" + (&url.URL{Path: file}).EscapedPath() + "?" + pragmas
	writers, err := sql.Open("sqlite", dsn)
	if err != nil {
		return nil, fmt.Errorf("cannot open database %s: %w", file, err)
	}
	writers.SetMaxOpenConns(1)
	st := &store{writers: writers, now: now, stmts: map[string]*sql.Stmt{}}
	if err := st.prepare(ctx, file, dsn); err != nil {
		_ = st.close()
		return nil, err
	}
	return st, nil
}

// prepare takes the writing connection, creates the tables of a new database and
// opens the readers.
func (st *store) prepare(ctx context.Context, file, dsn string) error {
	var err error
	if st.conn, err = st.writers.Conn(ctx); err != nil {
		return fmt.Errorf("cannot open database %s: %w", file, err)
	}
	var version int
	if err := st.conn.QueryRowContext(ctx, "PRAGMA user_version").Scan(&version); err != nil {
		return fmt.Errorf("cannot read database %s: %w", file, err)
	}
	switch {
	case version > schemaVersion:
		return fmt.Errorf("database %s has schema %d, this program knows %d: use a newer cytorun", file, version, schemaVersion)
	case version == 0:
		_, err := st.conn.ExecContext(ctx, fmt.Sprintf("BEGIN IMMEDIATE;%s;PRAGMA user_version=%d;COMMIT", schema, schemaVersion))
		if err != nil {
			return fmt.Errorf("cannot create the tables of %s: %w", file, err)
		}
	}
	if err := st.conn.QueryRowContext(ctx, "SELECT next FROM sequence").Scan(&st.next); err != nil {
		return fmt.Errorf("cannot read the sequence of %s: %w", file, err)
	}
	if st.readers, err = sql.Open("sqlite", dsn+"&_pragma=query_only(1)"); err != nil {
		return fmt.Errorf("cannot open database %s: %w", file, err)
	}
	st.readers.SetMaxOpenConns(8)
	st.readers.SetMaxIdleConns(8)
	return nil
}

// close waits for a write under way and closes every connection.
func (st *store) close() error {
	st.mu.Lock()
	defer st.mu.Unlock()
	var errs []error
	for _, s := range st.stmts {
		errs = append(errs, s.Close())
	}
	if st.readers != nil {
		errs = append(errs, st.readers.Close())
	}
	if st.conn != nil {
		errs = append(errs, st.conn.Close())
	}
	return errors.Join(append(errs, st.writers.Close())...)
}

// reader is the pool of readers bound to a context.
type reader struct {
	ctx context.Context
	db  *sql.DB
}

func (r reader) query(q string, args ...any) (*sql.Rows, error) {
	return r.db.QueryContext(r.ctx, q, args...)
}

// read returns a querier that sees everything committed so far.
func (st *store) read(ctx context.Context) querier { return reader{ctx: ctx, db: st.readers} }

// tx is a write transaction. It is valid inside the function given to update only.
type tx struct {
	ctx context.Context
	st  *store
	now int64 // the instant of the transaction, milliseconds since 1970
}

// update runs fn in a write transaction and commits if it returns nil. A client
// that goes away does not abort a write already begun, so that what it will see
// when it comes back is either everything or nothing.
func (st *store) update(ctx context.Context, fn func(*tx) error) error {
	st.mu.Lock()
	defer st.mu.Unlock()
	t := &tx{ctx: context.WithoutCancel(ctx), st: st, now: st.now().UnixMilli()}
	first := st.next
	if err := t.exec("BEGIN IMMEDIATE"); err != nil {
		return fmt.Errorf("cannot begin a transaction: %w", err)
	}
	err := func() (err error) {
		defer func() {
			if p := recover(); p != nil {
				err = fmt.Errorf("panic in a transaction: %v", p)
			}
		}()
		return fn(t)
	}()
	if err == nil && st.next != first {
		err = t.exec("UPDATE sequence SET next=?", st.next)
	}
	if err == nil {
		if err = t.exec("COMMIT"); err == nil {
			return nil
		}
	}
	st.next = first
	if rerr := t.exec("ROLLBACK"); rerr != nil {
		return errors.Join(err, rerr)
	}
	return err
}

// id takes the next number of the one sequence.
func (t *tx) id() int64 {
	t.st.next++
	return t.st.next - 1
}

// stmt returns the statement prepared once for the writing connection.
func (t *tx) stmt(q string) (*sql.Stmt, error) {
	if s := t.st.stmts[q]; s != nil {
		return s, nil
	}
	s, err := t.st.conn.PrepareContext(t.ctx, q)
	if err != nil {
		return nil, fmt.Errorf("cannot prepare %q: %w", q, err)
	}
	// Queries with lists of ids differ each time: keep the cache small.
	if len(t.st.stmts) > 200 {
		for k, old := range t.st.stmts {
			_ = old.Close()
			delete(t.st.stmts, k)
		}
	}
	t.st.stmts[q] = s
	return s, nil
}

func (t *tx) query(q string, args ...any) (*sql.Rows, error) {
	s, err := t.stmt(q)
	if err != nil {
		return nil, err
	}
	return s.QueryContext(t.ctx, args...)
}

func (t *tx) exec(q string, args ...any) error {
	s, err := t.stmt(q)
	if err != nil {
		return err
	}
	_, err = s.ExecContext(t.ctx, args...)
	return err
}

// one scans the first row of a query into dest and reports whether there was one.
func one(q querier, query string, args []any, dest ...any) (bool, error) {
	rows, err := q.query(query, args...)
	if err != nil {
		return false, err
	}
	defer rows.Close()
	if !rows.Next() {
		return false, rows.Err()
	}
	if err := rows.Scan(dest...); err != nil {
		return false, err
	}
	return true, rows.Err()
}

// exists reports whether a query returns a row.
func exists(q querier, query string, args ...any) (bool, error) {
	var n any
	return one(q, query, args, &n)
}

// ids returns the first column of a query.
func ids(q querier, query string, args ...any) ([]int64, error) {
	rows, err := q.query(query, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	out := []int64{}
	for rows.Next() {
		var id int64
		if err := rows.Scan(&id); err != nil {
			return nil, err
		}
		out = append(out, id)
	}
	return out, rows.Err()
}
