-- What leaves the house: the sealed journal and its seal. Everything here is bound to a checkpoint by the index of the
-- leaves: an entry that a later run sealed is not there, whoever posts meanwhile. The journal's tables are named with
-- their schema, because the index already says what was known; tables without it are read as known at the checkpoint.

-- name: pin
-- Dates and moments are written the same whatever the server's own settings are.
SELECT set_config('DateStyle', 'ISO, YMD', true), set_config('TimeZone', 'UTC', true), set_config('jit', 'off', true)

-- name: by_hashing
-- For statements that go through all of it once. The planner takes owner and entry for independent, expects one row of their
-- join, and would otherwise go through what is joined next once for each of the many that come.
SELECT set_config('enable_nestloop', 'off', true)

-- name: row_by_row
SELECT set_config('enable_nestloop', 'on', true)

-- name: not_sealed_yet
SELECT count(*) FROM centralpay.entry e WHERE e.transaction_id = ANY (ARRAY(SELECT id FROM centralpay.seal_pending WHERE kind = 1))

-- name: sealed_entries
-- All facts of an entry's canonical bytes, one JSON document a row, in the order of the leaves.
SELECT '{"index":' || s.leaf_index || ',"journal":' || s.journal_no || ',"transaction":' || t.transaction_id
    || ',"event":"' || t.event || '","fact_key":' || to_json(t.fact_key) || ',"fact_on":"' || t.fact_on
    || '","effective_on":"' || t.effective_on || '","recorded_at":' || (extract(epoch FROM t.recorded_at) * 1000000)::bigint
    || ',"actor":' || to_json(t.actor) || ',"reason":' || coalesce(to_json(t.reason)::text, 'null')
    || ',"bank_line":' || coalesce(t.bank_line_id::text, 'null') || ',"reverses":' || coalesce(t.reverses::text, 'null')
    || ',"xid":' || t.xid || ',"owner":"' || s.owner_id || '","entry":' || s.entry_id || ',"ledger":"' || e.ledger
    || '","entry_event":"' || e.event || '","entry_fact_key":' || to_json(e.fact_key) || ',"entry_effective_on":"' || e.effective_on
    || '","entry_xid":' || e.xid || ',"lines":[' || l.lines || ']}'
FROM centralpay.seal_leaf s JOIN centralpay.entry e USING (owner_id, entry_id) JOIN centralpay.journal_transaction t USING (transaction_id)
CROSS JOIN LATERAL (
    SELECT string_agg('[' || l.line_no || ',"' || l.account || '",' || coalesce(l.reference::text, 'null') || ',' || l.amount_cents
               || ',"' || l.event || '","' || l.ledger || '","' || l.effective_on || '"]', ',' ORDER BY l.line_no) AS lines
    FROM centralpay.line l WHERE l.owner_id = s.owner_id AND l.entry_id = s.entry_id) l
WHERE s.kind = 1 AND s.leaf_index < :size
  AND (CAST(:owner AS uuid) IS NULL OR s.owner_id = CAST(:owner AS uuid))
  AND (CAST(:from_on AS date) IS NULL OR e.effective_on >= CAST(:from_on AS date))
  AND (CAST(:to_on AS date) IS NULL OR e.effective_on <= CAST(:to_on AS date))
ORDER BY s.leaf_index

-- name: journal_totals
-- Control totals of the same entries.
SELECT count(*) FILTER (WHERE l.line_no = 1) AS entries, count(*) AS lines,
       coalesce(sum(l.amount_cents) FILTER (WHERE l.amount_cents > 0), 0)::bigint AS debit_cents,
       coalesce(-sum(l.amount_cents) FILTER (WHERE l.amount_cents < 0), 0)::bigint AS credit_cents,
       min(l.effective_on) AS from_on, max(l.effective_on) AS to_on
FROM centralpay.seal_leaf s JOIN centralpay.line l USING (owner_id, entry_id)
WHERE s.kind = 1 AND s.leaf_index < :size
  AND (CAST(:owner AS uuid) IS NULL OR s.owner_id = CAST(:owner AS uuid))
  AND (CAST(:from_on AS date) IS NULL OR l.effective_on >= CAST(:from_on AS date))
  AND (CAST(:to_on AS date) IS NULL OR l.effective_on <= CAST(:to_on AS date))

-- name: sealed_trail
SELECT '{"index":' || s.leaf_index || ',"trail_id":' || r.trail_id || ',"table":' || to_json(r.table_name) || ',"key":' || to_json(r.row_key)
    || ',"recorded_at":' || (extract(epoch FROM r.recorded_at) * 1000000)::bigint || ',"xid":' || r.xid || ',"content":' || r.content || '}'
FROM centralpay.seal_leaf s JOIN centralpay.trail r USING (trail_id)
WHERE s.kind = 2 AND s.leaf_index < :size
ORDER BY s.leaf_index

-- name: leaves
SELECT string_agg(leaf, ''::bytea ORDER BY leaf_index) FROM centralpay.seal_leaf WHERE leaf_index >= :first AND leaf_index < :size AND leaf_index < :first + :most

-- name: checkpoints
SELECT size, note, previous_size, consistency FROM centralpay.seal_checkpoint WHERE size <= :size ORDER BY size

-- name: lines
-- The lines of a run of journal numbers, with everything that an outsider asks of a line. Who made a transaction that a second
-- person had to approve is who asked for it, and the approval is the one that was decided in the same database transaction (what
-- is decided is carried out at once, by the decider's hand), or the cycle's or disbursement's own.
SELECT g.journal_no, g.line_no, g.transaction_id, g.entry_id, g.transaction_event, g.event, g.fact_key, g.fact_on, g.effective_on,
       g.recorded_at, g.actor, coalesce(a.proposed_by, b.proposed_by, g.actor) AS made_by,
       coalesce(a.decided_by, b.decided_by) AS approved_by, coalesce(a.decided_at, b.decided_at) AS approved_at,
       g.reason, g.bank_line_id, g.reverses, g.reversed_by, g.ledger, g.account, g.reference, g.amount_cents,
       CASE WHEN g.owner_id = '00000000-0000-0000-0000-000000000000' THEN 'house' ELSE o.name END AS owner, o.member_id,
       CASE WHEN g.reference IS NULL THEN NULL WHEN k.reference = 'month' THEN 'month ' || g.reference / 100 || '-' || lpad((g.reference % 100)::text, 2, '0')
            ELSE replace(k.reference::text, '_', ' ') || ' ' || g.reference END AS about,
       CASE WHEN k.reference = 'advice' THEN advice.payer_id END AS payer_id, CASE WHEN k.reference = 'advice' THEN advice.trace_number END AS trace_number,
       CASE WHEN k.reference = 'custodial_account' THEN 'custodial ' || g.reference END AS bank_account,
       CASE WHEN g.reverses IS NOT NULL AND g.event = 'reversed' THEN (
                SELECT min(x.journal_no) FROM centralpay.entry y CROSS JOIN LATERAL (
                    SELECT x.journal_no FROM centralpay.seal_leaf x WHERE x.kind = 1 AND x.owner_id = y.owner_id AND x.entry_id = y.entry_id OFFSET 0) x
                WHERE y.transaction_id = g.reverses AND y.owner_id = g.owner_id AND y.ledger = g.ledger)
            WHEN g.reversed_by IS NOT NULL THEN (
                SELECT min(x.journal_no) FROM centralpay.entry y CROSS JOIN LATERAL (
                    SELECT x.journal_no FROM centralpay.seal_leaf x WHERE x.kind = 1 AND x.owner_id = y.owner_id AND x.entry_id = y.entry_id OFFSET 0) x
                WHERE y.transaction_id = g.reversed_by AND y.owner_id = g.owner_id AND y.ledger = g.ledger AND y.event = 'reversed') END AS other_journal_no
FROM (
    SELECT s.journal_no, s.owner_id, s.entry_id, e.effective_on, t.transaction_id, t.event AS transaction_event, t.fact_key, t.fact_on, t.recorded_at,
           t.actor, t.reason, t.bank_line_id, t.reverses, turned.reversed_by, l.line_no, l.event, l.ledger, l.account, l.reference, l.amount_cents
    FROM (
        -- In the order of the index that is looked up next: each of its pages is read once.
        SELECT s.journal_no, s.owner_id, s.entry_id FROM centralpay.seal_leaf s
        WHERE s.kind = 1 AND s.leaf_index < :size AND s.journal_no BETWEEN :first AND :last
          AND (CAST(:owner AS uuid) IS NULL OR s.owner_id = CAST(:owner AS uuid))
        ORDER BY s.owner_id, s.entry_id OFFSET 0) s
    -- OFFSET 0: looked up row by row. The planner takes owner and entry for independent, expects one row of their join, and
    -- would go through everything outside once for each line.
    CROSS JOIN LATERAL (SELECT e.* FROM centralpay.entry e WHERE e.owner_id = s.owner_id AND e.entry_id = s.entry_id OFFSET 0) e
    JOIN centralpay.journal_transaction t ON t.transaction_id = e.transaction_id
    LEFT JOIN LATERAL (
        -- A reversal that was sealed by then; its entries were sealed together.
        SELECT r.transaction_id AS reversed_by FROM centralpay.journal_transaction r
        WHERE r.reverses = t.transaction_id AND :size > (
            SELECT min(x.leaf_index) FROM centralpay.entry y CROSS JOIN LATERAL (
                SELECT x.leaf_index FROM centralpay.seal_leaf x WHERE x.kind = 1 AND x.owner_id = y.owner_id AND x.entry_id = y.entry_id OFFSET 0) x
            WHERE y.transaction_id = r.transaction_id)
        OFFSET 0) turned ON true
    CROSS JOIN LATERAL (SELECT l.* FROM centralpay.line l WHERE l.owner_id = s.owner_id AND l.entry_id = s.entry_id OFFSET 0) l
    WHERE (CAST(:from_on AS date) IS NULL OR e.effective_on >= CAST(:from_on AS date))
      AND (CAST(:to_on AS date) IS NULL OR e.effective_on <= CAST(:to_on AS date))
    OFFSET 0) g
JOIN centralpay.account k ON k.ledger = g.ledger AND k.account = g.account
LEFT JOIN owner_names o ON o.member_id = g.owner_id
LEFT JOIN centralpay.advice ON k.reference = 'advice' AND advice.advice_id = g.reference
LEFT JOIN (
    SELECT DISTINCT ON (decided_at, decided_by) decided_at, decided_by, proposed_by FROM centralpay.approval
    WHERE state = 'approved' ORDER BY decided_at, decided_by, approval_id) a ON a.decided_at = g.recorded_at AND a.decided_by = g.actor
LEFT JOIN (
    SELECT part.event || ':cycle:' || c.cycle_id AS fact_key, a.decided_at, a.decided_by, a.proposed_by
    FROM centralpay.cycle c JOIN centralpay.approval a USING (approval_id)
    CROSS JOIN (VALUES ('fee_collected'), ('fee_swept'), ('payout_released')) AS part (event) WHERE a.state = 'approved'
    UNION ALL
    SELECT 'disbursement_released:' || d.disbursement_id, a.decided_at, a.decided_by, a.proposed_by
    FROM centralpay.disbursement d JOIN centralpay.approval a USING (approval_id) WHERE a.state = 'approved') b ON b.fact_key = g.fact_key
ORDER BY g.journal_no, g.line_no

-- name: journal
-- The journal as it is, a line a row: for JSON the row as an object, for CSV the columns of the same names.
SELECT r.journal_no AS journal, r.line_no AS line, r.transaction_id AS transaction, r.entry_id AS entry, r.transaction_event, r.event, r.fact_key,
       r.fact_on, r.effective_on, to_char(r.recorded_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS recorded_at, r.actor, r.approved_by,
       r.reason, r.bank_line_id AS bank_line, r.reverses, r.reversed_by, r.ledger, r.owner, r.member_id, r.account, r.reference, r.about,
       r.payer_id, r.trace_number, r.amount_cents
FROM lines r

-- name: gl_detail
SELECT r.journal_no AS "Journal_ID", r.line_no AS "Journal_ID_Line_Number",
       concat_ws('; ', r.transaction_event, r.fact_key, r.reason) AS "JE_Header_Description", concat_ws(', ', r.account, r.about) AS "JE_Line_Description",
       r.event AS "Source", r.ledger AS "Business_Unit_Code", r.effective_on AS "Effective_Date",
       extract(year FROM r.effective_on)::integer AS "Fiscal_Year", lpad(extract(month FROM r.effective_on)::text, 2, '0') AS "Period",
       CAST(:numbers AS jsonb) ->> r.account::text AS "GL_Account_Number", m.amount AS "Amount",
       CASE WHEN r.amount_cents > 0 THEN 'D' ELSE 'C' END AS "Amount_Credit_Debit_Indicator", 'USD' AS "Amount_Currency",
       m.amount AS "Reporting_Amount", 'USD' AS "Reporting_Amount_Currency", m.amount AS "Local_Amount", 'USD' AS "Local_Amount_Currency",
       r.made_by AS "Entered_By", (r.recorded_at AT TIME ZONE :zone)::date AS "Entered_Date",
       -- Cut off, not rounded: half a second before midnight is not 24:00:00 of that day.
       date_trunc('second', r.recorded_at AT TIME ZONE :zone)::time AS "Entered_Time", r.approved_by AS "Approved_By",
       (r.approved_at AT TIME ZONE :zone)::date AS "Approved_Date", NULL AS "Last_Modified_By", NULL AS "Last_Modified_Date",
       CASE WHEN r.reverses IS NOT NULL THEN '1' WHEN r.other_journal_no IS NOT NULL THEN '2' END AS "Reversal_Indicator",
       r.other_journal_no AS "Reversal_Journal_ID", CASE WHEN r.owner <> 'house' THEN r.owner END AS "Segment01", r.payer_id AS "Segment02",
       r.bank_account AS "Segment03", r.about AS "Segment04", r.transaction_id AS "Segment05"
FROM lines r CROSS JOIN LATERAL (SELECT abs(r.amount_cents) / 100 || '.' || lpad((abs(r.amount_cents) % 100)::text, 2, '0') AS amount) m

-- name: span
-- First and last accounting day of a selection; null where it is empty.
SELECT min(e.effective_on) AS first_on, max(e.effective_on) AS last_on
FROM centralpay.seal_leaf s JOIN centralpay.entry e USING (owner_id, entry_id)
WHERE s.kind = 1 AND s.leaf_index < :size
  AND (CAST(:owner AS uuid) IS NULL OR s.owner_id = CAST(:owner AS uuid))
  AND (CAST(:from_on AS date) IS NULL OR e.effective_on >= CAST(:from_on AS date))
  AND (CAST(:to_on AS date) IS NULL OR e.effective_on <= CAST(:to_on AS date))

-- name: sealed_on
SELECT (sealed_at AT TIME ZONE 'UTC')::date FROM centralpay.seal_checkpoint WHERE size = :size

-- name: trial_balance
-- Per month and account the balance before and at its end; the months that the range cuts begin and end with it.
WITH moved AS (
    SELECT l.ledger, l.account, greatest(date_trunc('month', l.effective_on)::date, CAST(:first_month AS date)) AS month,
           sum(l.amount_cents) FILTER (WHERE l.effective_on < :first_on) AS before_cents,
           sum(l.amount_cents) FILTER (WHERE l.effective_on >= :first_on) AS cents
    FROM centralpay.seal_leaf s JOIN centralpay.line l USING (owner_id, entry_id)
    WHERE s.kind = 1 AND s.leaf_index < :size AND l.effective_on <= :last_on
      AND (CAST(:owner AS uuid) IS NULL OR s.owner_id = CAST(:owner AS uuid))
    GROUP BY 1, 2, 3
), months AS (
    SELECT m::date AS month FROM generate_series(CAST(:first_month AS date), CAST(:last_on AS date), interval '1 month') m
), used AS (SELECT DISTINCT ledger, account FROM moved), running AS (
    SELECT u.ledger, u.account, n.month, coalesce(m.cents, 0) AS cents,
           sum(coalesce(m.before_cents, 0) + coalesce(m.cents, 0)) OVER (PARTITION BY u.ledger, u.account ORDER BY n.month) AS ending
    FROM used u CROSS JOIN months n LEFT JOIN moved m USING (ledger, account, month)
)
SELECT CAST(:numbers AS jsonb) ->> r.account::text AS "GL_Account_Number", r.ledger AS "Business_Unit_Code",
       extract(year FROM r.month)::integer AS "Fiscal_Year", lpad(extract(month FROM r.month)::text, 2, '0') AS "Period",
       least((r.month + interval '1 month - 1 day')::date, CAST(:last_on AS date)) AS "Balance_As_Of_Date",
       b.amount AS "Amount_Beginning", e.amount AS "Amount_Ending", 'USD' AS "Amount_Currency",
       b.amount AS "Reporting_Amount_Beginning", e.amount AS "Reporting_Amount_Ending", 'USD' AS "Reporting_Amount_Currency",
       b.amount AS "Local_Amount_Beginning", e.amount AS "Local_Amount_Ending", 'USD' AS "Local_Amount_Currency"
FROM running r
CROSS JOIN LATERAL (SELECT (r.ending - r.cents)::bigint AS cents) v
CROSS JOIN LATERAL (SELECT CASE WHEN v.cents < 0 THEN '-' ELSE '' END || abs(v.cents) / 100 || '.' || lpad((abs(v.cents) % 100)::text, 2, '0') AS amount) b
CROSS JOIN LATERAL (SELECT CASE WHEN r.ending < 0 THEN '-' ELSE '' END || abs(r.ending)::bigint / 100 || '.' || lpad((abs(r.ending) % 100)::text, 2, '0') AS amount) e
ORDER BY r.month, 1

-- name: users
-- Everybody who is in the journal or was a user by then, as the sealed trail says; the system's own hand is not a user.
SELECT who.name AS "User_ID", CASE WHEN u.user_name IS NULL THEN '' ELSE '1' END AS "User_Active_Status",
       u.added_at::date AS "User_Active_Modified_Date", NULL AS "First_Name", NULL AS "Last_Name", NULL AS "Title", NULL AS "Department",
       coalesce(u.role, 'system') AS "Role_Responsibility"
FROM (
    SELECT t.actor AS name FROM centralpay.seal_leaf s JOIN centralpay.entry e USING (owner_id, entry_id)
    JOIN centralpay.journal_transaction t USING (transaction_id) WHERE s.kind = 1 AND s.leaf_index < :size
    UNION
    SELECT r.content ->> 'user_name' FROM centralpay.trail r JOIN centralpay.seal_leaf s USING (trail_id)
    WHERE r.table_name = 'app_user' AND s.kind = 2 AND s.leaf_index < :size
) who LEFT JOIN centralpay.app_user u ON u.user_name = who.name
ORDER BY 1

-- name: owner_names
-- How owners are called outside: a second member of the same pharmacy, after a change of ownership, has a number behind its
-- NCPDP id. The house is no member.
SELECT m.member_id, p.ncpdp_id || CASE rank() OVER (PARTITION BY m.pharmacy_id ORDER BY m.member_id) WHEN 1 THEN ''
           ELSE '-' || rank() OVER (PARTITION BY m.pharmacy_id ORDER BY m.member_id) END AS name
FROM centralpay.member m JOIN centralpay.pharmacy p USING (pharmacy_id)

-- name: owner_name
SELECT name FROM owner_names WHERE member_id = :owner

-- name: used_accounts
-- Every account of every owner that has a line, as a path: Assets:Custody:Cash:Member:1234567.
SELECT CAST(:before AS text) || (CAST(:paths AS jsonb) ->> u.account::text) || coalesce('\:Member\:' || o.name, '\:House') || CAST(:after AS text)
FROM (
    SELECT l.owner_id, l.account FROM centralpay.seal_leaf s JOIN centralpay.line l USING (owner_id, entry_id)
    WHERE s.kind = 1 AND s.leaf_index < :size AND (CAST(:to_on AS date) IS NULL OR l.effective_on <= CAST(:to_on AS date))
      AND (CAST(:owner AS uuid) IS NULL OR s.owner_id = CAST(:owner AS uuid))
    GROUP BY l.owner_id, l.account) u
LEFT JOIN owner_names o ON o.member_id = u.owner_id
ORDER BY 1

-- name: closings
-- The balance at the end of each month of every account that moved in it, in the order of months and owners; what was before
-- the range is in the row of the day before it. A number is written with two decimals.
SELECT c.day || '|' || coalesce('Member:' || o.name, 'House') || '|' || (CAST(:paths AS jsonb) ->> c.account::text) || coalesce('\:Member\:' || o.name, '\:House')
    || '|' || CASE WHEN c.cents < 0 THEN '-' ELSE '' END || abs(c.cents) / 100 || '.' || lpad((abs(c.cents) % 100)::text, 2, '0')
FROM (
    SELECT m.owner_id, m.ledger, m.account, m.day, (sum(m.cents) OVER (PARTITION BY m.owner_id, m.ledger, m.account ORDER BY m.day))::bigint AS cents
    FROM (
        SELECT l.owner_id, l.ledger, l.account, sum(l.amount_cents)::bigint AS cents,
               CASE WHEN l.effective_on < :first_on THEN CAST(:first_on AS date) - 1
                    ELSE least((date_trunc('month', l.effective_on) + interval '1 month - 1 day')::date, CAST(:last_on AS date)) END AS day
        FROM centralpay.seal_leaf s JOIN centralpay.line l USING (owner_id, entry_id)
        WHERE s.kind = 1 AND s.leaf_index < :size AND l.effective_on <= :last_on
          AND (CAST(:owner AS uuid) IS NULL OR s.owner_id = CAST(:owner AS uuid))
        GROUP BY l.owner_id, l.ledger, l.account, 5) m) c
LEFT JOIN owner_names o ON o.member_id = c.owner_id
ORDER BY c.day, c.owner_id, c.ledger, c.account

-- name: month_entries
-- The entries of a month by their accounting day, then by journal number: the order that journals in text want.
SELECT s.journal_no, s.effective_on, s.event, s.transaction_id, t.reverses,
       regexp_replace(t.fact_key, '[[:cntrl:]]', ' ', 'g') AS fact_key, regexp_replace(t.actor, '[[:cntrl:]]', ' ', 'g') AS actor,
       regexp_replace(t.reason, '[[:cntrl:]]', ' ', 'g') AS reason, l.lines
FROM (
    SELECT s.journal_no, e.* FROM centralpay.seal_leaf s JOIN centralpay.entry e USING (owner_id, entry_id)
    WHERE s.kind = 1 AND s.leaf_index < :size AND e.effective_on BETWEEN :first_on AND :last_on
      AND (CAST(:owner AS uuid) IS NULL OR s.owner_id = CAST(:owner AS uuid))
    ORDER BY e.effective_on, s.journal_no OFFSET 0) s
JOIN centralpay.journal_transaction t ON t.transaction_id = s.transaction_id
LEFT JOIN owner_names o ON o.member_id = s.owner_id
CROSS JOIN LATERAL (
    SELECT string_agg(E'\n    ' || (CAST(:paths AS jsonb) ->> l.account::text) || coalesce('\:Member\:' || o.name, '\:House') || '  '
               || CASE WHEN l.amount_cents < 0 THEN '-' ELSE '' END || abs(l.amount_cents) / 100 || '.' || lpad((abs(l.amount_cents) % 100)::text, 2, '0')
               || ' USD' || CASE WHEN l.reference IS NULL THEN '' ELSE CAST(:remark AS text) || l.reference END, '' ORDER BY l.line_no) AS lines
    FROM centralpay.line l WHERE l.owner_id = s.owner_id AND l.entry_id = s.entry_id OFFSET 0) l
ORDER BY s.effective_on, s.journal_no

-- name: hledger_entries
-- Free text stands in comments of its own after the tags: a comma would end a tag.
SELECT m.effective_on || ' (' || m.journal_no || ') ' || m.event || '  ; transaction:' || m.transaction_id
    || coalesce(', reverses:' || m.reverses, '') || E'\n    ; fact:' || m.fact_key || E'\n    ; actor:' || m.actor
    || coalesce(E'\n    ; reason:' || m.reason, '') || m.lines || E'\n'
FROM month_entries m

-- name: beancount_entries
SELECT m.effective_on || ' * "' || m.event || E'"\n  journal: ' || m.journal_no || E'\n  transaction: ' || m.transaction_id
    || coalesce(E'\n  reverses: ' || m.reverses, '')
    || E'\n  fact: "' || replace(replace(m.fact_key, '\', '\\'), '"', '\"') || '"'
    || E'\n  actor: "' || replace(replace(m.actor, '\', '\\'), '"', '\"') || '"'
    || coalesce(E'\n  reason: "' || replace(replace(m.reason, '\', '\\'), '"', '\"') || '"', '') || m.lines || E'\n'
FROM month_entries m
