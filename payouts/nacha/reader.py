"""Read a NACHA file, ours or the bank's, and check all of it.

Source: Nacha Operating Rules, Appendix Three. The steps: ``lines`` cuts, ``assembly`` puts records together,
``checks`` and ``totals`` say what is wrong with them.
"""

from dataclasses import dataclass
from typing import BinaryIO, Final

from payouts.nacha.assembly import Assembly
from payouts.nacha.bulk import many_values
from payouts.nacha.checks import entry_findings
from payouts.nacha.leniency import Leniency, LenientFindings, with_capital_codes
from payouts.nacha.lines import record_lines
from payouts.nacha.records import FileRecords
from payouts.nacha.totals import batch_findings, file_findings
from schemas.errors import UnreadableError
from schemas.findings import Finding, Severity


@dataclass(frozen=True, slots=True)
class NachaReading:
    """What a file says and what is wrong with it."""

    name: str
    """The file as the user named it."""
    files: tuple[FileRecords, ...]
    """Banks put several NACHA files into one; a day without returns may bring none."""
    findings: tuple[Finding, ...]
    """In the order of the lines."""

    @property
    def is_accepted(self) -> bool:
        """Whether nothing weighs more than a warning."""
        return all(finding.severity is not Severity.REFUSE for finding in self.findings)

    def accepted_files(self) -> tuple[FileRecords, ...]:
        """Give the files for further work.

        Raises:
            UnreadableError: the reading has a refusal; nothing of it may be used.
        """
        if not self.is_accepted:
            refusals = [finding for finding in self.findings if finding.severity is Severity.REFUSE]
            raise UnreadableError(self.name, refusals)
        return self.files


NOTHING_LET_THROUGH: Final[frozenset[Leniency]] = frozenset()


def read_nacha(stream: BinaryIO, name: str, leniency: frozenset[Leniency] = NOTHING_LET_THROUGH) -> NachaReading:
    """Read records 1 to 9 of all files in the stream and check codes, order, counts, hashes and totals.

    Returns and notifications of change are read as entries; ``answers.read_answer`` reads the addenda of type 98 and 99
    of an accepted file. IAT and ADV batches are refused. Nothing of a person's is in a finding.

    Args:
        stream: the decompressed bytes, 24 MiB at most; amounts come out as cents.
        name: the file as the user named it.
        leniency: what this bank may do otherwise: it becomes a warning.

    Raises:
        UnreadableError: not one record could be read.
    """
    with many_values():
        return _read(stream, name, leniency)


def _read(stream: BinaryIO, name: str, leniency: frozenset[Leniency]) -> NachaReading:
    findings = LenientFindings(leniency)
    has_small_codes = Leniency.LOWER_CASE_CODES in leniency
    assembly = Assembly(findings)
    is_empty = True
    for number, line in record_lines(stream, name, findings):
        is_empty = False
        assembly.take(number, with_capital_codes(number, line, findings) if has_small_codes else line)
    files = assembly.finish()
    if is_empty:
        findings.add(_empty())
    for file in files:
        for batch in file.batches:
            for finding in entry_findings(batch.header, batch.entries):
                findings.add(finding)
            for finding in batch_findings(batch):
                findings.add(finding)
        for finding in file_findings(file):
            findings.add(finding)
    ordered = sorted(findings.all(), key=lambda finding: (finding.line is None, finding.line or 0))
    if not (is_empty or assembly.read_count):
        raise UnreadableError(name, ordered)
    return NachaReading(name, files, tuple(ordered))


def _empty() -> Finding:
    return Finding(
        rule="file_empty",
        element="file",
        expected="records",
        found="nothing",
        severity=Severity.WARN,
        advice="Banks send empty files on days without returns; ask the bank if one was expected.",
    )
