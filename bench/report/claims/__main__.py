"""What the records say of a list of claims.

    python -m setbench.bench.report.claims RESULTS CLAIMS.toml [--into README.md docs/choose.md]

prints every claim as carried or not, with its figures, and exits with 1 where one is not. ``--into`` writes their
sentences into pages between their marks, or, where one is not carried, nothing.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from setbench.bench.records.record import NewerSchema
from setbench.bench.report.claims.claim import Unreadable, judge, read_claims
from setbench.bench.report.claims.page import NotCarried, printed
from setbench.files import write_atomically


def main(arguments: Sequence[str] | None = None) -> int:
    """The exit code: 0, 1 where a claim is not carried, 2 where the file or the page cannot be read."""
    parser = argparse.ArgumentParser(prog="python -m setbench.bench.report.claims", description="Claims over records.")
    parser.add_argument("results", type=Path, help="the folder that holds the results folders which claims name")
    parser.add_argument("claims", type=Path, help="TOML: [[claim]] with name, sentence, folder, place, rule, arguments")
    parser.add_argument(
        "--into", type=Path, metavar="PAGE", nargs="+", default=[], help="write sentences between the marks of pages"
    )
    given = parser.parse_args(arguments)
    try:
        judged = judge(read_claims(given.claims), given.results)
        pages = [path.read_text(encoding="utf-8") for path in given.into]
    except (Unreadable, NewerSchema, OSError, UnicodeDecodeError) as error:
        print(error, file=sys.stderr)
        return 2
    for one in judged:
        print(f"{'carried    ' if one.carried else 'not carried'}  {one.claim.name}: {one.sentence or one.found}")
        if one.carried and one.found:
            print(f"{'':11}  {one.found}")
    if pages:
        try:
            for path, text in zip(given.into, printed(pages, judged), strict=True):
                write_atomically(path, text)
        except NotCarried as error:
            print(error, file=sys.stderr)
            return 1
    return 0 if all(one.carried for one in judged) else 1


if __name__ == "__main__":
    sys.exit(main())
