"""What of a claim is kept in a table: codes as long as the guide lets them be, never what could be a name."""

import pytest

from ingest.misfits import kept_adjustments, kept_ndc, kept_rejects, kept_status


@pytest.mark.parametrize(("given", "kept"), [("1", "1"), ("22", "22"), ("", ""), ("JANE", "?")])
def test_a_status_longer_than_two_characters_is_not_kept(given: str, kept: str) -> None:
    """CLP02 and a PLB reason have two characters at most."""
    assert kept_status(given) == kept


@pytest.mark.parametrize(
    ("given", "kept"), [("00093505698", "00093505698"), ("0009-3505-98", "0009-3505-98"), ("JANE", "")]
)
def test_an_ndc_is_digits(given: str, kept: str) -> None:
    """What has letters is no NDC."""
    assert kept_ndc(given) == kept


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("CO45:1234;PR3:-500", "CO45:1234;PR3:-500"),
        ("", ""),
        ("CO45:1234;QUILLERMARK:5", "CO45:1234"),
        ("CO45:12x4", ""),
    ],
)
def test_adjustments_are_kept_code_by_code(given: str, kept: str) -> None:
    """A group and a reason with cents stay; anything else goes."""
    assert kept_adjustments(given) == kept


@pytest.mark.parametrize(("given", "kept"), [("RX:70;HE:N30", "RX:70;HE:N30"), ("RX:QUILLERMARK", ""), ("", "")])
def test_reject_codes_are_kept_when_all_are_codes(given: str, kept: str) -> None:
    """NCPDP reject codes and remark codes have five characters at most."""
    assert kept_rejects(given) == kept
