-- Hosts on rented machines, hosts on trial, and what a pool spends.  The table of pools is made anew,
-- since a CHECK cannot be changed; references to it are by name and stay.

CREATE TABLE pools_new (
    id            INTEGER PRIMARY KEY,
    name          TEXT    NOT NULL,
    provider      TEXT    NOT NULL CHECK (provider = 'local' OR provider = 'static' OR provider = 'ec2'),
    policy        TEXT    NOT NULL, -- JSON
    machines      TEXT    NOT NULL, -- JSON: the machine types that may be launched
    rev           INTEGER NOT NULL,
    created_at_ms INTEGER NOT NULL,
    grown_at_ms   INTEGER NOT NULL,
    spent_micro   INTEGER NOT NULL, -- by machines that ended in spent_month
    spent_month   INTEGER NOT NULL  -- 202611
) STRICT;

INSERT INTO pools_new SELECT id, name, provider, policy, '{}', rev, created_at_ms, 0, 0, 0 FROM pools;
DROP TABLE pools;
ALTER TABLE pools_new RENAME TO pools;

ALTER TABLE hosts ADD COLUMN cause TEXT NOT NULL DEFAULT 'none'
    CHECK (cause = 'none' OR cause = 'operator' OR cause = 'age' OR cause = 'uses' OR cause = 'errors' OR
           cause = 'gave_up' OR cause = 'consolidated' OR cause = 'shutdown' OR cause = 'notice');
ALTER TABLE hosts ADD COLUMN first_used_at_ms INTEGER NOT NULL DEFAULT 0;
ALTER TABLE hosts ADD COLUMN uses INTEGER NOT NULL DEFAULT 0;
ALTER TABLE hosts ADD COLUMN machine TEXT; -- JSON; NULL: not ours to launch or end
ALTER TABLE hosts ADD COLUMN trial TEXT;   -- JSON; NULL: it is trusted
