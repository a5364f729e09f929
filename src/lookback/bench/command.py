"""`python -m lookback bench NAME`: what was promised about speed, measured here."""

import argparse
import json
import sys
from collections.abc import Callable
from dataclasses import asdict

import torch

from lookback.bench.attention import measure_attention
from lookback.bench.cost import Cost, Crossing, measure_cost
from lookback.bench.decoding import measure_decoding
from lookback.bench.race import Row
from lookback.bench.sampling import measure_sampling
from lookback.figures import table

BENCHES: dict[str, Callable[[], list[Row] | list[Cost | Crossing]]] = {
    "attention": measure_attention,
    "cost": measure_cost,
    "decoding": measure_decoding,
    "sampling": measure_sampling,
}


def main(arguments: list[str] | None = None) -> int:
    """`python -m lookback bench NAME`; 1 if a promise was not kept."""
    parser = argparse.ArgumentParser(prog="python -m lookback bench", description=__doc__)
    parser.add_argument("name", choices=BENCHES)
    parser.add_argument("--threads", type=int, default=2, help="of torch (default 2)")
    parser.add_argument("--json", action="store_true", help="print a list of objects")
    options = parser.parse_args(arguments)
    threads = torch.get_num_threads()
    torch.set_num_threads(options.threads)
    try:
        rows = [asdict(row) for row in BENCHES[options.name]()]
    finally:
        torch.set_num_threads(threads)
    show(rows, options.json)
    return 0 if all(row.get("ok") is not False for row in rows) else 1


def show(rows: list[dict], as_json: bool) -> None:
    """Print rows as a table, or as JSON."""
    if as_json:
        json.dump(rows, sys.stdout, indent=1)
        print()
        return
    columns = {name: [written(row[name]) for row in rows] for name in rows[0]}
    print(table(columns))


def written(value) -> str:
    """A cell of the printed table."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:.4g}" if isinstance(value, float) else str(value)
