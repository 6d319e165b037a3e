-- Claims across files: prescription numbers in one normal form, reversals with their originals, forward balances.

-- Prescription numbers ------------------------------------------------------------------------------------------------

-- A prescription number as it is matched: without blanks and zeros in front, in capitals, without what follows a dash or a
-- blank; never empty. It is worked out for every claim that arrives, so it is made of the cheapest functions that do.
CREATE FUNCTION rx_normal(p_rx_number text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN coalesce(nullif(split_part(split_part(upper(
        CASE WHEN p_rx_number COLLATE "C" < '1' THEN ltrim(p_rx_number, ' 0') ELSE p_rx_number END COLLATE "C"),
        '-', 1), ' ', 1), ''), p_rx_number);

-- Four bytes of it, to be looked up by; whoever does compares the normal forms as well.
CREATE FUNCTION rx_key(p_rx_number text) RETURNS integer LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN hashtext(rx_normal(p_rx_number));

-- Two keys of four bytes are as short as one number, and quicker to put in order: the arrival of claims costs no more than
-- with the raw number, and a claim is found by both of its numbers.
DROP INDEX claim_line_of_rx;
CREATE INDEX claim_line_of_rx ON claim_line (rx_key(rx_number), hashtext(payer_claim_number));

-- Where an advice was funded: what a claim's trail asks first.
CREATE INDEX line_of_funding ON line (reference) WHERE account = 'advised' AND event = 'funded';
CREATE INDEX advice_replaced ON advice (advice_id) WHERE state = 'replaced';

-- Reversals -----------------------------------------------------------------------------------------------------------

CREATE TABLE claim_reversal (
    advice_id bigint NOT NULL REFERENCES advice,
    segment integer NOT NULL,
    -- What the line says, kept beside its pairing: a claim line alone can not be found by its advice and segment.
    paid_on date NOT NULL,
    payer_id text NOT NULL,
    rx_number text NOT NULL,
    payer_claim_number text NOT NULL,
    owner_id uuid NOT NULL,
    unknown_payee_id bigint,
    fill_on date,
    ndc text,
    charge_cents bigint NOT NULL,
    paid_cents bigint NOT NULL,
    -- none: no line that could be its original, or so many with the same numbers that these say nothing.
    state text NOT NULL DEFAULT 'none' CHECK (state IN ('paired', 'several', 'none')),
    candidates integer NOT NULL DEFAULT 0 CHECK (candidates >= 0),
    original_advice_id bigint REFERENCES advice,
    original_segment integer,
    original_paid_on date,
    -- A person's name where one chose; else the system's.
    decided_by text NOT NULL DEFAULT 'system',
    decided_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (advice_id, segment),
    CONSTRAINT original_is_taken_back_once UNIQUE (original_advice_id, original_segment),
    CONSTRAINT paired_names_its_original CHECK ((state = 'paired') = (original_advice_id IS NOT NULL)
        AND num_nulls(original_advice_id, original_segment, original_paid_on) IN (0, 3)),
    CONSTRAINT original_comes_first CHECK ((original_paid_on, original_advice_id, original_segment) < (paid_on, advice_id, segment))
);
CREATE INDEX claim_reversal_open ON claim_reversal (paid_on) WHERE state <> 'paired';
CREATE INDEX claim_reversal_open_of_payer ON claim_reversal (payer_id, paid_on) WHERE state <> 'paired';
CREATE INDEX claim_reversal_open_of_claim ON claim_reversal (payer_claim_number, rx_normal(rx_number)) WHERE state <> 'paired';
COMMENT ON TABLE claim_reversal IS 'Claims that a payer took back (CLP02 = 22), each with the line that it takes back, once that is certain.';

-- The lines that each of these reversals could take back, those that fit it best: of the same payer under the same
-- prescription and claim number (CLP01, CLP07), no reversals, not taken back yet, before it in payment date, advice and
-- segment. Of several those stay that agree in the pharmacy, then do not differ in NDC, then in the fill date, then are
-- its exact negation; a step at which none would stay is left out. Adjustments are never looked at: payers sign them as
-- they like. A claim number that is blank or zero says nothing: then pharmacy and fill date have to be the same; and where
-- the prescription number says nothing either, nothing fits.
CREATE FUNCTION reversal_candidates(p_advice_ids bigint[], p_segments integer[])
RETURNS TABLE (advice_id bigint, segment integer, candidates integer, original_advice_id bigint, original_segment integer, original_paid_on date)
LANGUAGE sql STABLE SET plan_cache_mode = force_custom_plan AS $$
    WITH asked AS MATERIALIZED (
        SELECT r.*, count(*) OVER (PARTITION BY r.payer_id, rx_normal(r.rx_number), r.payer_claim_number) AS alike
        FROM unnest(p_advice_ids, p_segments) AS n (advice_id, segment) JOIN claim_reversal r USING (advice_id, segment)
        JOIN advice own ON own.advice_id = r.advice_id AND own.state <> 'replaced'
        WHERE ltrim(r.payer_claim_number, ' 0') <> '' OR ltrim(r.rx_number, ' 0') <> ''
    ), said AS MATERIALIZED (
        -- Numbers that very many lines share are none, and of a list cut short nothing could be concluded.
        SELECT r.advice_id, r.segment, r.payer_id, o.paid_on AS original_paid_on, o.advice_id AS original_advice_id, o.segment AS original_segment,
               count(*) OVER (PARTITION BY r.advice_id, r.segment) AS lines, ltrim(r.payer_claim_number, ' 0') = '' AS is_unnumbered,
               (o.owner_id, o.unknown_payee_id) IS NOT DISTINCT FROM (r.owner_id, r.unknown_payee_id) AS same_pharmacy,
               o.ndc = r.ndc AS same_ndc, o.fill_on = r.fill_on AS same_fill, (o.charge_cents, o.paid_cents) = (-r.charge_cents, -r.paid_cents) AS negated
        FROM asked r CROSS JOIN LATERAL (
            SELECT c.* FROM claim_line c
            WHERE rx_key(c.rx_number) = rx_key(r.rx_number) AND hashtext(c.payer_claim_number) = hashtext(r.payer_claim_number)
              AND rx_normal(c.rx_number) = rx_normal(r.rx_number) AND c.payer_claim_number = r.payer_claim_number AND c.status <> '22'
              AND c.paid_on <= r.paid_on AND (c.paid_on, c.advice_id, c.segment) < (r.paid_on, r.advice_id, r.segment) LIMIT 51) o
        WHERE r.alike <= 50
    ), fitting AS (
        SELECT s.*, rank() OVER (PARTITION BY s.advice_id, s.segment ORDER BY
            s.same_pharmacy DESC, s.same_ndc IS NOT FALSE DESC, s.same_fill IS NOT FALSE DESC, s.negated DESC) AS place
        FROM said s JOIN advice a ON a.advice_id = s.original_advice_id AND a.payer_id = s.payer_id AND a.state <> 'replaced'
        WHERE s.lines <= 50 AND (NOT s.is_unnumbered OR (s.same_pharmacy AND s.same_fill))
          AND NOT EXISTS (SELECT FROM claim_reversal t WHERE t.original_advice_id = s.original_advice_id AND t.original_segment = s.original_segment)
    )
    SELECT f.advice_id, f.segment, count(*) OVER (PARTITION BY f.advice_id, f.segment)::integer,
           f.original_advice_id, f.original_segment, f.original_paid_on
    FROM fitting f WHERE f.place = 1
$$;

-- Tries open reversals: with one candidate it is paired, with several it is listed. An original that two want goes to the
-- earlier one; what is taken leaves the others with fewer, so those under the same numbers are tried again until nothing moves.
CREATE FUNCTION try_reversals(p_advice_ids bigint[], p_segments integer[]) RETURNS integer LANGUAGE plpgsql
SET search_path = centralpay, pg_temp SET plan_cache_mode = force_custom_plan AS $$
DECLARE
    done integer := 0;
    now_done integer;
    payers text[];
    rxs text[];
    numbers text[];
BEGIN
    WHILE p_advice_ids IS NOT NULL LOOP
        WITH found AS MATERIALIZED (
            SELECT * FROM reversal_candidates(p_advice_ids, p_segments)
        ), winner AS (
            SELECT DISTINCT ON (f.original_advice_id, f.original_segment) f.*
            FROM found f JOIN claim_reversal r USING (advice_id, segment) WHERE f.candidates = 1
            ORDER BY f.original_advice_id, f.original_segment, r.paid_on, r.advice_id, r.segment
        ), told AS (
            SELECT n.advice_id, n.segment, coalesce(max(f.candidates), 0) AS candidates
            FROM unnest(p_advice_ids, p_segments) AS n (advice_id, segment) LEFT JOIN found f USING (advice_id, segment)
            GROUP BY n.advice_id, n.segment
        ), changed AS (
            UPDATE claim_reversal r SET candidates = t.candidates, original_advice_id = w.original_advice_id,
                original_segment = w.original_segment, original_paid_on = w.original_paid_on, decided_by = 'system', decided_at = now(),
                state = CASE WHEN w.advice_id IS NOT NULL THEN 'paired' WHEN t.candidates = 0 THEN 'none' ELSE 'several' END
            FROM told t LEFT JOIN winner w USING (advice_id, segment)
            WHERE (r.advice_id, r.segment) = (t.advice_id, t.segment) AND r.state <> 'paired'
              AND (w.advice_id IS NOT NULL OR r.candidates <> t.candidates)
            RETURNING r.state, r.payer_id, rx_normal(r.rx_number) AS rx, r.payer_claim_number
        )
        SELECT count(*), array_agg(c.payer_id), array_agg(c.rx), array_agg(c.payer_claim_number) INTO now_done, payers, rxs, numbers
        FROM changed c WHERE c.state = 'paired';
        done := done + now_done;
        SELECT array_agg(r.advice_id), array_agg(r.segment) INTO p_advice_ids, p_segments FROM claim_reversal r
        WHERE r.state <> 'paired' AND r.payer_claim_number = ANY (numbers) AND (r.payer_id, rx_normal(r.rx_number), r.payer_claim_number) IN
            (SELECT * FROM unnest(payers, rxs, numbers));
    END LOOP;
    RETURN done;
END $$;

-- A replaced advice is as if it had never come: it takes nothing back, and nothing of it is taken back.
CREATE FUNCTION free_replaced_reversals() RETURNS void LANGUAGE plpgsql
SET search_path = centralpay, pg_temp SET plan_cache_mode = force_custom_plan AS $$
DECLARE replaced bigint[] := (SELECT array_agg(advice_id) FROM advice WHERE state = 'replaced');
BEGIN
    IF replaced IS NULL THEN RETURN; END IF;
    UPDATE claim_reversal SET state = 'none', candidates = 0, original_advice_id = NULL, original_segment = NULL, original_paid_on = NULL,
        decided_by = 'system', decided_at = now()
    WHERE state = 'paired' AND (advice_id = ANY (replaced) OR original_advice_id = ANY (replaced));
END $$;

-- Pairs the reversals of these advices, whose lines the same transaction has written, and tries those again that one of
-- their lines could be the original of: a file with an original may come after the one with its reversal.
-- Who pairs takes turns until the end of its transaction: two must not take the same original.
CREATE FUNCTION pair_reversals(p_advice_ids bigint[]) RETURNS void LANGUAGE plpgsql SECURITY DEFINER
SET search_path = centralpay, pg_temp SET plan_cache_mode = force_custom_plan AS $$
DECLARE
    since date := (SELECT min(paid_on) FROM advice WHERE advice_id = ANY (p_advice_ids));
    reversals bigint[];
    segments integer[];
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('centralpay.claim_reversal'));
    PERFORM free_replaced_reversals();
    INSERT INTO claim_reversal (advice_id, segment, paid_on, payer_id, rx_number, payer_claim_number, owner_id, unknown_payee_id,
        fill_on, ndc, charge_cents, paid_cents)
    SELECT c.advice_id, c.segment, c.paid_on, a.payer_id, c.rx_number, c.payer_claim_number, c.owner_id, c.unknown_payee_id,
        c.fill_on, c.ndc, c.charge_cents, c.paid_cents
    FROM claim_line c JOIN advice a ON a.advice_id = c.advice_id AND a.paid_on = c.paid_on
    WHERE c.advice_id = ANY (p_advice_ids) AND c.status = '22' AND a.state <> 'replaced'
    ON CONFLICT (advice_id, segment) DO NOTHING;
    WITH waiting AS MATERIALIZED (
        SELECT advice_id, segment, rx_normal(rx_number) AS rx, payer_claim_number, advice_id = ANY (p_advice_ids) AS is_new
        FROM claim_reversal WHERE state <> 'paired' AND paid_on >= since
    ), worth_trying AS (
        SELECT advice_id, segment FROM waiting WHERE is_new
        UNION ALL
        SELECT w.advice_id, w.segment FROM waiting w WHERE NOT w.is_new AND EXISTS (
            SELECT FROM claim_line c JOIN advice a ON a.advice_id = c.advice_id AND a.paid_on = c.paid_on
            WHERE c.advice_id = ANY (p_advice_ids) AND c.status <> '22'
              AND rx_normal(c.rx_number) = w.rx AND c.payer_claim_number = w.payer_claim_number)
    )
    SELECT array_agg(t.advice_id), array_agg(t.segment) INTO reversals, segments FROM worth_trying t;
    PERFORM try_reversals(reversals, segments);
END $$;

-- Tries the open reversals again, the latest first, and gives how many found their originals: for what no arrival tells,
-- such as two loads at the same moment, or an advice that was replaced.
CREATE FUNCTION pair_open_reversals(p_most integer) RETURNS integer LANGUAGE plpgsql SECURITY DEFINER
SET search_path = centralpay, pg_temp SET plan_cache_mode = force_custom_plan AS $$
DECLARE
    reversals bigint[];
    segments integer[];
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('centralpay.claim_reversal'));
    PERFORM free_replaced_reversals();
    SELECT array_agg(r.advice_id), array_agg(r.segment) INTO reversals, segments
    FROM (SELECT advice_id, segment FROM claim_reversal WHERE state <> 'paired' ORDER BY paid_on DESC LIMIT p_most) r;
    RETURN try_reversals(reversals, segments);
END $$;

-- A person's choice among the candidates that are listed; says what became of it: chosen, unknown, paired, no_candidate.
CREATE FUNCTION choose_original(p_advice_id bigint, p_segment integer, p_original_advice_id bigint, p_original_segment integer, p_actor text)
RETURNS text LANGUAGE plpgsql SECURITY DEFINER SET search_path = centralpay, pg_temp AS $$
DECLARE
    reversal claim_reversal;
    reversals bigint[];
    segments integer[];
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('centralpay.claim_reversal'));
    SELECT * INTO reversal FROM claim_reversal WHERE (advice_id, segment) = (p_advice_id, p_segment);
    IF NOT FOUND THEN RETURN 'unknown'; END IF;
    IF reversal.state = 'paired' THEN RETURN 'paired'; END IF;
    UPDATE claim_reversal r SET state = 'paired', candidates = 1, original_advice_id = c.original_advice_id,
        original_segment = c.original_segment, original_paid_on = c.original_paid_on, decided_by = p_actor, decided_at = now()
    FROM reversal_candidates(ARRAY[p_advice_id], ARRAY[p_segment]) c
    WHERE (r.advice_id, r.segment) = (p_advice_id, p_segment)
      AND (c.original_advice_id, c.original_segment) = (p_original_advice_id, p_original_segment);
    IF NOT FOUND THEN RETURN 'no_candidate'; END IF;
    SELECT array_agg(r.advice_id), array_agg(r.segment) INTO reversals, segments FROM claim_reversal r
    WHERE r.state <> 'paired' AND rx_normal(r.rx_number) = rx_normal(reversal.rx_number)
      AND (r.payer_id, r.payer_claim_number) = (reversal.payer_id, reversal.payer_claim_number);
    PERFORM try_reversals(reversals, segments);
    RETURN 'chosen';
END $$;

GRANT SELECT ON claim_reversal TO centralpay_app, centralpay_auditor;
REVOKE EXECUTE ON FUNCTION rx_normal(text), rx_key(text), reversal_candidates(bigint[], integer[]), try_reversals(bigint[], integer[]),
    free_replaced_reversals(), pair_reversals(bigint[]), pair_open_reversals(integer),
    choose_original(bigint, integer, bigint, integer, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION rx_normal(text), rx_key(text), reversal_candidates(bigint[], integer[]) TO centralpay_app, centralpay_auditor;
GRANT EXECUTE ON FUNCTION pair_reversals(bigint[]), pair_open_reversals(integer), choose_original(bigint, integer, bigint, integer, text)
    TO centralpay_app;

-- What was taken in before this step.
SELECT pair_reversals(array_agg(advice_id)) FROM advice;

-- Forward balances ----------------------------------------------------------------------------------------------------

-- The register of what payers carried forward (PLB reason FB) up to a day, a row for each reference: a payment can not be
-- negative, so the payer lifts it to zero now and takes the same in later ones. Open is what it has still to take. Not every
-- payer repeats the reference, so beside it stands the total of payer and payee, and since when that was not zero.
CREATE FUNCTION forward_balances(p_as_of date)
RETURNS TABLE (payer_id text, owner_id uuid, unknown_payee_id bigint, is_network boolean, reference text, carried_cents bigint, taken_cents bigint,
    open_cents bigint, first_on date, last_on date, advice_ids bigint[], total_cents bigint, total_since date)
LANGUAGE sql STABLE AS $$
    WITH said AS (
        SELECT a.payer_id, p.owner_id, p.unknown_payee_id, p.is_network, p.reference, p.advice_id, a.paid_on, -p.amount_cents AS cents,
               sum(-p.amount_cents) OVER (PARTITION BY a.payer_id, p.owner_id, p.unknown_payee_id, p.is_network ORDER BY a.paid_on) AS standing_cents
        FROM plb_line p JOIN advice a USING (advice_id)
        WHERE p.reason = 'FB' AND a.state <> 'replaced' AND a.paid_on <= p_as_of
    ), levelled AS (
        SELECT s.*, max(s.paid_on) FILTER (WHERE s.standing_cents = 0)
                   OVER (PARTITION BY s.payer_id, s.owner_id, s.unknown_payee_id, s.is_network) AS level_on
        FROM said s
    )
    SELECT l.payer_id, l.owner_id, l.unknown_payee_id, l.is_network, l.reference,
           coalesce(sum(l.cents) FILTER (WHERE l.cents > 0), 0)::bigint, coalesce(-sum(l.cents) FILTER (WHERE l.cents < 0), 0)::bigint,
           sum(l.cents)::bigint, min(l.paid_on), max(l.paid_on), array_agg(DISTINCT l.advice_id),
           (sum(sum(l.cents)) OVER payee)::bigint, min(min(l.paid_on) FILTER (WHERE l.level_on IS NULL OR l.paid_on > l.level_on)) OVER payee
    FROM levelled l GROUP BY l.payer_id, l.owner_id, l.unknown_payee_id, l.is_network, l.reference
    WINDOW payee AS (PARTITION BY l.payer_id, l.owner_id, l.unknown_payee_id, l.is_network)
$$;
CREATE INDEX plb_line_carried ON plb_line (advice_id) WHERE reason = 'FB';

CREATE VIEW forward_balance WITH (security_invoker) AS SELECT * FROM forward_balances('infinity');
COMMENT ON VIEW forward_balance IS 'What each payer carried forward and has not taken yet; every open amount has to come back to zero.';

REVOKE EXECUTE ON FUNCTION forward_balances(date) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION forward_balances(date) TO centralpay_app, centralpay_auditor;
GRANT SELECT ON forward_balance TO centralpay_app, centralpay_auditor;
