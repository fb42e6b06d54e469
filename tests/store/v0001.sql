-- A database as the first schema left it: written by version 0001, and never to be changed.
PRAGMA application_id = 1650815604;
PRAGMA user_version = 1;
PRAGMA foreign_keys=OFF;
BEGIN TRANSACTION;
CREATE TABLE meta (
    key   TEXT NOT NULL PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO meta VALUES('cluster_id','0123456789abcdef');
CREATE TABLE pools (
    id            INTEGER PRIMARY KEY,
    name          TEXT    NOT NULL,
    provider      TEXT    NOT NULL CHECK (provider = 'local' OR provider = 'static'),
    policy        TEXT    NOT NULL, -- JSON
    rev           INTEGER NOT NULL,
    created_at_ms INTEGER NOT NULL
) STRICT;
INSERT INTO pools VALUES(11,'lab','static','{"overcommit":{"memory":1.25,"cpus":4},"reserve":{"memory_bytes":123456789,"cpus":0.5},"labels":{"zone":"a"},"error_threshold":2.5,"slots_per_host":40,"starts_per_host":6,"drain_deadline_s":60,"anti_affinity":3}',7,1700000000001);
INSERT INTO pools VALUES(12,'other','local','{"overcommit":{"memory":1,"cpus":1},"reserve":{"memory_bytes":268435456,"cpus":0},"labels":{},"error_threshold":3,"slots_per_host":0,"starts_per_host":0,"drain_deadline_s":3600,"anti_affinity":0}',0,0);
CREATE TABLE blueprints (
    id            INTEGER PRIMARY KEY, -- of one version
    name          TEXT    NOT NULL,
    version       INTEGER NOT NULL CHECK (version >= 1),
    created_at_ms INTEGER NOT NULL,
    latest        INTEGER NOT NULL CHECK (latest IN (0, 1)),
    deleted       INTEGER NOT NULL CHECK (deleted IN (0, 1)),
    spec          TEXT    NOT NULL -- JSON
) STRICT;
INSERT INTO blueprints VALUES(21,'notebook',4,1700000000002,1,0,'{"name":"notebook","image":"registry.example/lab/notebook:3","command":["run","--id={instance_id}",""],"entrypoint":["/bin/sh","-c"],"env":{"A":"1","OWNER":"{owner}","QUOTE":"\"''\\ é"},"ports":[{"container":8888,"host":0,"protocol":"tcp","name":"web"},{"container":53,"host":5353,"protocol":"udp"}],"memory_bytes":536870912,"memory_swap_bytes":0,"memory_reservation_bytes":1048576,"cpus":1.5,"pids":99,"slots":3,"lifetime_s":3600,"idle_timeout_s":0,"end_grace_s":60,"max_per_user":2,"log_bytes":10485760,"stop_grace_s":10,"labels":{},"host_labels":{},"tmpfs":{},"cap_add":[],"ulimits":[],"ready":{"kind":"port","port":0,"path":null,"timeout_s":60},"restart":{"policy":"no","max_retries":0},"read_only":true,"pull":"never","pool":"lab"}');
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
INSERT INTO hosts VALUES(31,11,'full','10.1.2.3','draining','an operator''s, with ''quotes'' and é','20.10.24','1.41','ABCD:EFGH','tcp://10.1.2.3:2376','/etc/berth/ca.pem','/etc/berth/cert.pem','/etc/berth/key.pem',1,'{"disk":"ssd","zone":"a \"quoted\" one"}',68719476736,16000,40,1750,1700000000003,1700000000004,'timeout',1700000000005,1700000000006,1700000000007,1700000000008,9,'inactive',1,1,1);
INSERT INTO hosts VALUES(32,12,'host-32','10.0.0.9',NULL,NULL,NULL,NULL,NULL,'tcp://10.0.0.9:2376',NULL,NULL,NULL,0,'{}',68719476736,64000,0,0,0,0,'none',0,0,0,0,0,'active',0,0,0);
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
INSERT INTO instances VALUES(41,21,11,31,31,'bob','its host is drained','my notebook',X'b82201c000fffffeff01',1700000000010,1700000000011,1700000000012,1700000000013,1700000000014,3600000,1700000000015,137,4294967295,2,3,4,X'ababababababababababababababababababababababababababababababab00','stopping','stopped',5,1,1);
INSERT INTO instances VALUES(42,21,11,NULL,0,'carol',NULL,NULL,NULL,1700000000020,0,0,0,0,0,0,-1,0,0,0,0,NULL,'queued','running',0,0,0);
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
INSERT INTO tokens VALUES(51,X'5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c','operator','ci','dave','["lab","other"]',1700000000030,1700000000031);
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
INSERT INTO operations VALUES(61,'host_drain','failed','erin','lab',31,'busybox:1','it went wrong',17,23,1700000000040,1700000000041);
CREATE TABLE images (
    id            INTEGER PRIMARY KEY,
    pool_id       INTEGER NOT NULL REFERENCES pools (id) DEFERRABLE INITIALLY DEFERRED,
    digest        TEXT    NOT NULL,
    refs          TEXT,
    size_bytes    INTEGER NOT NULL,
    created_at_ms INTEGER NOT NULL
) STRICT;
INSERT INTO images VALUES(71,11,'0123456789abcdef','busybox:1 busybox:latest',4242,1700000000050);
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
INSERT INTO events VALUES(1,1700000001001,'instance.running',11,31,41,'bob','it''s so');
INSERT INTO events VALUES(2,1700000001002,'host.active',11,31,NULL,NULL,'it''s so');
INSERT INTO events VALUES(3,1700000001003,'instance.running',NULL,31,41,'bob','it''s so');
CREATE TABLE decisions (
    instance_id INTEGER NOT NULL,
    generation  INTEGER NOT NULL,
    at_ms       INTEGER NOT NULL,
    json        TEXT    NOT NULL,
    PRIMARY KEY (instance_id, generation)
) STRICT, WITHOUT ROWID;
INSERT INTO decisions VALUES(41,1,1700000002000,'{"why":"best fit"}');
CREATE TABLE logs (
    id          INTEGER PRIMARY KEY,
    instance_id INTEGER NOT NULL,
    generation  INTEGER NOT NULL,
    at_ms       INTEGER NOT NULL,
    bytes       INTEGER NOT NULL,
    data        BLOB    NOT NULL
) STRICT;
INSERT INTO logs VALUES(1,41,1,1700000003000,8,X'68656c6c6f0a0078');
CREATE TABLE answers (
    key      TEXT    NOT NULL PRIMARY KEY,
    digest   BLOB    NOT NULL CHECK (length(digest) = 32),
    at_ms    INTEGER NOT NULL,
    status   INTEGER NOT NULL,
    location TEXT,
    body     BLOB    NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO answers VALUES('51 abc',X'0707070707070707070707070707070707070707070707070707070707070707',1700000004000,202,'/v1/instances/i-1',X'7b7d');
CREATE INDEX events_instance ON events (instance_id) WHERE instance_id IS NOT NULL;
CREATE INDEX logs_instance ON logs (instance_id, bytes);
CREATE INDEX answers_at ON answers (at_ms);
COMMIT;
