"""Random numbers: the global generators of Python and NumPy, of which each version has its own."""

import random
from copy import deepcopy
from typing import Any
from weakref import ref

import numpy.random as of_numpy


class Generators:
    """The generators of one version. All start where the process's own stood at first."""

    _first: tuple[Any, Any] | None = None
    """NumPy's generator and the state of Python's, before any version had its own."""
    _installed: "ref[Generators] | None" = None
    """The generators that the process has now."""

    def __init__(self) -> None:
        if Generators._first is None:
            ours = deepcopy(of_numpy.get_bit_generator())  # type: ignore[attr-defined]  # no type
            Generators._first = ours, random.getstate()
        # NumPy's can be exchanged as an object; of Python's only the state can.
        self._of_numpy: Any = deepcopy(Generators._first[0])
        self._of_python = Generators._first[1]

    def install(self) -> None:
        """Make these the global ones, until others are installed."""
        before = Generators._installed() if Generators._installed else None
        if before is self:
            return
        if before is not None:
            before.keep(random.getstate())
        random.setstate(self._of_python)  # at once, as to compare the two takes longer
        of_numpy.set_bit_generator(self._of_numpy)  # type: ignore[attr-defined]  # has no type
        Generators._installed = ref(self)

    def keep(self, of_python: Any) -> None:
        """Note the state of Python's generator, as it is about to get another."""
        self._of_python = of_python
