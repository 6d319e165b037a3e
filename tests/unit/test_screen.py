"""Tables on a screen of any width: amounts stay whole, words stay whole, and a pipe folds nothing."""

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from app.cli import screen
from app.cli.layout import Lines, widths

DETAIL = (
    "7352261120005002: segment 15, SVC03: expected 24.17 (charge 31.13 less adjustments 6.96), found 25.54 "
    "(service_balances). Ask the payer for a corrected remittance."
)
COLUMNS = ["id#", "kind", "amount", "detail"]
ROWS = [[1, "deposit_without_advice", 90326319, DETAIL], [2, "unknown_payee", 202951, "[no] member"]]


def shown(monkeypatch: pytest.MonkeyPatch, width: int) -> list[str]:
    """Give the lines of the table in a window of a terminal."""
    window = Console(file=io.StringIO(), width=width, force_terminal=True, no_color=True, highlight=False)
    monkeypatch.setattr(screen, "SCREEN", window)
    screen.print_table("Exceptions", COLUMNS, ROWS)
    assert isinstance(window.file, io.StringIO)
    return window.file.getvalue().replace("\x1b[1m", "").replace("\x1b[0m", "").splitlines()


def test_a_window_that_is_wide_enough_has_a_table(monkeypatch: pytest.MonkeyPatch) -> None:
    """One line a row where there is room; amounts stand right."""
    lines = shown(monkeypatch, 240)
    assert lines[0] == "Exceptions"
    assert any("│ 903,263.19 │" in line and DETAIL in line for line in lines)
    assert any("│   2,029.51 │ [no] member" in line for line in lines)


@pytest.mark.parametrize("width", [30, 60, 80])
def test_a_narrow_window_has_each_row_by_itself(monkeypatch: pytest.MonkeyPatch, width: int) -> None:
    """Names beside their values, no amount and no word broken; once an amount was folded between two of its digits."""
    lines = shown(monkeypatch, width)
    assert max(map(len, lines)) <= width
    assert [line.split() for line in lines[1:4]] == [
        ["id", "1"],
        ["kind", "deposit_without_advice"],
        ["amount", "903,263.19"],
    ]
    assert " ".join(" ".join(lines).split()).count(DETAIL) == 1


def test_a_pipe_folds_nothing_and_pads_no_title(capsys: pytest.CaptureFixture[str]) -> None:
    """Every row is one line, however long a cell is; a line of a list can be found by grep."""
    screen.print_table("Exceptions", COLUMNS, [*ROWS, [3, "long", 1, "x" * 5000]])
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "Exceptions"
    assert len(lines) == 1 + 3 + 3 + 1
    assert any("x" * 5000 in line for line in lines)


TEXT = st.text(alphabet="ab 1.", max_size=40)


@given(
    st.lists(st.tuples(st.booleans(), st.lists(TEXT, min_size=2, max_size=2)), min_size=1, max_size=6),
    st.integers(1, 200),
)
def test_columns_share_the_window(drawn: list[tuple[bool, list[str]]], window: int) -> None:
    """They never need more than there is, none gets more than it can use, and numbers get all that they need."""
    columns = [Lines("name", cells, is_number) for is_number, cells in drawn]
    found = widths(columns, window)
    if found is None:
        assert sum(each.least + 3 for each in columns) + 1 > window
        return
    assert sum(found) + 3 * len(columns) + 1 <= window
    for column, width in zip(columns, found, strict=True):
        assert column.least <= width <= column.most or width == column.least
        assert not column.is_number or width >= max(map(len, column.cells))


def test_texts_are_shown_as_they_are(capsys: pytest.CaptureFixture[str]) -> None:
    """A key with :bank: in it, brackets, a backslash at the end: once a picture of a bank stood in the key's place."""
    screen.print_table("Facts :key:", ["fact", "why"], [["paid:bank:1", "[red]x[/red] C:\\"]])
    screen.warn("Look at paid:bank:1 [all]")
    out, err = capsys.readouterr()
    assert "Facts :key:" in out
    assert "paid:bank:1" in out
    assert "[red]x[/red] C:\\ " in out
    assert err == "Look at paid:bank:1 [all]\n"


@pytest.mark.parametrize("letter", ["\x1b", "\r", "\x9b", "\u202e"])
def test_no_text_steers_the_terminal(capsys: pytest.CaptureFixture[str], letter: str) -> None:
    """What a payer wrote into a file, or a person into a reason, wipes no line and turns no amount round."""
    screen.print_table("Payers", ["name", "amount"], [[f"A{letter}[2KB", 1], ["two\nlines", 2]])
    screen.warn(f"A{letter}[2KB")
    out, err = capsys.readouterr()
    assert letter not in out + err
    assert "A\ufffd[2KB" in out
    assert err == "A\ufffd[2KB\n"
    assert len(out.splitlines()) == 1 + 3 + 1 + 2 + 1


def test_a_cell_of_lines_is_as_wide_as_its_longest(capsys: pytest.CaptureFixture[str]) -> None:
    """A payer's name over its trace number, a tab: measured as shown; once there was room for both side by side."""
    screen.print_table("Claims", ["of", "why"], [["HARROWGATE\nTRN1234567", "a\tb"]])
    lines = capsys.readouterr().out.splitlines()
    assert lines[4:6] == ["│ HARROWGATE │ a b │", "│ TRN1234567 │     │"]


def test_amounts_stand_right_below_a_row_without_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """A first row that has no amount: once the amounts below it were text, which a narrow window may break."""
    window = Console(file=io.StringIO(), width=80, force_terminal=True, no_color=True, highlight=False)
    monkeypatch.setattr(screen, "SCREEN", window)
    screen.print_table("Holds", ["of", "kept", "open"], [["A", None, True], ["B", 123456, False], ["C", 5, True]])
    assert isinstance(window.file, io.StringIO)
    assert "│ B  │ 1,234.56 │ no   │" in window.file.getvalue()
    assert "│ C  │     0.05 │ yes  │" in window.file.getvalue()
