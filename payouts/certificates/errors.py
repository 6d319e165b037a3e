"""What certificates refuse, one class each."""

from collections.abc import Sequence
from datetime import date

from schemas.errors import CentralpayError, RefusedError, UnreadableError, WrongUseError
from schemas.findings import Finding


class CertificateUnprovenError(CentralpayError):
    """The books do not prove what a certificate would say: none is made (exit code 4).

    Attributes:
        whom: the member's NCPDP id, or ``the population``.
        faults: each sentence of what does not hold.
    """

    def __init__(self, whom: str, faults: Sequence[str]) -> None:
        self.whom = whom
        self.faults = tuple(faults)
        more = f" (and {len(faults) - 1} more)" if len(faults) > 1 else ""
        super().__init__(
            f"No certificate for {whom}: {faults[0]}{more}. What does not foot is not certified; "
            "see: centralpay ledger verify"
        )


class CertificateChangedError(CentralpayError):
    """What the vault holds of a certificate is not what was written down of it (exit code 4)."""

    def __init__(self, certificate_id: int) -> None:
        self.certificate_id = certificate_id
        super().__init__(
            f"The bytes of certificate {certificate_id} are not those that were issued; see: centralpay vault verify"
        )


class CertificateNotSealedError(RefusedError):
    """A certificate was issued, and no checkpoint covers it yet."""

    def __init__(self, certificate_id: int) -> None:
        self.certificate_id = certificate_id
        super().__init__(f"Certificate {certificate_id} is not sealed yet; run: centralpay ledger seal")


class CertificateRacedError(RefusedError):
    """Somebody else issued a certificate of the same months in between."""

    def __init__(self) -> None:
        super().__init__("Another certificate of these months was issued in between; nothing was issued: run it again")


class CertificateOlderError(RefusedError):
    """A certificate would be superseded by one of an older checkpoint."""

    def __init__(self, certificate_id: int, size: int, asked: int) -> None:
        self.certificate_id = certificate_id
        super().__init__(
            f"Certificate {certificate_id} is as known at checkpoint {size}; one of {asked} can not supersede it"
        )


class UnknownCertificateError(WrongUseError):
    """No certificate was issued under this number."""

    def __init__(self, certificate_id: int) -> None:
        self.certificate_id = certificate_id
        super().__init__(f"No certificate {certificate_id} was issued; see: centralpay certificates list")


class MonthsError(WrongUseError):
    """The months run backwards."""

    def __init__(self, from_on: date, to_on: date) -> None:
        super().__init__(f"From {from_on:%Y-%m} to {to_on:%Y-%m} are no months")


class CertificateUnreadableError(UnreadableError):
    """A file is no certificate."""

    def __init__(self, name: str, why: str) -> None:
        expected = "a certificate with its proof: the JSON that lies beside each PDF that is given out"
        finding = Finding(rule="is_a_certificate", element="the file", expected=expected, found=why)
        super().__init__(name, [finding])


class NobodyToCertifyError(WrongUseError):
    """There is nobody to issue a certificate to."""

    def __init__(self, from_on: date, to_on: date) -> None:
        super().__init__(f"From {from_on} to {to_on} there is nothing to certify to anybody: nothing was issued")


class NothingSealedError(RefusedError):
    """The books were never sealed, and nothing is there to seal."""

    def __init__(self) -> None:
        super().__init__("Nothing of these books is sealed, and nothing is there to seal: there is nothing to certify")
