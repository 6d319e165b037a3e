"""An identifier that exists is a valid one."""

import pytest
from pydantic import BaseModel, ConfigDict, ValidationError

from schemas.identifiers import AbaRouting, Identifier, Ncpdp, Npi, PayerId, Tin


class Pharmacy(BaseModel):
    """A model as the system has them: strict and frozen."""

    model_config = ConfigDict(frozen=True, strict=True)

    npi: Npi
    routing: AbaRouting


@pytest.mark.parametrize("text", ["1234567893", "1245319599", "2000000002"])
def test_npis_with_a_right_check_digit(text: str) -> None:
    """1234567893 is the worked example of the standard's check digit; a first digit 2 is allowed."""
    assert Npi(text) == text


@pytest.mark.parametrize(
    "text", ["1234567890", "1234567983", "3234567893", "123456789", "12345678931", "", "123456789X", " 1234567893"]
)
def test_npis_that_are_none(text: str) -> None:
    """A wrong digit, two digits changed about, a wrong first digit, a wrong length, letters, blanks."""
    with pytest.raises(ValueError, match="NPI"):
        Npi(text)


@pytest.mark.parametrize("text", ["021000021", "011401533", "091000019", "121000358", "322271627", "000000518"])
def test_routing_numbers_with_a_right_check_digit(text: str) -> None:
    """Real routing numbers of several districts; prefix 00 is the government's."""
    assert AbaRouting(text) == text


@pytest.mark.parametrize(
    "text",
    [
        "021000022",
        "012000021",
        "000000000",
        "131000025",
        "730000005",
        "900000007",
        "02100002",
        "0210000210",
        "02100002X",
    ],
)
def test_routing_numbers_that_are_none(text: str) -> None:
    """A wrong digit, digits changed about, all zeros, prefixes that do not exist, wrong lengths, letters."""
    with pytest.raises(ValueError, match="ABA routing number"):
        AbaRouting(text)


@pytest.mark.parametrize("prefix", ["13", "20", "33", "60", "73", "79", "81", "99"])
def test_prefixes_that_do_not_exist_are_refused_with_any_check_digit(prefix: str) -> None:
    """No check digit makes a routing number of a district that there is not."""
    with pytest.raises(ValueError, match="prefix"):
        AbaRouting.from_eight(prefix + "000001")


@pytest.mark.parametrize(
    ("kind", "good", "bad"),
    [
        (Ncpdp, ["0123456", "9999999"], ["123456", "01234567", "012345A", ""]),
        (PayerId, ["1123456789"], ["2123456789", "123456789", "11234567890", "1-12345678"]),
        (Tin, ["012345678"], ["12-3456789", "12345678", "1234567890"]),
    ],
)
def test_identifiers_without_a_check_digit(kind: type[Identifier], good: list[str], bad: list[str]) -> None:
    """The number of digits and the first one decide; zeros in front stay."""
    for text in good:
        assert kind(text) == text
        assert kind.problem(text) is None
    for text in bad:
        assert kind.problem(text) is not None
        with pytest.raises(ValueError, match=r"is not a"):
            kind(text)


@pytest.mark.parametrize("kind", [Npi, Ncpdp, AbaRouting, PayerId, Tin])
def test_digits_of_other_scripts_are_refused(kind: type[Identifier]) -> None:
    """Digits that Python takes and a bank does not, and a line break at the end."""
    for text in ("1234567893", "0123456", "021000021", "1123456789", "012345678"):
        assert kind.problem("".join(chr(ord(digit) - ord("0") + 0x0660) for digit in text)) is not None
        assert kind.problem(text + "\n") is not None


def test_a_check_digit_can_be_added() -> None:
    """Nine or eight digits are completed to the one number that holds; other lengths are refused."""
    assert Npi.from_nine("123456789") == "1234567893"
    assert AbaRouting.from_eight("02100002") == "021000021"
    with pytest.raises(ValueError, match="NPI"):
        Npi.from_nine("323456789")
    with pytest.raises(ValueError, match="ABA"):
        AbaRouting.from_eight("0210000")


def test_every_single_wrong_digit_of_a_check_digit_is_noticed() -> None:
    """Both check digits find any one wrong digit: that is what they are for."""
    for kind, good in ((Npi, "1234567893"), (AbaRouting, "021000021")):
        for place in range(len(good)):
            for digit in set("0123456789") - {good[place]}:
                assert kind.problem(good[:place] + digit + good[place + 1 :]) is not None


def test_identifiers_live_in_models() -> None:
    """A strict model takes valid text and identifiers, keeps the type, writes plain JSON and reads it again."""
    pharmacy = Pharmacy(npi=Npi("1234567893"), routing=AbaRouting("021000021"))
    assert type(pharmacy.npi) is Npi
    assert pharmacy.model_dump_json() == '{"npi":"1234567893","routing":"021000021"}'
    assert Pharmacy.model_validate_json(pharmacy.model_dump_json()) == pharmacy
    with pytest.raises(ValidationError, match="check digit"):
        Pharmacy.model_validate({"npi": "1234567890", "routing": "021000021"})
    with pytest.raises(ValidationError):
        Pharmacy.model_validate({"npi": 1234567893, "routing": "021000021"})
