"""Loads the object file of the compiled loops with llvmlite, and calls them."""

import ctypes
import importlib
from collections.abc import Callable
from typing import Any

from workers.models.tabular.columns import Array


class Loops:
    """The functions of `loops` as machine code."""

    def __init__(self, object_file: bytes) -> None:
        """Load an intact file of `building`."""
        llvm: Any = importlib.import_module("llvmlite.binding")
        llvm.initialize_native_target()
        llvm.initialize_native_asmprinter()
        # It owns the memory of the machine code.
        self._engine = llvm.create_mcjit_compiler(llvm.parse_assembly(""), target_machine(llvm))
        self._engine.add_object_file(llvm.ObjectFileRef.from_data(object_file))
        self._engine.finalize_object()

    def over(self, name: str, *arrays: Array) -> Callable[[Array, Array], None]:
        """A loop over these arrays, which stand between the rows and the sums in its arguments.

        All arrays are contiguous and have the types that `entries.ARRAYS` says; nothing is checked.
        Raises `LookupError` if the object file has no loop of this name.
        """
        address = self._engine.get_function_address(name)
        if not address:
            raise LookupError(f"{name} is not in the object file")
        fixed = [number for array in arrays for number in _passed(array)]
        # Rows and sums have two dimensions. Addresses are as wide as sizes.
        call = ctypes.CFUNCTYPE(None, *[ctypes.c_ssize_t] * (len(fixed) + 6))(address)
        kept = self, arrays

        def add(rows: Array, out: Array, _: Any = kept) -> None:
            call(*_passed(rows), *fixed, *_passed(out))

        return add


def target_machine(llvm: Any) -> Any:
    """LLVM's description of this processor, as a new object, for code that is loaded at once."""
    return llvm.Target.from_triple(llvm.get_process_triple()).create_target_machine(
        cpu=llvm.get_host_cpu_name(),
        features=llvm.get_host_cpu_features().flatten(),
        opt=3,
        codemodel="jitdefault",
        jit=True,
    )


def _passed(array: Array) -> tuple[int, ...]:
    return array.ctypes.data, *array.shape
