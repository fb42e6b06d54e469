-- Where the machines of a pool were launched: another region or account knows nothing of them.

ALTER TABLE pools ADD COLUMN place TEXT; -- JSON; NULL: not known, or no machine was ever rented
