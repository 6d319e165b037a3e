"""A certificate on paper: what was kept first, then every figure behind it, and how anybody checks it."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from payouts.papers.certificate_sections import of_all, of_member
from payouts.papers.press import set_pdf
from payouts.papers.sender import Sender
from payouts.papers.words import counted, dollars, folded, frame, month_words


def certificate_pdf(body: Mapping[str, Any], proof: Mapping[str, Any], sha256: str, sender: Sender) -> bytes:
    """Set a certificate as a tagged PDF of US letter pages; the same bytes for the same certificate and sender.

    Args:
        body: what it says (``payouts.certificates.bodies``).
        proof: of its leaf.
        sha256: of the body's canonical bytes, hex.
        sender: stands at its head.
    """
    return set_pdf("certificate", certificate_data(body, proof, sha256, sender), date.fromisoformat(body["to"]))


def certificate_data(body: Mapping[str, Any], proof: Mapping[str, Any], sha256: str, sender: Sender) -> dict[str, Any]:
    """Lay out what the template ``certificate`` is given: texts and rows of texts."""
    from_on, to_on = (date.fromisoformat(body[name]) for name in ("from", "to"))
    span = month_words(from_on)
    if to_on.replace(day=1) != from_on:
        span += f" to {month_words(to_on)}"
    member = body["member"]
    names = ["All members"]
    whom = f"All {counted(body['figures']['members'], 'member')}" if member is None else ""
    if member is not None:
        whom = f"{member['legal_name']}, NCPDP {member['ncpdp_id']}"
        names = [member["legal_name"]] + [member["dba_name"]] * (member["dba_name"] not in {"", member["legal_name"]})
        names = [*map(folded, names), f"NCPDP {member['ncpdp_id']}"]
    else:
        names = [whom, "and the custodial bank account"]
    version = str(body["version"]) + (f", instead of certificate {body['supersedes']}" if body["supersedes"] else "")
    sections = of_all(body, from_on, to_on) if member is None else of_member(body, from_on, to_on)
    return frame(sender, f"Pass-through certificate, {span}", whom, to_on) | {
        "kind": "Pass-through certificate",
        "to": names,
        "numbers": {
            "For": span,
            "Version": version,
            "Books as sealed at": f"checkpoint {body['checkpoint']['size']:,}",
        },
        "kept": _kept(body),
        "says": _says(body, span),
        "sections": [section for section in sections if section["rows"]],
        "proven": {"title": "What was proven before this was issued", "points": body["proven"]},
        "seal": _seal(proof, sha256, certificate_name(body)),
    }


def certificate_name(body: Mapping[str, Any]) -> str:
    """Name a certificate's file, without what it ends in."""
    months = body["from"][:7] + ("" if body["from"][:7] == body["to"][:7] else f"-to-{body['to'][:7]}")
    return f"{'population' if body['member'] is None else body['member']['ncpdp_id']}-{months}"


def _kept(body: Mapping[str, Any]) -> dict[str, str]:
    figures = body["figures"]
    cents = figures["retained_cents"]
    if body["member"] is None:
        more = f"{counted(figures['members'], 'member')}, {counted(figures['fee_months'], 'month')} of fee."
    else:
        more = " ".join(_fee_words(each) for each in figures["fees"]) or "No fee was due."
    what = (
        "What we gave back of the flat fee, more than we kept" if cents < 0 else f"What we kept: {body['retained_is']}"
    )
    return {"what": what, "amount": dollars(abs(cents)), "more": more}


def _fee_words(fee: Mapping[str, Any]) -> str:
    """Say of a month of fee what the contract asks and what became of it."""
    month = month_words(date.fromisoformat(f"{fee['month']}-01"))
    said = [f"{month}: the contract asks {dollars(fee['due_cents'])}"]
    for name, words in (
        ("collected_now_cents", "collected"),
        ("waived_cents", "waived"),
        ("refunded_now_cents", "refunded"),
    ):
        if fee[name]:
            said.append(f"{words} {dollars(fee[name])}")
    if fee["given_back_later_cents"] or fee["to_give_back_cents"]:
        over = fee["given_back_later_cents"] + fee["to_give_back_cents"]
        when = "given back after these months" if not fee["to_give_back_cents"] else "still to be given back"
        said.append(f"{dollars(over)} of it {when}, because the contract was changed since")
    return ", ".join(said) + "."


def _says(body: Mapping[str, Any], span: str) -> str:
    whose = "your money" if body["member"] is not None else "members' money"
    cents = body["figures"]["retained_cents"]
    kept = f"kept {dollars(cents)}: {body['retained_is']}. "
    if cents < 0:
        kept = f"kept nothing, and gave back {dollars(-cents)} more of the flat fee than it collected. "
    return (
        f"{body['company']} certifies that of {whose} that went through its custodial account in {span} it {kept}"
        "No share of what payers reimburse was kept. Whatever payers took back is listed below under the payer's name: "
        "it was taken by them, and did not stay with us."
    )


def _seal(proof: Mapping[str, Any], sha256: str, name: str) -> dict[str, Any]:
    lines = proof["note"].split("\n")
    rows = [
        ("SHA-256 of its text", sha256),
        (
            "Sealed as leaf",
            f"{proof['index']} of checkpoint {proof['size']} of {lines[0]}, {lines[3].removeprefix('time ')}",
        ),
        ("Signed root", lines[2]),
        ("Verifier key", folded(proof["vkey"])),
    ]
    how = (
        f"To check it without us: python verify.py --proof {name}.json --vkey KEY, with the file that goes with this "
        "paper, the program of any of our exports, and our verifier key as it was published. It holds the text against "
        "the signed root."
    )
    return {"title": "Seal", "rows": rows, "how": how}
