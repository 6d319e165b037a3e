-- An advice's ordinal counts the sets of its payment to the same payee, no longer to all payees (docs/adr/0010). The order stays.
-- Two steps, because the key is asked after every row. Going back leaves the numbers: they name the same advices.
CREATE TEMPORARY TABLE renumbered ON COMMIT DROP AS
    SELECT advice_id, (row_number() OVER (PARTITION BY payer_id, trace_number, payee_id ORDER BY ordinal_in_payment))::integer AS ordinal FROM advice;
UPDATE advice SET ordinal_in_payment = ordinal_in_payment + 1000000000;
UPDATE advice SET ordinal_in_payment = r.ordinal FROM renumbered r WHERE r.advice_id = advice.advice_id;
