"""Which rules the readers of remittances can name in a finding, and with which weight: read off their source."""

import ast
from pathlib import Path

from schemas.findings import Severity

ROOT = Path(__file__).parents[2]
READER = tuple(sorted((ROOT / "ingest" / "x12").glob("*.py")))
MISFITS = ROOT / "ingest" / "misfits.py"
COLLECTING = ROOT / "schemas" / "collecting.py"
RECEIVING = ROOT / "ingest" / "receiving.py"

_BOTH = set(Severity)
_WEIGHTS = {
    "refuse": {Severity.REFUSE},
    "_refuse": {Severity.REFUSE},
    "_compare": {Severity.REFUSE},
    "warn": {Severity.WARN},
    "_warn": {Severity.WARN},
    "say": _BOTH,
    "Finding": {Severity.REFUSE},
}
"""By the functions that make findings, the weights of what they make."""


def rules_of(*paths: Path) -> dict[str, set[Severity]]:
    """Give each rule that these modules name, with the weights that it can have."""
    rules: dict[str, set[Severity]] = {}
    for path in paths:
        tree = ast.parse(path.read_text())
        variable = _values_of_rule(tree)
        for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
            function = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
            if function not in _WEIGHTS:
                continue
            weighs = next((each.value for each in call.keywords if each.arg == "severity"), None)
            for rule in _named(call, variable):
                rules.setdefault(rule, set()).update(_WEIGHTS[function] if weighs is None else _BOTH)
    return rules


def _named(call: ast.Call, variable: list[str]) -> list[str]:
    """Give the rules that a call names: by the argument ``rule``, or by the first of its words."""
    given = [each.value for each in call.keywords if each.arg == "rule"] or call.args[:2]
    return next((words for each in given if (words := _words(each, variable))), [])


def _words(node: ast.expr, variable: list[str]) -> list[str]:
    """Give the texts that an expression can be; the variable ``rule`` can be all that is assigned to it anywhere."""
    if isinstance(node, ast.Constant):
        return [node.value] if isinstance(node.value, str) else []
    if isinstance(node, ast.IfExp):
        return _words(node.body, variable) + _words(node.orelse, variable)
    return variable if isinstance(node, ast.Name) and node.id == "rule" else []


def _values_of_rule(tree: ast.AST) -> list[str]:
    """Find what is assigned to a variable of the name ``rule``, alone or beside others."""
    words: list[str] = []
    for node in (node for node in ast.walk(tree) if isinstance(node, ast.Assign)):
        values = node.value.elts if isinstance(node.value, ast.Tuple) else [node.value]
        for target in node.targets:
            names = target.elts if isinstance(target, ast.Tuple) else [target]
            if len(names) == len(values):
                pairs = zip(names, values, strict=True)
                words += [
                    word for name, value in pairs if getattr(name, "id", "") == "rule" for word in _words(value, [])
                ]
    return words
