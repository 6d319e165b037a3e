-- Takes everything of this step away again. The schema and the version table belong to the set-up.
DO $$
DECLARE r record;
BEGIN
    FOR r IN
        SELECT format('DROP VIEW IF EXISTS %I CASCADE', viewname) AS statement FROM pg_views WHERE schemaname = 'centralpay'
        UNION ALL
        SELECT format('DROP TABLE IF EXISTS %I CASCADE', tablename) FROM pg_tables
        WHERE schemaname = 'centralpay' AND tablename <> 'alembic_version'
    LOOP EXECUTE r.statement; END LOOP;
    FOR r IN
        SELECT format('DROP FUNCTION IF EXISTS %s CASCADE', oid::regprocedure) AS statement FROM pg_proc
        WHERE pronamespace = 'centralpay'::regnamespace
        UNION ALL
        SELECT format('DROP SEQUENCE IF EXISTS %I CASCADE', sequencename) FROM pg_sequences WHERE schemaname = 'centralpay'
    LOOP EXECUTE r.statement; END LOOP;
    FOR r IN
        SELECT format('DROP TYPE IF EXISTS %I CASCADE', t.typname) AS statement
        FROM pg_type t LEFT JOIN pg_class c ON c.oid = t.typrelid
        WHERE t.typnamespace = 'centralpay'::regnamespace AND (t.typtype = 'e' OR c.relkind = 'c')
    LOOP EXECUTE r.statement; END LOOP;
END $$;
