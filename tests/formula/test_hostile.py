"""Texts that try to reach Python, or to take all time and memory: each is refused in a line, and nothing runs."""

import random
import sys
import time

import pytest

from flowgrad import OptionError
from flowgrad.formula import parse_formulas
from flowgrad.formula.arguments import VelocityFormula

_CALLS = ["eval", "exec", "compile", "open", "__import__", "getattr", "globals", "input", "print", "breakpoint", "os"]
_DUNDERS = [
    "__class__",
    "__dict__",
    "__globals__",
    "__builtins__",
    "__subclasses__",
    "__mro__",
    "__init__",
    "__reduce__",
]
_LOOK_ALIKES = [
    "х", "ｘ", "𝑥", "ѕin(x)", "e\u0301", "x\u200b", "１+x", "x＋y", "x∗y", "x⁄y", "\u202ex", "π", "x²",
    "−x", "“x”", "ﬁ"
]  # fmt: skip
_CONTROLS = ["\0", "\x1b[31m", "\x7f", "\ud800", "\x0b", "\x0c", "\u2028", "\ufeff"]
_PYTHON = [
    "lambda x: x", "[x for x in (1,2)]", "{x: y}", "{x}", "x if y else z", "import os", "f'{x}'", "'x'*9", '"x"',
    "b'x'", "x[0]", "x[...]", "x; import os", "x := 3", "x = y = z", "*x", "**x", "x, y", "@x", "x @ y", "x // y",
    "x % y", "x & y", "~x", "x | y", "x << 9", "x >> 9", "not x", "x and y", "yield x", "await x", "print x",
    "`x`", "$x", "x!", "x?", "\\x41", "#x", "x # y", "del x", "assert x", "raise x", "pass", "None", "True", "...",
    "_", "x_", "1_000", "0x10", "0b1", "1j", "sin", "sin x", "sin()()", "sin(x)(y)", "x(y)", "pi(x)", "(x)(y)",
    "()", "(,)", "sin(,x)", "where(x<y<z,1,2)", "x<y", "1.2.3", "1e", "1e+", ".", "..", "e e", "x^", "^x", "x^^y",
    "x***y", "+", "-", "x+", "*", "x y",
]  # fmt: skip


def hostile(count=500):
    """Texts of every kind, the same in each run."""
    source = random.Random(7)
    attacks = [*_PYTHON]
    attacks += [f"{call}('{text}')" for call in _CALLS for text in ("1+1", "os.system('touch hacked')")]
    attacks += [f"{call}(x)" for call in _CALLS]
    attacks += [f"{start}.{name}" for start in ("x", "sin", "(1)", "1.0", "sin(x)", "''") for name in _DUNDERS]
    attacks += [f"{name}" for name in _DUNDERS]
    attacks += _LOOK_ALIKES
    attacks += [f"x{text}" for text in _CONTROLS] + [f"{text}x + y" for text in _CONTROLS]
    attacks += ["9" + "**9" * n for n in range(3, 60, 4)] + [f"x^{10**n}" for n in range(4, 300, 20)]
    attacks += [
        "10^10^10",
        "2^2^2^2^2^2",
        "(9^9)^(9^9)",
        "x^(9^9)",
        "x^-1e9",
        "9e307*9e307",
        "1e309",
        "9" * 400,
        "exp(1e6)",
    ]
    pairs = (("(", ")"), ("sin(", ")"), ("x^(", ")"), ("(", ""))
    attacks += [f"{opening * n}x{closing * n}" for opening, closing in pairs for n in (60, 100, 1000, 2000)]
    attacks += ["x" * 10_000_000, "(" * 10_000_000, "x+" * 5_000_000, "\0" * 10_000_000, "9" * 10_000_000]
    attacks += ["x" + "+x" * 3000, "x*" * 4000 + "x", ";" * 20_000, "x;" * 6000, "x;" * 4000]
    alphabet = "xyz019.+-*/^()_[]{}'\";:,@#$%&!~`\\ =<>sine\n\0éπ"
    while len(attacks) < count:
        text = "".join(source.choice(alphabet) for _ in range(source.randint(3, 60)))
        if any(bad in text for bad in "[]{}'\":@#$%&!~`\\\0éπ_"):
            attacks.append(text)
    return attacks


_EVENTS = ("exec", "compile", "open", "os.", "subprocess.", "import", "socket.", "shutil.", "ctypes.")
_seen = []
_watched = [False]


def _watch(event, arguments):
    if _watched[0] and event.startswith(_EVENTS):
        _seen.append((event, arguments))


def outcome(parse, text):
    """The message of the refusal, and the seconds that it took."""
    start = time.process_time()
    try:
        parse(text)
    except OptionError as error:
        return str(error), time.process_time() - start
    return f"accepted\n{text[:80]!r}", 0.0


@pytest.mark.parametrize("parse", [lambda text: parse_formulas([text]), VelocityFormula.parse], ids=["derive", "run"])
def test_hostile_texts_are_refused_in_one_line_within_a_second(parse):
    """Python's audit events (PEP 578) tell that nothing was compiled, run, imported or opened."""
    sys.addaudithook(_watch)
    attacks = hostile()
    outcome(parse, "x")
    _watched[0] = True
    results = [outcome(parse, text) for text in attacks]
    _watched[0] = False
    assert len(results) >= 500
    assert not _seen
    assert [message for message, _ in results if not message.isprintable() or len(message) > 500] == []
    assert max(seconds for _, seconds in results) < 1


@pytest.mark.parametrize("text", ["x^1000", "((x^1000)^1000)^1000", "((2*x)^1000)^1000", "exp(exp(exp(exp(exp(x)))))"])
def test_large_numbers_are_floats(text):
    """What grows beyond all bounds is infinite, at once."""
    from flowgrad.cli.derivation import Derivation, answer

    start = time.process_time()
    lines = list(answer(Derivation.of([text], "x=9", hessian=True)))
    assert any("inf" in line or "nan" in line for line in lines)
    assert time.process_time() - start < 5
