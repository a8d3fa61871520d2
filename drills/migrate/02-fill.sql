-- Fill in batches of 500, each in its own transaction: no row stays locked for longer than one batch takes.
DO $$
DECLARE
    low bigint := 0;
BEGIN
    WHILE low <= (SELECT coalesce(max(id), 0) FROM orders) LOOP
        UPDATE orders SET note = '' WHERE id > low AND id <= low + 500 AND note IS NULL;
        low := low + 500;
        COMMIT;
    END LOOP;
END
$$;
