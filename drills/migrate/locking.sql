-- The negative control: the same change, which holds an exclusive lock on the table for 10 s.
BEGIN;
LOCK TABLE orders IN ACCESS EXCLUSIVE MODE;
ALTER TABLE orders ADD COLUMN IF NOT EXISTS note text;
SELECT pg_sleep(10);
COMMIT;
