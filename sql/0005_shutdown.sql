-- A pool that a person has shut down stays so, whatever the configuration says; and until when that may take.

ALTER TABLE pools ADD COLUMN shut_down INTEGER NOT NULL DEFAULT 0;
ALTER TABLE operations ADD COLUMN ends_at_ms INTEGER NOT NULL DEFAULT 0;
