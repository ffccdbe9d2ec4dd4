"""Compiles the loops with numba into an object file.

`python -m workers.models.kernels.compiled.building` writes the file to standard output, after its
SHA-256. It runs in a process of its own, because numba costs a second and 200 MB in each process
that imports it.
"""

import hashlib
import importlib
import subprocess
import sys
from typing import Any

from workers.models.kernels.compiled import loops, machine_code
from workers.models.kernels.compiled.entries import ARRAYS, ENTRIES

BUILD_TIMEOUT = 300.0
"""Seconds that compiling may take."""
DIGEST_SIZE = hashlib.sha256().digest_size


def built() -> bytes:
    """Compile in another process; returns the object file after its SHA-256.

    Raises `RuntimeError` if that fails, and `subprocess.TimeoutExpired`.
    """
    command = [sys.executable, "-m", __name__]
    done = subprocess.run(command, capture_output=True, timeout=BUILD_TIMEOUT, check=False)
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


def compile_loops() -> bytes:
    """The object file of all loops, each under its name in `entries.ARRAYS`."""
    numba: Any = importlib.import_module("numba")
    llvm: Any = importlib.import_module("llvmlite.binding")
    module = llvm.parse_assembly("")
    for name in ARRAYS:
        module.link_in(_compiled(numba, llvm, name))
    machine = machine_code.target_machine(llvm)
    _close(llvm, module, machine)
    code: bytes = machine.emit_object(module)
    return code


def _compiled(numba: Any, llvm: Any, name: str) -> Any:
    """A module of LLVM with one of the loops."""
    # NumPy's errors: Python's would be raised by a division, even where the divisor is never 0.
    loop = numba.njit(getattr(loops, name), error_model="numpy")
    compiled = numba.cfunc(_signature(numba, name))(ENTRIES[name](loop, numba.carray))
    module = llvm.parse_assembly(compiled.inspect_llvm())
    module.get_function(compiled.native_name).name = name
    return module


def _close(llvm: Any, module: Any, machine: Any) -> None:
    """Remove the code that raises errors of Python: it needs numba, and the loops raise none.

    Raises `RuntimeError` if the module calls a function that is not in it.
    """
    for function in module.functions:
        if not function.is_declaration and function.name not in ARRAYS:
            function.linkage = "internal"
    builder = llvm.create_pass_builder(machine, llvm.create_pipeline_tuning_options(speed_level=3))
    passes = builder.getModulePassManager()
    passes.add_strip_dead_prototype_pass()
    passes.run(module, builder)
    names = [each.name for each in module.functions if each.is_declaration]
    missing = [name for name in names if not name.startswith("llvm.")]
    if missing:
        raise RuntimeError(f"the compiled loops call {', '.join(missing)}")


def _signature(numba: Any, name: str) -> Any:
    """Address and sizes of each array, as `machine_code.Loop` passes them."""
    types = numba.types
    arguments = [
        argument
        for dtype, dimensions in ARRAYS[name]
        for argument in (types.CPointer(numba.from_dtype(dtype)), *[types.intp] * dimensions)
    ]
    return types.void(*arguments)


def main() -> None:
    """Write the digest and the object file to standard output."""
    code = compile_loops()
    sys.stdout.buffer.write(hashlib.sha256(code).digest() + code)


if __name__ == "__main__":
    main()
