package embedded

// schemaVersion is kept in PRAGMA user_version. A database with a higher number
// was written by a newer program and is refused.
const schemaVersion = 1

// schema creates every table. Instants are milliseconds since 1970 in UTC, as on
// the wire. Foreign keys carry no constraint: what is deleted with what is
// decided by the classes, as in the original server.
const schema = `
CREATE TABLE sequence (next INTEGER NOT NULL);
INSERT INTO sequence VALUES (100);

CREATE TABLE user (
  id INTEGER PRIMARY KEY, created INTEGER, updated INTEGER,
  username TEXT NOT NULL, algo INTEGER NOT NULL DEFAULT 0, origin TEXT,
  firstname TEXT, lastname TEXT, email TEXT, language TEXT, color TEXT, role TEXT NOT NULL,
  public_key TEXT NOT NULL UNIQUE, private_key TEXT NOT NULL, enabled INTEGER NOT NULL DEFAULT 1,
  creator INTEGER, human INTEGER, job INTEGER, rate REAL);
CREATE UNIQUE INDEX user_name ON user(username COLLATE NOCASE) WHERE algo = 0;
CREATE INDEX user_job ON user(job);
CREATE INDEX user_human ON user(human, algo);

CREATE TABLE discipline (id INTEGER PRIMARY KEY, created INTEGER, updated INTEGER, name TEXT NOT NULL);

CREATE TABLE ontology (id INTEGER PRIMARY KEY, created INTEGER, updated INTEGER, name TEXT NOT NULL, user INTEGER);

CREATE TABLE term (
  id INTEGER PRIMARY KEY, created INTEGER, updated INTEGER,
  name TEXT NOT NULL, comment TEXT, ontology INTEGER NOT NULL, color TEXT, parent INTEGER);
CREATE INDEX term_ontology ON term(ontology);

CREATE TABLE project (
  id INTEGER PRIMARY KEY, created INTEGER, updated INTEGER,
  name TEXT NOT NULL, ontology INTEGER, discipline INTEGER,
  blind INTEGER, downloadable INTEGER, closed INTEGER, readonly INTEGER, restricted INTEGER,
  hide_users INTEGER, hide_admins INTEGER, retrieval_disable INTEGER, retrieval_all INTEGER,
  images INTEGER NOT NULL DEFAULT 0, user_annotations INTEGER NOT NULL DEFAULT 0,
  job_annotations INTEGER NOT NULL DEFAULT 0, reviewed_annotations INTEGER NOT NULL DEFAULT 0);
CREATE INDEX project_ontology ON project(ontology);

CREATE TABLE member (
  project INTEGER NOT NULL, user INTEGER NOT NULL, manager INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (project, user)) WITHOUT ROWID;
CREATE INDEX member_user ON member(user, project);

CREATE TABLE software (
  id INTEGER PRIMARY KEY, created INTEGER, updated INTEGER,
  name TEXT NOT NULL, version TEXT, repository INTEGER, processing_server INTEGER, result_name TEXT,
  execute_command TEXT, pulling_command TEXT, deprecated INTEGER, source_path TEXT, user INTEGER);
CREATE INDEX software_name ON software(name, version);

CREATE TABLE software_parameter (
  id INTEGER PRIMARY KEY, created INTEGER, updated INTEGER,
  software INTEGER NOT NULL, name TEXT NOT NULL, type TEXT NOT NULL, default_value TEXT, required INTEGER,
  position INTEGER, uri TEXT, uri_print TEXT, uri_sort TEXT, set_by_server INTEGER, server_parameter INTEGER,
  human_name TEXT, value_key TEXT, flag TEXT);
CREATE INDEX software_parameter_software ON software_parameter(software, position);

CREATE TABLE software_project (
  id INTEGER PRIMARY KEY, created INTEGER, updated INTEGER, software INTEGER NOT NULL, project INTEGER NOT NULL,
  UNIQUE (project, software));
CREATE INDEX software_project_software ON software_project(software);

CREATE TABLE processing_server (
  id INTEGER PRIMARY KEY, created INTEGER, updated INTEGER, name TEXT, host TEXT, username TEXT, port INTEGER,
  type TEXT, method TEXT, persistent_directory TEXT, working_directory TEXT, position INTEGER);

CREATE TABLE repository (
  id INTEGER PRIMARY KEY, created INTEGER, updated INTEGER,
  provider TEXT, username TEXT, docker_username TEXT, prefix TEXT);

CREATE TABLE job (
  id INTEGER PRIMARY KEY, created INTEGER, updated INTEGER,
  project INTEGER NOT NULL, software INTEGER NOT NULL, number INTEGER NOT NULL,
  status INTEGER NOT NULL, progress INTEGER NOT NULL, comment TEXT, processing_server INTEGER,
  rate REAL, data_deleted INTEGER, favorite INTEGER, launcher INTEGER, user_job INTEGER);
CREATE INDEX job_created ON job(created, id, status, software, launcher, project);
CREATE INDEX job_project ON job(project, created, id, status, software, launcher);
CREATE INDEX job_software ON job(software, project, number);
CREATE INDEX job_software_status ON job(software, status);

CREATE TABLE job_parameter (
  id INTEGER PRIMARY KEY, created INTEGER, updated INTEGER,
  job INTEGER NOT NULL, parameter INTEGER NOT NULL, value TEXT, UNIQUE (job, parameter));

CREATE TABLE job_data (
  id INTEGER PRIMARY KEY, created INTEGER, updated INTEGER,
  job INTEGER NOT NULL, key TEXT NOT NULL, filename TEXT NOT NULL, size INTEGER);
CREATE INDEX job_data_job ON job_data(job);

CREATE TABLE attached_file (
  id INTEGER PRIMARY KEY, created INTEGER, updated INTEGER,
  class TEXT NOT NULL, ident INTEGER NOT NULL, filename TEXT NOT NULL, size INTEGER NOT NULL);
CREATE INDEX attached_file_ident ON attached_file(ident, class);

CREATE TABLE description (
  id INTEGER PRIMARY KEY, created INTEGER, updated INTEGER,
  class TEXT NOT NULL, ident INTEGER NOT NULL, data TEXT NOT NULL, UNIQUE (ident, class));

CREATE TABLE property (
  id INTEGER PRIMARY KEY, created INTEGER, updated INTEGER,
  class TEXT NOT NULL, ident INTEGER NOT NULL, key TEXT NOT NULL, value TEXT NOT NULL, UNIQUE (ident, key, value));

CREATE TABLE tag (id INTEGER PRIMARY KEY, created INTEGER, updated INTEGER, name TEXT NOT NULL, user INTEGER);

CREATE TABLE tag_association (
  id INTEGER PRIMARY KEY, created INTEGER, updated INTEGER,
  class TEXT NOT NULL, ident INTEGER NOT NULL, tag INTEGER NOT NULL, UNIQUE (ident, class, tag));

CREATE TABLE storage (id INTEGER PRIMARY KEY, created INTEGER, updated INTEGER, name TEXT, user INTEGER);

CREATE TABLE uploaded_file (
  id INTEGER PRIMARY KEY, created INTEGER, updated INTEGER,
  original_filename TEXT, filename TEXT, content_type TEXT, ext TEXT, size INTEGER, status INTEGER,
  storage INTEGER, user INTEGER, parent INTEGER);

CREATE TABLE abstract_image (
  id INTEGER PRIMARY KEY, created INTEGER, updated INTEGER,
  original_filename TEXT NOT NULL, filename TEXT NOT NULL, mime TEXT, extension TEXT,
  width INTEGER, height INTEGER, colorspace TEXT, channels INTEGER, bits INTEGER,
  resolution REAL, magnification INTEGER, slice INTEGER, uploaded_file INTEGER, user INTEGER);

CREATE TABLE image_instance (
  id INTEGER PRIMARY KEY, created INTEGER, updated INTEGER,
  base_image INTEGER NOT NULL, project INTEGER NOT NULL, user INTEGER, instance_filename TEXT,
  resolution REAL, magnification INTEGER, slice INTEGER, review_start INTEGER, review_stop INTEGER, review_user INTEGER,
  user_annotations INTEGER NOT NULL DEFAULT 0, job_annotations INTEGER NOT NULL DEFAULT 0,
  reviewed_annotations INTEGER NOT NULL DEFAULT 0);
CREATE INDEX image_instance_project ON image_instance(project, created);
CREATE INDEX image_instance_base ON image_instance(base_image);

CREATE TABLE annotation (
  id INTEGER PRIMARY KEY, created INTEGER, updated INTEGER,
  kind INTEGER NOT NULL, image INTEGER NOT NULL, project INTEGER NOT NULL, user INTEGER NOT NULL, slice INTEGER,
  location TEXT NOT NULL, compression REAL, area REAL, perimeter REAL, micron INTEGER NOT NULL,
  x REAL, y REAL, minx REAL, miny REAL, maxx REAL, maxy REAL,
  parent INTEGER, review_user INTEGER, reviews INTEGER NOT NULL DEFAULT 0);
CREATE INDEX annotation_project ON annotation(project, kind);
CREATE INDEX annotation_image ON annotation(image, kind);
CREATE INDEX annotation_user ON annotation(user, kind);
CREATE INDEX annotation_parent ON annotation(parent) WHERE parent IS NOT NULL;

CREATE TABLE annotation_term (
  id INTEGER PRIMARY KEY, created INTEGER, updated INTEGER,
  annotation INTEGER NOT NULL, term INTEGER NOT NULL, user INTEGER NOT NULL, algo INTEGER NOT NULL,
  expected INTEGER, rate REAL, UNIQUE (annotation, term, user));
CREATE INDEX annotation_term_term ON annotation_term(term, annotation);

CREATE TRIGGER image_added AFTER INSERT ON image_instance BEGIN
  UPDATE project SET images = images + 1 WHERE id = NEW.project;
END;
CREATE TRIGGER image_removed AFTER DELETE ON image_instance BEGIN
  UPDATE project SET images = images - 1 WHERE id = OLD.project;
END;
CREATE TRIGGER annotation_added AFTER INSERT ON annotation BEGIN
  UPDATE image_instance SET user_annotations = user_annotations + (NEW.kind = 0),
    job_annotations = job_annotations + (NEW.kind = 1),
    reviewed_annotations = reviewed_annotations + (NEW.kind = 2) WHERE id = NEW.image;
  UPDATE project SET user_annotations = user_annotations + (NEW.kind = 0),
    job_annotations = job_annotations + (NEW.kind = 1),
    reviewed_annotations = reviewed_annotations + (NEW.kind = 2) WHERE id = NEW.project;
  UPDATE annotation SET reviews = reviews + 1 WHERE NEW.kind = 2 AND id = NEW.parent;
END;
CREATE TRIGGER annotation_removed AFTER DELETE ON annotation BEGIN
  UPDATE image_instance SET user_annotations = user_annotations - (OLD.kind = 0),
    job_annotations = job_annotations - (OLD.kind = 1),
    reviewed_annotations = reviewed_annotations - (OLD.kind = 2) WHERE id = OLD.image;
  UPDATE project SET user_annotations = user_annotations - (OLD.kind = 0),
    job_annotations = job_annotations - (OLD.kind = 1),
    reviewed_annotations = reviewed_annotations - (OLD.kind = 2) WHERE id = OLD.project;
  UPDATE annotation SET reviews = reviews - 1 WHERE OLD.kind = 2 AND id = OLD.parent;
  DELETE FROM annotation_term WHERE annotation = OLD.id;
  DELETE FROM property WHERE ident = OLD.id;
  DELETE FROM description WHERE ident = OLD.id;
  DELETE FROM tag_association WHERE ident = OLD.id;
END;
`
