-- Contract: no release reads the column any more.
SET lock_timeout = '2s';
ALTER TABLE orders DROP COLUMN note;
