-- Removes whatever an interrupted run of the steps or of the negative control has left.
SET lock_timeout = '5s';
ALTER TABLE orders DROP CONSTRAINT IF EXISTS orders_note_present;
ALTER TABLE orders DROP COLUMN IF EXISTS note;
