"""Rows that the tests of the ledger write past ``post``: reference facts, and entries as the owner could forge them."""

from collections.abc import Sequence

from sqlalchemy import Connection, text

from ledger.batch import Line

Row = dict[str, object]

_COLUMNS = {
    "owner_id": "uuid[]",
    "entry_id": "bigint[]",
    "line_no": "int[]",
    "event": "event_name[]",
    "ledger": "ledger_name[]",
    "account": "account_name[]",
    "amount_cents": "bigint[]",
    "reference": "bigint[]",
    "effective_on": "date[]",
}


def line_row(line: Line, entry_id: int, event: str, day: object, line_no: int = 1) -> Row:
    """Give a line as a row of table ``line``."""
    return {
        "owner_id": line.owner,
        "entry_id": entry_id,
        "line_no": line_no,
        "event": event,
        "ledger": line.ledger.value,
        "account": line.account.value,
        "amount_cents": line.amount_cents,
        "reference": line.reference,
        "effective_on": day,
    }


def insert_lines(connection: Connection, rows: Sequence[Row]) -> None:
    """Insert rows into table ``line`` with one statement."""
    arrays = ", ".join(f"CAST(:{name} AS {kind})" for name, kind in _COLUMNS.items())
    statement = text(f"INSERT INTO centralpay.line ({', '.join(_COLUMNS)}) SELECT * FROM unnest({arrays})")  # noqa: S608 (our own names)
    connection.execute(statement, {name: [row[name] for row in rows] for name in _COLUMNS})


SETTING = (
    text("DROP INDEX one_open_cycle"),  # each payout has a cycle of its own here, and many are approved at a time
    text("""
    INSERT INTO app_user (user_name, role, added_by)
        VALUES ('finance', 'operator', 'test'), ('controller', 'approver', 'test'), ('approver', 'approver', 'test')
    """),
    text("""
    INSERT INTO received_file (sha256, name, kind, size_bytes, status, received_by)
        VALUES (sha256('statement'), 'statement', 'bai2', 9, 'accepted', 'finance')
    """),
    text("""
    INSERT INTO custodial_account (custodial_account_id, last_four, sealed_number) VALUES (1, '6789', '')
    """),
)

MEMBER = text("""
    WITH owned AS (INSERT INTO owner (owner_id, kind) VALUES (:member, 'member')),
         store AS (INSERT INTO pharmacy (ncpdp_id) VALUES (:ncpdp) RETURNING pharmacy_id),
         joined AS (INSERT INTO member (member_id, pharmacy_id, membership, legal_name, dba_name, tin, state,
                                        payout_schedule)
                    SELECT :member, pharmacy_id, daterange(:since, :until), 'Pharmacy', 'Pharmacy', '990000000', 'OH',
                           'daily'
                    FROM store)
    INSERT INTO bank_account (member_id, in_use, routing_number, account_type, sealed_number, last_four)
    VALUES (:member, daterange(:since, NULL), '091000019', 'checking', '', '6789')
""")

CONTRACT = text("""
    INSERT INTO contract (member_id, in_force, monthly_fee_cents) VALUES (:member, daterange(:since, :until), :cents)
""")

BANK_LINE = text("""
    INSERT INTO bank_line (bank_line_id, custodial_account_id, as_of, type_code, amount_cents, bank_reference,
                           customer_reference, description, ordinal, file_id) OVERRIDING SYSTEM VALUE
    SELECT :id, 1, '2026-01-10', '165', :cents, :name, '', '', 1, file_id FROM received_file
""")

APPROVAL = tuple(
    text(statement)
    for statement in (
        """INSERT INTO cycle (cycle_id, business_date, effective_on, odfi_routing, company_id, company_name,
                              entry_description, proposed_by) OVERRIDING SYSTEM VALUE
           VALUES (:id, '2026-01-12', '2026-01-13', '091000019', '1999999999', 'CENTRALPAY', 'HCCLAIMPMT',
                   :proposer)""",
        """INSERT INTO payout (payout_id, cycle_id, member_id, amount_cents, fee_cents, bank_account_id)
           OVERRIDING SYSTEM VALUE
           SELECT :id, :id, member_id, :cents, 0, bank_account_id
           FROM bank_account WHERE member_id = :member""",
        """INSERT INTO approval (kind, subject, set_hash, proposed_by)
           VALUES ('cycle', CAST(:id AS bigint)::text, cycle_set_hash(:id), :proposer)""",
        """UPDATE approval SET state = 'approved', decided_by = :approver, decided_at = now()
           WHERE kind = 'cycle' AND subject = CAST(:id AS bigint)::text""",
        """UPDATE cycle SET state = 'approved', approval_id = (SELECT approval_id FROM approval
               WHERE kind = 'cycle' AND subject = CAST(:id AS bigint)::text) WHERE cycle_id = :id""",
        "UPDATE payout SET state = 'approved' WHERE cycle_id = :id",
    )
)

DISBURSEMENT = tuple(
    text(statement)
    for statement in (
        # Under no item: the lines that the model posts for it have no reference.
        """INSERT INTO disbursement (disbursement_id, kind, owner_id, subject, payee, method, amount_cents, proposed_by)
           VALUES (:id, split_part(:event, '_', 1), :owner, '', 'Payee', 'check', :cents, :proposer)""",
        """INSERT INTO approval (kind, subject, proposed_by)
           VALUES ('disbursement', CAST(:id AS bigint)::text, :proposer)""",
        """UPDATE approval SET state = 'approved', decided_by = :approver, decided_at = now()
           WHERE kind = 'disbursement' AND subject = CAST(:id AS bigint)::text""",
        """UPDATE disbursement SET state = 'approved', approval_id = (SELECT approval_id FROM approval
               WHERE kind = 'disbursement' AND subject = CAST(:id AS bigint)::text) WHERE disbursement_id = :id""",
    )
)

GIVEN_BACK = text("""
    INSERT INTO approval (kind, subject, facts, state, proposed_by, decided_by, decided_at)
    VALUES (:kind, :subject, CAST(:facts AS jsonb), 'approved', 'finance', 'approver', now())
""")

TRANSACTION_ROW = text("""
    INSERT INTO centralpay.journal_transaction (event, fact_key, fact_on, effective_on, actor, bank_line_id, reverses)
    VALUES (:event, :fact_key, :fact_on, :day, 'owner', :bank_line, :reverses) RETURNING transaction_id
""")

ENTRY_ROW = text("""
    INSERT INTO centralpay.entry (owner_id, transaction_id, ledger, event, fact_key, effective_on)
    VALUES (:owner, :transaction, :ledger, :event, :fact_key, :day) RETURNING entry_id
""")

DERIVED = text("""
    SELECT e.event, l.owner_id, l.account, l.amount_cents FROM entry e JOIN line l USING (owner_id, entry_id)
    WHERE e.transaction_id = :id AND e.event IN ('advanced', 'advance_repaid')
""")

DAYS = text("""
    SELECT effective_on FROM journal_transaction WHERE transaction_id = :id
    UNION SELECT effective_on FROM entry WHERE transaction_id = :id
    UNION SELECT l.effective_on FROM line l JOIN entry USING (owner_id, entry_id) WHERE transaction_id = :id
""")
