"""Compiles the loop with numba into an object file.

`python -m workers.models.kernels.building` writes the file to standard output, after its SHA-256.
It runs in a process of its own, because numba costs a second and 200 MB in each process that
imports it.
"""

import hashlib
import importlib
import subprocess
import sys
from typing import Any

from workers.models.kernels import loops, machine_code
from workers.models.kernels.layout import NODE

BUILD_TIMEOUT = 300.0
"""Seconds that compiling may take."""
DIGEST_SIZE = hashlib.sha256().digest_size


def built() -> bytes:
    """Compile in another process; returns the object file after its SHA-256.

    Raises `RuntimeError` if that fails, and `subprocess.TimeoutExpired`.
    """
    done = subprocess.run(
        [sys.executable, "-m", __name__], capture_output=True, timeout=BUILD_TIMEOUT, check=False
    )
    # The SHA-256 tells, not the exit status: the fork server may have collected that.
    try:
        checked(done.stdout)
    except ValueError as error:
        raise RuntimeError(done.stderr.decode(errors="replace")[-2000:]) from error
    return done.stdout


def checked(content: bytes) -> bytes:
    """The object file in what `built` returned; raises `ValueError` if it is damaged."""
    digest, found = content[:DIGEST_SIZE], content[DIGEST_SIZE:]
    if hashlib.sha256(found).digest() != digest:
        raise ValueError("the object file of the kernels is damaged")
    return found


def compile_loop() -> bytes:
    """The object file of `loops.add_leaves_at`, under the name that `machine_code` looks up."""
    numba: Any = importlib.import_module("numba")
    llvm: Any = importlib.import_module("llvmlite.binding")
    compiled = numba.cfunc(_signature(numba))(_entry(numba))
    module = llvm.parse_assembly(compiled.inspect_llvm())
    module.get_function(compiled.native_name).name = machine_code.SYMBOL
    machine = machine_code.target_machine(llvm)
    _close(llvm, module, machine)
    code: bytes = machine.emit_object(module)
    return code


def _close(llvm: Any, module: Any, machine: Any) -> None:
    """Remove what raises errors of Python, which the loop never does, and which numba would need.

    Raises `RuntimeError` if the module calls a function that is not in it.
    """
    for function in module.functions:
        if not function.is_declaration and function.name != machine_code.SYMBOL:
            function.linkage = "internal"
    builder = llvm.create_pass_builder(machine, llvm.create_pipeline_tuning_options(speed_level=3))
    passes = builder.getModulePassManager()
    passes.add_strip_dead_prototype_pass()
    passes.run(module, builder)
    names = [each.name for each in module.functions if each.is_declaration]
    missing = [name for name in names if not name.startswith("llvm.")]
    if missing:
        raise RuntimeError(f"the compiled loop calls {', '.join(missing)}")


def _entry(numba: Any) -> Any:
    """The loop for callers that have addresses and sizes, in the order of `machine_code`."""
    add_leaves, array = numba.njit(loops.add_leaves), numba.carray

    def entry(
        x: Any,
        rows: Any,
        columns: Any,
        nodes: Any,
        left_if_missing: Any,
        node_count: Any,
        roots: Any,
        trees: Any,
        values: Any,
        leaves: Any,
        width: Any,
        out: Any,
    ) -> None:
        add_leaves(
            array(x, (rows, columns)),
            array(nodes, (node_count,)),
            array(left_if_missing, (node_count,)),
            array(roots, (trees,)),
            array(values, (leaves, width)),
            array(out, (rows, width)),
        )

    return entry


def _signature(numba: Any) -> Any:
    types = numba.types
    size, floats = types.intp, types.CPointer(types.float64)
    rows = types.CPointer(types.float32), size, size
    nodes = types.CPointer(numba.from_dtype(NODE)), types.CPointer(types.uint8), size
    roots = types.CPointer(types.int64), size
    return types.void(*rows, *nodes, *roots, floats, size, size, floats)


def main() -> None:
    """Write the digest and the object file to standard output."""
    code = compile_loop()
    sys.stdout.buffer.write(hashlib.sha256(code).digest() + code)


if __name__ == "__main__":
    main()
