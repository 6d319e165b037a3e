"""The frame of clearing exceptions: every action has its place, and refusals say what to do."""

from ingest.cases import CaseKind
from payouts.decisions import FOLLOWERS
from payouts.people.approvals import ApprovalKind
from payouts.resolutions.actions import ACTIONS
from payouts.resolutions.errors import DifferenceError, UnfitActionError
from payouts.resolutions.frame import FITS, Action, actions_for
from payouts.resolutions.suggestions import PayerNames, payers_in


def test_every_action_is_described_and_done() -> None:
    """Each action stands in the table of what can be done, and has one function."""
    assert set(FITS) == set(ACTIONS) == set(Action)
    assert all(fit.says and fit.kinds for fit in FITS.values())


def test_every_kind_of_approval_is_carried_out() -> None:
    """No decision is left without what follows from it; a replacement needs the vault and has a line of its own."""
    assert set(ApprovalKind) - set(FOLLOWERS) <= {ApprovalKind.ADVICE_REPLACEMENT}


def test_every_case_can_at_least_wait() -> None:
    """There is no kind of case about which nothing can be done or noted."""
    assert all(Action.WAIT in actions_for(kind) for kind in CaseKind)
    assert actions_for(CaseKind.SET_CONFLICT) == [Action.REPLACE, Action.REFUSE, Action.WAIT]


def test_a_difference_says_how_much_and_which_action_fits() -> None:
    """Too little is divided or completed; too much goes back first, by an amount that can be typed as it stands."""
    little = DifferenceError(12_000_00, 12_500_00)
    assert (little.difference_cents, "fund_short" in str(little)) == (-500_00, True)
    much = DifferenceError(12_500_00, 1_00)
    assert str(much).endswith("--action return_to_payer --amount 12499.00")
    assert "replace, wait" in str(UnfitActionError(4, "set_conflict", "match", ["replace", "wait"]))


def test_payers_are_known_by_the_banks_words() -> None:
    """An alias of several words, or an ACH company id, names its payer; two payers in one text are both named."""
    payers = [PayerNames("1360000001", ("HARROWGATE BENEFIT",)), PayerNames("1360000002", ("1360000002",))]
    assert payers_in("CHECK FROM HARROWGATE  BENEFIT, INC.", payers) == {"1360000001"}
    assert payers_in("ACH CO ID:1360000002 HARROWGATE BENEFIT", payers) == {"1360000001", "1360000002"}
    assert payers_in("HARROWGATES BENEFIT 13600000021", payers) == frozenset()
