-- A remittance for each member: what of an advice has to be copied, and what was written at a release.

-- Element, component, repetition (a blank: none) and terminator of the interchange. Null: taken in before this step.
ALTER TABLE advice ADD COLUMN delimiters text CHECK (length(delimiters) = 4);
-- Of the whole PLB segment. Null: taken in before this step.
ALTER TABLE plb_line ADD COLUMN byte_start bigint, ADD COLUMN byte_end bigint;

-- Shares of members, and the cycle whose remittances told them to the member; null: none has yet.
CREATE TABLE share_to_remit (
    owner_id uuid NOT NULL,
    advice_id bigint NOT NULL,
    cycle_id bigint REFERENCES cycle,
    PRIMARY KEY (owner_id, advice_id),
    FOREIGN KEY (owner_id, advice_id) REFERENCES advice_share (owner_id, advice_id)
);
CREATE INDEX share_to_remit_waiting ON share_to_remit (advice_id) WHERE cycle_id IS NULL;
INSERT INTO share_to_remit (owner_id, advice_id) SELECT owner_id, advice_id FROM advice_share WHERE owner_id <> house_id();

GRANT SELECT ON share_to_remit TO centralpay_app, centralpay_auditor;
GRANT INSERT, UPDATE (cycle_id) ON share_to_remit TO centralpay_app;
