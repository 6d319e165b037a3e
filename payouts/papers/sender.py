"""Who sends a paper, and whom its reader calls."""

from pydantic import BaseModel, ConfigDict

from payouts.children.model import Office


class Sender(BaseModel):
    """The PSAO as it stands at the head of its papers."""

    model_config = ConfigDict(frozen=True)

    name: str
    lines: tuple[str, ...] = ()
    """Street, then city, state and postal code; nothing when the installation does not say."""
    telephone: str | None = None
    """As people write it, such as ``(312) 555-0100``."""


def sender_of(name: str, office: Office | None) -> Sender:
    """Give the sender of this name, with what is said of its office."""
    if office is None:
        return Sender(name=name)
    code = office.postal_code
    place = f"{office.city}, {office.state} {code[:5]}" + (f"-{code[5:]}" if code[5:] else "")
    number = office.telephone
    return Sender(name=name, lines=(office.street, place), telephone=f"({number[:3]}) {number[3:6]}-{number[6:]}")
