"""What packs and closes months: the pieces of a package put together from the session's settings."""

from app.session import Session
from payouts.closing.closing import Closer
from payouts.closing.packing import Packer


def closer(session: Session) -> Closer:
    """Give what closes months for a session."""
    settings = session.settings
    packer = Packer(settings.company_full_name or settings.company_name)
    return Closer(session.begin, session.reading, session.sealer(), packer, session.actor, session.clock)
