"""Another key that signs the seal's checkpoints: asked for by one person, approved by another.

The public key is what is approved; the private one waits in its file and takes its place at the next seal
(``ledger.seal.keys``). Checkpoints that the old key signed stay verifiable by it.
"""

from sqlalchemy import Connection

from ledger import activity
from ledger.seal import checkpoints
from ledger.seal.checkpoints import QUERIES, SealKey
from ledger.seal.note import VerifierKey
from payouts.errors import SealKeyMovedError
from payouts.people import approvals
from payouts.people.approvals import Approval, ApprovalKind


def recorded_keys(connection: Connection) -> list[SealKey]:
    """List the keys that a new one would follow, the oldest first.

    Raises:
        SealKeyMovedError: nothing was sealed yet.
    """
    recorded = checkpoints.keys(connection)
    if not recorded:
        raise SealKeyMovedError("nothing is sealed yet: the first key needs no other; run: centralpay ledger seal")
    return recorded


def propose_key(connection: Connection, verifier: VerifierKey, actor: str) -> int:
    """Ask a second person to let another key sign from the next checkpoint on; give the approval.

    Raises:
        SealKeyMovedError: it signs already, or nothing was sealed yet.
    """
    recorded = recorded_keys(connection)
    if str(verifier) in {each.vkey for each in recorded}:
        raise SealKeyMovedError("this key is recorded already")
    facts = {"name": verifier.name, "vkey": str(verifier), "before": recorded[-1].vkey}
    return approvals.propose(connection, ApprovalKind.SEAL_KEY, str(verifier), facts, actor)


def follow_approval(connection: Connection, approval: Approval) -> None:
    """Record an approved key; what the old one signed until now stays its own.

    Raises:
        SealKeyMovedError: another key came in between.
    """
    if approval.state != "approved":
        return
    actor = approval.decided_by or approval.proposed_by
    connection.execute(QUERIES["turn"])
    if checkpoints.keys(connection)[-1].vkey != approval.facts["before"]:
        raise SealKeyMovedError("another key was approved meanwhile; ask again")
    name, vkey = approval.facts["name"], approval.facts["vkey"]
    key = {"name": name, "vkey": vkey, "approval_id": approval.approval_id, "actor": actor}
    connection.execute(QUERIES["add_key"], key)
    activity.record(connection, actor, "seal_key_changed", vkey, approval=approval.approval_id)
