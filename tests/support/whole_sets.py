"""That every set in a database is there with all that belongs to it, and that nothing is there of any other."""

import time
from typing import Final

import psycopg

_LONGEST_WAIT_S: Final = 60.0
_CHECKS: Final = {
    "an advice has all claims that it says, with their sum": """
        SELECT a.advice_id FROM advice a LEFT JOIN (
            SELECT advice_id, count(*) AS claims, sum(paid_cents) AS cents FROM claim_line GROUP BY advice_id) c
            USING (advice_id)
        WHERE (coalesce(c.claims, 0), coalesce(c.cents, 0)) <> (a.claim_count, a.claims_cents)""",
    "an advice has all PLB amounts": """
        SELECT a.advice_id FROM advice a LEFT JOIN (
            SELECT advice_id, sum(amount_cents) AS cents FROM plb_line GROUP BY advice_id) p USING (advice_id)
        WHERE coalesce(p.cents, 0) <> a.plb_cents""",
    "claims and PLBs are of an advice": """
        SELECT advice_id FROM claim_line UNION SELECT advice_id FROM plb_line EXCEPT SELECT advice_id FROM advice""",
    "the shares of an advice are what its lines make of it": """
        WITH stored AS (
            SELECT advice_id, owner_id, claim_count, claims_cents, plb_cents, lines_sha256 FROM advice_share
        ), made AS (
            SELECT advice_id, owner_id, claim_count, claims_cents, plb_cents, lines_sha256
            FROM advice_shares((SELECT array_agg(advice_id) FROM advice))
        )
        (TABLE stored EXCEPT TABLE made) UNION (TABLE made EXCEPT TABLE stored)""",
    "a share of a member waits to be told": """
        WITH shares AS (SELECT advice_id, owner_id FROM advice_share WHERE owner_id <> house_id()),
        waiting AS (SELECT advice_id, owner_id FROM share_to_remit)
        (TABLE shares EXCEPT TABLE waiting) UNION (TABLE waiting EXCEPT TABLE shares)""",
    "an advice is posted, each share in its owner's book": """
        SELECT advice_id FROM (
            SELECT advice_id, owner_id, claims_cents - plb_cents AS cents FROM advice_share
            WHERE claims_cents <> plb_cents) s
        FULL JOIN (
            SELECT reference AS advice_id, owner_id, sum(amount_cents) AS cents FROM line
            WHERE account = 'advised' AND event = 'advised' GROUP BY 1, 2 HAVING sum(amount_cents) <> 0) p
        USING (advice_id, owner_id) WHERE s.cents IS DISTINCT FROM p.cents""",
    "an accepted set and its advice have each other": """
        WITH taken AS (SELECT advice_id, file_id, set_ordinal FROM advice),
        recorded AS (SELECT advice_id, file_id, set_ordinal FROM remittance_set WHERE status = 'accepted')
        (TABLE taken EXCEPT TABLE recorded) UNION (TABLE recorded EXCEPT TABLE taken)""",
    "money of strangers has its case": """
        SELECT u.identifier FROM (
            SELECT reference AS unknown_payee_id, -sum(amount_cents) AS cents FROM line
            WHERE account IN ('unknown_payee', 'unknown_payee_unfunded') GROUP BY 1) l
        JOIN unknown_payee u USING (unknown_payee_id)
        LEFT JOIN exception_case e ON e.kind = 'unknown_payee' AND e.subject = u.identifier AND e.state = 'open'
        WHERE e.amount_cents IS DISTINCT FROM l.cents""",
    "an adjustment of the network has its case": """
        SELECT n.trace_number FROM (
            SELECT a.trace_number, -sum(p.amount_cents) AS cents FROM plb_line p JOIN advice a USING (advice_id)
            WHERE p.is_network GROUP BY 1) n
        LEFT JOIN exception_case e ON e.kind = 'network_adjustment' AND e.subject = n.trace_number AND e.state = 'open'
        WHERE e.amount_cents IS DISTINCT FROM n.cents""",
    "a set that was not taken has its case": """
        SELECT s.set_ordinal FROM remittance_set s
        LEFT JOIN exception_case e ON e.kind = 'set_' || s.status
            AND e.subject = format('file %s set %s', s.file_id, s.set_ordinal)
        WHERE s.status IN ('quarantined', 'conflict') AND e.subject IS NULL""",
}
"""Rules, each with a query for what breaks it; written apart from the loader, in the words of the tables."""


def flaws(database_url: str) -> dict[str, list[object]]:
    """Find what is torn: the rule that does not hold, to what breaks it."""
    with _connected(database_url) as connection:
        found = {rule: [row[0] for row in connection.execute(query)] for rule, query in _CHECKS.items()}
    return {rule: broken for rule, broken in found.items() if broken}


def wait_until_alone(database_url: str) -> None:
    """Wait for the server processes of a killed command: what they were told to commit they may still commit."""
    others = (
        "SELECT FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() "
        "AND backend_type = 'client backend'"
    )
    deadline = time.monotonic() + _LONGEST_WAIT_S
    with _connected(database_url) as connection:
        while connection.execute(others).fetchone() is not None:
            assert time.monotonic() < deadline, "somebody else is still at work in the database"
            time.sleep(0.002)


def _connected(database_url: str) -> psycopg.Connection:
    return psycopg.connect(database_url, autocommit=True, options="-c search_path=centralpay")
