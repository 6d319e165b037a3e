DO $$
DECLARE t text;
BEGIN
    FOR t IN SELECT table_name FROM trailed_table WHERE to_regclass('centralpay.' || quote_ident(table_name)) IS NOT NULL LOOP
        EXECUTE format('DROP TRIGGER trail_of_new ON %I', t);
        EXECUTE format('DROP TRIGGER trail_of_change ON %I', t);
        EXECUTE format('DROP TRIGGER trail_of_removal ON %I', t);
        EXECUTE format('DROP TRIGGER trail_keeps_rows ON %I', t);
    END LOOP;
END $$;
DROP TABLE trailed_table;
DROP FUNCTION add_trail(regclass, text[]), trail_now(text), write_trail(), trail_key(regclass), trail_content(regclass, text[]), trail_digest(text[]);
ALTER TABLE member DROP COLUMN tin_salt;
