DO $$
DECLARE r record;
BEGIN
    FOR r IN SELECT format('DROP VIEW IF EXISTS centralpay_known.%I CASCADE', viewname) AS statement FROM pg_views
             WHERE schemaname = 'centralpay_known'
    LOOP EXECUTE r.statement; END LOOP;
END $$;
