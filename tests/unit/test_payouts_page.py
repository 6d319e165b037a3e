"""The page on payouts names what the code can do."""

from pathlib import Path

import pytest

from payouts.answers.codes import TREATMENTS, Treatment
from payouts.resolutions.frame import Action

PAGE = (Path(__file__).parents[2] / "docs" / "payouts.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("action", Action)
def test_every_action_is_explained(action: Action) -> None:
    """What people can do about an exception stands in the page's table."""
    assert any(line.startswith("| ") and f"`{action.value}`" in line.split("|")[1] for line in PAGE.splitlines())


@pytest.mark.parametrize("code", sorted(code for code, treatment in TREATMENTS.items() if treatment.returns_credit))
def test_every_treated_code_is_listed_once(code: str) -> None:
    """A return code stands in the row of its treatment; R17 in two, for it is two things."""
    rows = [line for line in PAGE.splitlines() if line.startswith("| ") and code in line.split("|")[1]]
    assert len(rows) == (2 if code == "R17" else 1)


def test_unknown_codes_wait_for_a_person() -> None:
    """What nobody knows is no treatment of its own."""
    assert Treatment.UNKNOWN not in TREATMENTS.values()
