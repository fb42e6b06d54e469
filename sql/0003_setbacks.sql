-- Machines of a pool that never became hosts: its launches stay rare over a restart.

ALTER TABLE pools ADD COLUMN setback TEXT; -- JSON; NULL: the last one succeeded
