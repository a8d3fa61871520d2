-- Expand: a column that may be empty. The release before does not know it.
SET lock_timeout = '2s';
ALTER TABLE orders ADD COLUMN IF NOT EXISTS note text;
