-- NOT VALID: existing rows are not scanned while the table is locked.
SET lock_timeout = '2s';
ALTER TABLE orders
    ADD CONSTRAINT orders_note_present CHECK (note IS NOT NULL OR created_at > now() - interval '1 day') NOT VALID;
