"""Ways to damage a remittance: in its bytes, its lines, its segments, its elements, its delimiters.

Each takes the source of chance, the bytes and another input's bytes, and gives new bytes. None knows the reader: what
separates what is guessed from the first ISA, as well as it can be guessed.
"""

import re
from collections.abc import Callable
from random import Random
from typing import Final

LONGEST: Final = 12_000
"""Bytes of an input, at most; more shows nothing that less does not."""

_Mutation = Callable[[Random, bytes, bytes], bytes]

_BYTES = b"*:~^|><\r\n \t\x00\x1a\x1c\x1d\x1e\x1f'+-.0159ACEISTGLPXx\x7f\x80\xa6\xb2\xff"
_HEADS = (b"ISA", b"IEA", b"GS", b"GE", b"ST", b"SE", b"BPR", b"TRN", b"N1", b"REF", b"DTM", b"LX", b"TS3", b"CLP")
_KINDS = (*_HEADS, b"CAS", b"NM1", b"SVC", b"LQ", b"PLB", b"AMT", b"ZZZ", b"", b"CLPX", b"STX", b"835")
_FIGURES = (
    *(b"", b"0", b"-0", b"00", b".", b"-", b"+", b"+1", b"-.01", b".5", b"5.", b"1e5", b"1_0", b"0x1", b"1,000.00"),
    *(b"1.005", b"1.0000", b"0.001", b"9999999999999.99", b"10000000000000", b"99999999999999999999999", b"\xb2"),
    *(b" 1", b"1 ", b"--1", b"1.2.3", b"NaN", b"inf", b"20260230", b"00000000", b"19000101", b"20991231", b"2026"),
    *(b"CO", b"22", b"835", b"C", b"D", b"NON", b"H", b"1", b"2", b"0" * 40, b"A" * 90, b"WO:X", b"82", b"XX"),
)
_ISA = re.compile(rb"ISA[^A-Za-z0-9]")


def mutate(rng: Random, data: bytes, other: bytes) -> bytes:
    """Damage an input one to eight times; few wounds are likelier than many."""
    for _ in range(1 + min(int(rng.expovariate(0.6)), 7)):
        data = rng.choice(MUTATIONS)(rng, data, other)[:LONGEST]
    return data


def _separators(data: bytes) -> tuple[bytes, bytes]:
    """Guess the element separator and the terminator; the usual ones where no ISA tells."""
    found = _ISA.search(data)
    header = data[found.start() : found.start() + 200] if found else b""
    header = header if header[105:106] in b"\r\n" else header.translate(None, b"\r\n")
    return header[3:4] or b"*", header[105:106] or b"~"


def _place(rng: Random, data: bytes) -> int:
    return rng.randrange(len(data) + 1)


def _stretch(rng: Random, data: bytes) -> slice:
    start = _place(rng, data)
    return slice(start, start + 1 + min(int(rng.expovariate(0.05)), 600))


def _flip_a_bit(rng: Random, data: bytes, _: bytes) -> bytes:
    place = _place(rng, data)
    return data[:place] + bytes(byte ^ (1 << rng.randrange(8)) for byte in data[place : place + 1]) + data[place + 1 :]


def _change_a_byte(rng: Random, data: bytes, _: bytes) -> bytes:
    place = _place(rng, data)
    return data[:place] + bytes((rng.choice(_BYTES),)) + data[place + 1 :]


def _insert_bytes(rng: Random, data: bytes, _: bytes) -> bytes:
    place = _place(rng, data)
    return data[:place] + bytes(rng.choices(_BYTES, k=rng.randint(1, 5))) + data[place:]


def _delete_a_stretch(rng: Random, data: bytes, _: bytes) -> bytes:
    cut = _stretch(rng, data)
    return data[: cut.start] + data[cut.stop :]


def _repeat_a_stretch(rng: Random, data: bytes, _: bytes) -> bytes:
    cut = _stretch(rng, data)
    return data[: cut.stop] + data[cut] * rng.choice((1, 1, 2, 30)) + data[cut.stop :]


def _move_a_stretch(rng: Random, data: bytes, _: bytes) -> bytes:
    cut = _stretch(rng, data)
    left = data[: cut.start] + data[cut.stop :]
    place = _place(rng, left)
    return left[:place] + data[cut] + left[place:]


def _cut_off(rng: Random, data: bytes, _: bytes) -> bytes:
    place = _place(rng, data)
    return data[place:] if rng.random() < 0.2 else data[:place]


def _splice(rng: Random, data: bytes, other: bytes) -> bytes:
    return data[: _place(rng, data)] + other[_place(rng, other) :]


def _transplant(rng: Random, data: bytes, other: bytes) -> bytes:
    cut, place = _stretch(rng, other), _place(rng, data)
    return data[:place] + other[cut] + data[place:]


def _follow_with(_: Random, data: bytes, other: bytes) -> bytes:
    return data + other


def _wrap(rng: Random, data: bytes, _: bytes) -> bytes:
    columns, line_break = rng.choice((1, 7, 79, 80, 80, 81)), rng.choice((b"\r\n", b"\n", b"\r"))
    return line_break.join(data[at : at + columns] for at in range(0, len(data), columns))


def _unwrap(rng: Random, data: bytes, _: bytes) -> bytes:
    return data.translate(None, rng.choice((b"\r\n", b"\r", b"\n")))


def _add_noise(rng: Random, data: bytes, _: bytes) -> bytes:
    _, terminator = _separators(data)
    noise = rng.choice((b"\n", b"\r\n", b"  ", b"\t", b"\r\n\r\n   ", b"\x00", b"\x1a", terminator))
    return data.replace(terminator, terminator + noise, rng.choice((-1, 1, 5)))


def _exchange_delimiters(rng: Random, data: bytes, _: bytes) -> bytes:
    """Write one of the delimiters differently everywhere, or exchange it with another."""
    one, two = rng.choice((*_separators(data), b":", b"^")), bytes((rng.choice(_BYTES),))
    return data.translate(bytes.maketrans(one + two, two + one) if rng.random() < 0.5 else bytes.maketrans(one, two))


def _declare_another_delimiter(rng: Random, data: bytes, _: bytes) -> bytes:
    found = _ISA.search(data)
    place = (found.start() if found else 0) + rng.choice((3, 82, 84, 103, 104, 105, 106))
    return data[:place] + bytes((rng.choice(_BYTES),)) + data[place + 1 :]


def _exchange_segments(rng: Random, data: bytes, _: bytes) -> bytes:
    _, terminator = _separators(data)
    segments = data.split(terminator)
    one, two = rng.randrange(len(segments)), rng.randrange(len(segments))
    segments[one], segments[two] = segments[two], segments[one]
    return terminator.join(segments)


def _drop_a_segment(rng: Random, data: bytes, _: bytes) -> bytes:
    _, terminator = _separators(data)
    segments = data.split(terminator)
    del segments[rng.randrange(len(segments))]
    return terminator.join(segments)


def _repeat_a_segment(rng: Random, data: bytes, _: bytes) -> bytes:
    _, terminator = _separators(data)
    segments = data.split(terminator)
    segments.insert(rng.randrange(len(segments)), rng.choice(segments))
    return terminator.join(segments)


def _borrow_a_segment(rng: Random, data: bytes, other: bytes) -> bytes:
    _, terminator = _separators(data)
    segments = data.split(terminator)
    segments[rng.randrange(len(segments))] = rng.choice(other.split(_separators(other)[1]))
    return terminator.join(segments)


def _rename_a_segment(rng: Random, data: bytes, _: bytes) -> bytes:
    element, terminator = _separators(data)
    segments = data.split(terminator)
    place = rng.randrange(len(segments))
    _, separator, rest = segments[place].partition(element)
    segments[place] = rng.choice(_KINDS) + separator + rest
    return terminator.join(segments)


def _with_element(rng: Random, data: bytes, change: Callable[[list[bytes], int], None]) -> bytes:
    """Change the elements of one segment, which has some."""
    element, terminator = _separators(data)
    segments = data.split(terminator)
    place = rng.randrange(len(segments))
    elements = segments[place].split(element)
    if len(elements) > 1:
        change(elements, rng.randrange(1, len(elements)))
    segments[place] = element.join(elements)
    return terminator.join(segments)


def _write_a_figure(rng: Random, data: bytes, _: bytes) -> bytes:
    def change(elements: list[bytes], number: int) -> None:
        elements[number] = rng.choice(_FIGURES)

    return _with_element(rng, data, change)


def _exchange_elements(rng: Random, data: bytes, _: bytes) -> bytes:
    def change(elements: list[bytes], number: int) -> None:
        other = rng.randrange(1, len(elements))
        elements[number], elements[other] = elements[other], elements[number]

    return _with_element(rng, data, change)


def _add_elements(rng: Random, data: bytes, _: bytes) -> bytes:
    def change(elements: list[bytes], number: int) -> None:
        elements[number:number] = rng.choices(_FIGURES, k=rng.choice((1, 2, 30)))

    return _with_element(rng, data, change)


def _drop_elements(rng: Random, data: bytes, _: bytes) -> bytes:
    def change(elements: list[bytes], number: int) -> None:
        del elements[number : number + rng.randint(1, 9)]

    return _with_element(rng, data, change)


def _move_cents(rng: Random, data: bytes, _: bytes) -> bytes:
    """Add some cents to one to three amounts, or take them off: what balanced may still, or again."""
    cents = rng.choice((1, 1, 100, -1, 9_999))

    def moved(found: re.Match[bytes]) -> bytes:
        if rng.random() > 0.1:
            return found[0]
        return b"%d.%02d" % divmod(max(0, int(found[1] + found[2]) + rng.choice((cents, -cents))), 100)

    return re.sub(rb"(?<=[^0-9.])(\d{1,7})\.(\d\d)(?=[^0-9.])", moved, data)


MUTATIONS: Final[tuple[_Mutation, ...]] = (
    *(_flip_a_bit, _change_a_byte, _insert_bytes, _delete_a_stretch, _repeat_a_stretch, _move_a_stretch, _cut_off),
    *(_splice, _transplant, _follow_with, _wrap, _unwrap, _add_noise),
    *(_exchange_delimiters, _declare_another_delimiter),
    *(_exchange_segments, _drop_a_segment, _repeat_a_segment, _borrow_a_segment, _rename_a_segment),
    *(_write_a_figure, _write_a_figure, _exchange_elements, _add_elements, _drop_elements, _move_cents, _move_cents),
)
