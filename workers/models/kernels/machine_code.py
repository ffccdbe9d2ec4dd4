"""Loads the object file of the compiled loop with llvmlite, and calls it."""

import ctypes
import importlib
from collections.abc import Callable
from typing import Any

from workers.models.kernels.layout import Trees
from workers.models.tabular.columns import Array

SYMBOL = "add_leaves"
"""The name of the function in the object file."""
_POINTER, _SIZE = ctypes.c_void_p, ctypes.c_ssize_t
_FUNCTION = ctypes.CFUNCTYPE(
    None,
    *(_POINTER, _SIZE, _SIZE),  # the input: rows, columns
    *(_POINTER, _POINTER, _SIZE),  # nodes and where missing values go: nodes
    *(_POINTER, _SIZE),  # roots: trees
    *(_POINTER, _SIZE, _SIZE),  # values: leaves, values of a leaf
    _POINTER,  # the sums
)


class Loop:
    """`loops.add_leaves` as machine code."""

    def __init__(self, object_file: bytes) -> None:
        """Load an intact file of `building`; raises `LookupError` if the function is not in it."""
        llvm: Any = importlib.import_module("llvmlite.binding")
        llvm.initialize_native_target()
        llvm.initialize_native_asmprinter()
        # It owns the memory of the machine code.
        self._engine = llvm.create_mcjit_compiler(llvm.parse_assembly(""), target_machine(llvm))
        self._engine.add_object_file(llvm.ObjectFileRef.from_data(object_file))
        self._engine.finalize_object()
        address = self._engine.get_function_address(SYMBOL)
        if not address:
            raise LookupError(f"{SYMBOL} is not in the object file")
        self._function = _FUNCTION(address)

    def over(self, trees: Trees) -> Callable[[Array, Array], None]:
        """The loop over these trees.

        It takes rows (rows, columns), float32, and sums (rows, values), float64, to which it adds.
        Both are contiguous; nothing is checked.
        """
        call, kept = self._function, (self, trees)
        nodes = *map(_address, (trees.nodes, trees.left_if_missing)), len(trees.nodes)
        roots = _address(trees.roots), len(trees.roots)
        values = _address(trees.values), *trees.values.shape

        def add_leaves(rows: Array, out: Array, _: Any = kept) -> None:
            call(_address(rows), *rows.shape, *nodes, *roots, *values, _address(out))

        return add_leaves


def target_machine(llvm: Any) -> Any:
    """LLVM's description of this processor, as a new object, for code that is loaded at once."""
    return llvm.Target.from_triple(llvm.get_process_triple()).create_target_machine(
        cpu=llvm.get_host_cpu_name(),
        features=llvm.get_host_cpu_features().flatten(),
        opt=3,
        codemodel="jitdefault",
        jit=True,
    )


def _address(array: Array) -> int:
    address: int = array.ctypes.data
    return address
