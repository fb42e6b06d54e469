-- The first schema.  Times are Unix milliseconds, 0 where something has not happened; names of states
-- are those of the domain (a test compares the CHECKs with its tables).  References are checked at the
-- end of a transaction, so that the rows of a turn may be written in any order.  An IN of more than two
-- values would build an index of them for each row that is written: hence the ORs.

CREATE TABLE meta (
    key   TEXT NOT NULL PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE pools (
    id            INTEGER PRIMARY KEY,
    name          TEXT    NOT NULL,
    provider      TEXT    NOT NULL CHECK (provider = 'local' OR provider = 'static'),
    policy        TEXT    NOT NULL, -- JSON
    rev           INTEGER NOT NULL,
    created_at_ms INTEGER NOT NULL
) STRICT;

CREATE TABLE blueprints (
    id            INTEGER PRIMARY KEY, -- of one version
    name          TEXT    NOT NULL,
    version       INTEGER NOT NULL CHECK (version >= 1),
    created_at_ms INTEGER NOT NULL,
    latest        INTEGER NOT NULL CHECK (latest IN (0, 1)),
    deleted       INTEGER NOT NULL CHECK (deleted IN (0, 1)),
    spec          TEXT    NOT NULL -- JSON
) STRICT;

CREATE TABLE hosts (
    id                 INTEGER PRIMARY KEY,
    pool_id            INTEGER NOT NULL REFERENCES pools (id) DEFERRABLE INITIALLY DEFERRED,
    name               TEXT    NOT NULL,
    address            TEXT,
    waiting_for        TEXT,
    reason             TEXT,
    engine_version     TEXT,
    engine_api         TEXT,
    engine_id          TEXT,
    endpoint_engine    TEXT,
    endpoint_ca        TEXT,
    endpoint_cert      TEXT,
    endpoint_key       TEXT, -- the path of a file, not the key
    endpoint_plain     INTEGER NOT NULL CHECK (endpoint_plain IN (0, 1)),
    labels             TEXT    NOT NULL, -- JSON
    total_memory_bytes INTEGER NOT NULL,
    total_cpus_milli   INTEGER NOT NULL,
    total_slots        INTEGER NOT NULL,
    score_milli        INTEGER NOT NULL,
    score_at_ms        INTEGER NOT NULL,
    score_last_at_ms   INTEGER NOT NULL,
    score_last_kind    TEXT    NOT NULL, -- a fault's code
    created_at_ms      INTEGER NOT NULL,
    active_at_ms       INTEGER NOT NULL,
    ends_at_ms         INTEGER NOT NULL,
    removed_at_ms      INTEGER NOT NULL,
    rev                INTEGER NOT NULL,
    state              TEXT    NOT NULL
                       CHECK (state = 'spawned' OR state = 'active' OR state = 'inactive' OR state = 'removed'),
    remove_when_empty  INTEGER NOT NULL CHECK (remove_when_empty IN (0, 1)),
    lost               INTEGER NOT NULL CHECK (lost IN (0, 1)),
    configured         INTEGER NOT NULL CHECK (configured IN (0, 1))
) STRICT;

CREATE TABLE instances (
    id            INTEGER PRIMARY KEY,
    blueprint_id  INTEGER NOT NULL REFERENCES blueprints (id) DEFERRABLE INITIALLY DEFERRED,
    pool_id       INTEGER NOT NULL REFERENCES pools (id) DEFERRABLE INITIALLY DEFERRED,
    host_id       INTEGER REFERENCES hosts (id) DEFERRABLE INITIALLY DEFERRED,
    last_host_id  INTEGER NOT NULL, -- may outlive the host's row
    owner         TEXT    NOT NULL,
    reason        TEXT,
    name          TEXT,
    ports         BLOB, -- of each: container and host port, little endian, protocol: 5 bytes
    created_at_ms INTEGER NOT NULL,
    moved_at_ms   INTEGER NOT NULL,
    started_at_ms INTEGER NOT NULL,
    ended_at_ms   INTEGER NOT NULL,
    ends_at_ms    INTEGER NOT NULL,
    lifetime_ms   INTEGER NOT NULL,
    retry_at_ms   INTEGER NOT NULL,
    exit_code     INTEGER NOT NULL, -- -1: none
    generation    INTEGER NOT NULL,
    restarts      INTEGER NOT NULL,
    oom_kills     INTEGER NOT NULL,
    rev           INTEGER NOT NULL,
    container_id  BLOB CHECK (length(container_id) = 32),
    state         TEXT    NOT NULL,
    desired       TEXT    NOT NULL CHECK (desired = 'running' OR desired = 'stopped'),
    attempts      INTEGER NOT NULL,
    oom_told      INTEGER NOT NULL CHECK (oom_told IN (0, 1)),
    end_announced INTEGER NOT NULL CHECK (end_announced IN (0, 1)),
    -- A row that holds a host says so in its state, and the other way round.
    CHECK (CASE WHEN host_id IS NULL
           THEN state = 'queued' OR state = 'stopped' OR state = 'failed'
           ELSE state = 'starting' OR state = 'running' OR state = 'stopping' END)
) STRICT;

CREATE TABLE tokens (
    id            INTEGER PRIMARY KEY,
    digest        BLOB    NOT NULL CHECK (length(digest) = 32), -- SHA-256; the secret is nowhere
    role          TEXT    NOT NULL CHECK (role = 'user' OR role = 'operator' OR role = 'admin'),
    name          TEXT,
    owner         TEXT,
    pools         TEXT    NOT NULL, -- JSON
    created_at_ms INTEGER NOT NULL,
    expires_at_ms INTEGER NOT NULL
) STRICT;

CREATE TABLE operations (
    id            INTEGER PRIMARY KEY,
    kind          TEXT    NOT NULL,
    state         TEXT    NOT NULL
                  CHECK (state = 'running' OR state = 'done' OR state = 'failed' OR state = 'cancelled'),
    owner         TEXT,
    pool          TEXT,
    host_id       INTEGER NOT NULL,
    subject       TEXT,
    text          TEXT,
    progress      INTEGER NOT NULL,
    total         INTEGER NOT NULL,
    created_at_ms INTEGER NOT NULL,
    ended_at_ms   INTEGER NOT NULL
) STRICT;

CREATE TABLE images (
    id            INTEGER PRIMARY KEY,
    pool_id       INTEGER NOT NULL REFERENCES pools (id) DEFERRABLE INITIALLY DEFERRED,
    digest        TEXT    NOT NULL,
    refs          TEXT,
    size_bytes    INTEGER NOT NULL,
    created_at_ms INTEGER NOT NULL
) STRICT;

-- History: written once, kept within bounds.

CREATE TABLE events (
    seq         INTEGER PRIMARY KEY,
    at_ms       INTEGER NOT NULL,
    kind        TEXT    NOT NULL,
    pool_id     INTEGER,
    host_id     INTEGER,
    instance_id INTEGER,
    owner       TEXT,
    text        TEXT
) STRICT;

-- Ids of instances rise, so this costs a launch little; an index by host would halve the rate.
CREATE INDEX events_instance ON events (instance_id) WHERE instance_id IS NOT NULL;

CREATE TABLE decisions (
    instance_id INTEGER NOT NULL,
    generation  INTEGER NOT NULL,
    at_ms       INTEGER NOT NULL,
    json        TEXT    NOT NULL,
    PRIMARY KEY (instance_id, generation)
) STRICT, WITHOUT ROWID;

CREATE TABLE logs (
    id          INTEGER PRIMARY KEY,
    instance_id INTEGER NOT NULL,
    generation  INTEGER NOT NULL,
    at_ms       INTEGER NOT NULL,
    bytes       INTEGER NOT NULL,
    data        BLOB    NOT NULL
) STRICT;

-- With the sizes, so that their sum needs no look at the data.
CREATE INDEX logs_instance ON logs (instance_id, bytes);

CREATE TABLE answers (
    key      TEXT    NOT NULL PRIMARY KEY,
    digest   BLOB    NOT NULL CHECK (length(digest) = 32),
    at_ms    INTEGER NOT NULL,
    status   INTEGER NOT NULL,
    location TEXT,
    body     BLOB    NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX answers_at ON answers (at_ms);
