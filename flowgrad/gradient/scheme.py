"""Schemes of differentiation and their registry: name, summary, finer scheme and reach of each."""

from __future__ import annotations

import dataclasses
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, TypeAlias

from flowgrad.errors import OptionError
from flowgrad.spec import parse, unparse
from flowgrad.typing import FloatArray, IntArray

if TYPE_CHECKING:
    from flowgrad.flow import Flow
    from flowgrad.gradient.operator import Gradients, Operator

# Where gradients are wanted: ``points``, ``cells``, or positions (m, 3).
Where: TypeAlias = str | FloatArray


class Scheme(ABC):
    """How to differentiate: a frozen dataclass whose fields are its options, registered by :func:`register_scheme`.

    It is exact for polynomials of the degree ``order``. ``shown`` are the options that its text always has,
    ``location`` is where the values must be (``points`` or ``cells``; None for either), ``differentiates`` is False
    where gradients are not computed from samples, ``is_local`` True where what is done in a cell follows from that cell
    and its neighbours, on thin and planar meshes too.
    """

    order: int = 1
    shown: ClassVar[tuple[str, ...]] = ()
    location: ClassVar[str | None] = None
    differentiates: ClassVar[bool] = True
    is_local: ClassVar[bool] = False
    record: ClassVar[SchemeRecord | None] = None

    @abstractmethod
    def prepare(self, flow: Flow, at: Where) -> Operator:
        """Do the geometry of the flow's mesh once, for gradients at its ``points``, at its ``cells`` or
        at positions (m, 3); OptionError where the scheme does not fit the flow or the place."""

    def prepare_on_boundary(self, flow: Flow, faces: IntArray) -> Operator | None:
        """The operator for gradients on boundary faces (k,), rows of ``mesh.topology.boundary``, through the values
        known there; None for a scheme that takes them as any other positions."""
        return None

    def gradients(self, flow: Flow, at: Where) -> Gradients:
        """Velocity gradients of a flow."""
        return self.prepare(flow, at).gradients(flow)

    def may_use_lattice(self, location: str, at: Where) -> bool:
        """Whether values at ``location`` are differentiated along the axes of the whole mesh where it is a lattice."""
        return False

    def variants(self, flow: Flow, on_lattice: bool) -> Mapping[str, Scheme]:
        """The forms of the scheme that are compared on a mesh, by short names."""
        return {str(self): self}

    def finer(self) -> Scheme:
        """The scheme whose gradient, less that of this one, estimates this one's error; OptionError
        where there is none."""
        finer = None if self.record is None else self.record.finer
        if finer is None:
            raise OptionError(f"{self}: no finer one beside it would tell its error: leave out the error")
        return parse_scheme(finer) if isinstance(finer, str) else finer(self)

    def __str__(self) -> str:
        name = type(self).__name__ if self.record is None else self.record.name
        return unparse(name, self, self.shown) if dataclasses.is_dataclass(self) else name


@dataclass(frozen=True)
class SchemeRecord:
    """What is known of a registered scheme; see :func:`register_scheme`."""

    name: str
    summary: str
    finer: str | Callable[[Scheme], Scheme] | None = None
    reach: Callable[[Scheme, str, str], int] | int | None = None

    def layers(self, scheme: Scheme, location: str, at: str) -> int | None:
        """Layers of neighbours that gradients ``at`` points or cells depend on, of values at ``location``."""
        return self.reach(scheme, location, at) if callable(self.reach) else self.reach


SCHEMES: dict[str, type[Scheme]] = {}


def register_scheme(
    name: str,
    cls: type[Scheme],
    *,
    summary: str,
    finer: str | Callable[[Scheme], Scheme] | None = None,
    reach: Callable[[Scheme, str, str], int] | int | None = None,
) -> None:
    """Make a scheme known by a name: to texts such as ``name(order=2)``, the command, its help, lists and reports.

    ``summary`` says in one phrase what the scheme does. ``finer`` is the scheme whose gradient estimates its error, as
    text or as a function of the scheme; None where there is none. ``reach`` is how many layers of neighbouring cells a
    gradient depends on, a number or a function of the scheme, the location of the values and the place of the
    gradient; with None meshes are not differentiated piece by piece. OptionError for a name that is taken.
    """
    known = SCHEMES.get(name)
    if known is not None and known is not cls:
        one, other = (f"{kind.__module__}.{kind.__qualname__}" for kind in (known, cls))
        raise OptionError(f"the scheme '{name}' is {one} already: give {other} another name")
    SCHEMES[name] = cls
    cls.record = SchemeRecord(name, summary, finer, reach)


def parse_scheme(text: str) -> Scheme:
    """The scheme that a text such as ``finite-difference(order=2)`` names; OptionError for an unknown one."""
    return parse(text, SCHEMES, "scheme")
