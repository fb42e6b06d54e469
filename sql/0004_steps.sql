-- What the preparation of a host did, step by step.

CREATE TABLE host_steps (
    id            INTEGER PRIMARY KEY,
    host_id       INTEGER NOT NULL,
    run           INTEGER NOT NULL, -- from 1
    step          INTEGER NOT NULL, -- from 1; 0: the connection
    steps         INTEGER NOT NULL, -- of the playbook; 0: it was not known
    name          TEXT    NOT NULL,
    started_at_ms INTEGER NOT NULL,
    took_ms       INTEGER NOT NULL,
    ended         TEXT    NOT NULL
                  CHECK (ended = 'ok' OR ended = 'changed' OR ended = 'skipped' OR ended = 'failed'),
    reason        TEXT,             -- of the failure
    cut_bytes     INTEGER NOT NULL, -- of output, before what was kept
    bytes         INTEGER NOT NULL,
    output        BLOB    NOT NULL,
    UNIQUE (host_id, run, step)
) STRICT;

-- The sum of sizes needs no look at the output.
CREATE INDEX host_steps_bytes ON host_steps (bytes);
