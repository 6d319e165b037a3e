-- The papers of a cycle: what each payout's notice says is kept at the release, as the files that it sends are.

-- One file in the vault: who sends the notices, and each notice's facts on a line.
ALTER TABLE cycle ADD COLUMN notices_sha256 bytea CHECK (length(notices_sha256) = 32);

-- A notice says what a payment is: they are kept together with the payments, in one step.
DROP TRIGGER files_stay ON cycle;
CREATE TRIGGER files_stay BEFORE UPDATE ON cycle FOR EACH ROW WHEN (OLD.state IN ('released', 'settled')
    AND (NEW.nacha_name, NEW.nacha_sha256, NEW.children_sha256, NEW.notices_sha256, NEW.released_cents)
        IS DISTINCT FROM (OLD.nacha_name, OLD.nacha_sha256, OLD.children_sha256, OLD.notices_sha256, OLD.released_cents))
    EXECUTE FUNCTION released_files_stay();

GRANT UPDATE (notices_sha256) ON cycle TO centralpay_app;
