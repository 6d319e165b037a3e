DROP TRIGGER files_stay ON cycle;
CREATE TRIGGER files_stay BEFORE UPDATE ON cycle FOR EACH ROW WHEN (OLD.state IN ('released', 'settled')
    AND (NEW.nacha_name, NEW.nacha_sha256, NEW.children_sha256, NEW.released_cents)
        IS DISTINCT FROM (OLD.nacha_name, OLD.nacha_sha256, OLD.children_sha256, OLD.released_cents)) EXECUTE FUNCTION released_files_stay();
ALTER TABLE cycle DROP COLUMN notices_sha256;
