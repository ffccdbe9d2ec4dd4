"""The `predictq models quantize` command: makes a network with weights of 8 bits."""

from pathlib import Path

import click

from telemetry.errors import Invalid
from workers.models.optimizing import quantizing
from workers.models.optimizing.quantizing import Quantized
from workers.models.registration import examine
from workers.models.signature.sample import read_sample


@click.command()
@click.argument("network", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.argument("output", type=click.Path(path_type=Path))
@click.option(
    "--sample",
    required=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Rows on which both networks are compared: CSV, Parquet or NDJSON.",
)
@click.option("--trust", is_flag=True, help="Allow the network to run code when it is loaded.")
def quantize(network: Path, output: Path, sample: Path, trust: bool) -> None:
    """Write NETWORK with weights of 8 bits to OUTPUT, an ONNX file, and compare both.

    NETWORK is an ONNX file, or a network of scikit-learn. OUTPUT is a model with answers of its
    own: register it as a version, and compare it with the other one under traffic.
    """
    if output.exists():
        raise Invalid(f"{output} exists; name a new file")
    found = _quantized(network, sample, trust=trust)
    output.write_bytes(found.content)
    click.echo(comparison_text(found))
    click.echo(f"wrote {output}; predictq models add NAME {output} --sample {sample} registers it")


def _quantized(network: Path, sample: Path, *, trust: bool) -> Quantized:
    found = examine(network, trust=trust, sample=read_sample(sample))
    own = found.inspected.own_answers
    if own is None:
        raise Invalid("the network answers no row of the sample")
    with found.imported():
        content = found.content if found.description.format == "onnx" else None
        return quantizing.quantize_network(
            found.model, content, found.description.signature, own.frame
        )


def comparison_text(found: Quantized) -> str:
    """The size, the speed and the answers of both networks, side by side."""
    lines = [_line("bytes in float32, in 8 bits", *found.sizes)]
    lines += [_line(f"µs, rows of a call: {rows:,}", *pair) for rows, pair in found.times.items()]
    if found.same is None:
        lines.append(f"greatest difference: {found.difference:.2%} of the spread of the answers")
    else:
        share = found.same / found.rows
        lines.append(f"same label in {share:.2%} of {found.rows:,} rows")
        lines.append(f"greatest difference of a probability: {found.difference:.4f}")
    return "\n".join(lines)


def _line(what: str, before: float, after: float) -> str:
    return f"{what + ':':<32}{before:>14,.0f}{after:>14,.0f}   {before / after:.2f} times"
