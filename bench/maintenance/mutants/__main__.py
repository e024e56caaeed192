"""Plant bugs one at a time and see whether a test fails.

    python -m setbench.bench.maintenance.mutants list
    python -m setbench.bench.maintenance.mutants auto --count 200 --seed 0

A line a bug: which test caught it, or SURVIVED; the survivors at the end. Exits with 1 where fewer are caught than must
be (95 % of the list, 85 % of the automatic ones). What was found is kept: the same command goes on where it was
stopped, tries survivors again where a test has changed, and all again that are of other code. Hours for all of them; no
part of CI. It runs pytest, which the `test` extra installs.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path
from queue import SimpleQueue

from setbench.bench.maintenance.mutants.ledger import LEAST, Entry, Ledger, entry, page, share, tests_hash
from setbench.bench.maintenance.mutants.sites import PLANTED, Mutant, automatic, listed
from setbench.bench.maintenance.mutants.workshop import Verdict, Workshop
from setbench.files import write_atomically

ROOT = Path(__file__).resolve().parents[3]


def run(
    kind: str, mutants: Sequence[Mutant], root: Path, ledger: Ledger, jobs: int = 1, limit: float = 600
) -> list[Entry]:
    """The verdict on every bug, in their order; what the ledger knows is not run again."""
    tests = tests_hash(root)
    sources = {mutant.file: (root / mutant.file).read_text(encoding="utf-8") for mutant in mutants}
    found: dict[str, Entry] = {}
    missing = []
    for mutant in mutants:
        key = mutant.key(sources[mutant.file])
        known = ledger.find(key, tests)
        if known is None:
            missing.append(mutant)
        else:
            found[key] = known
    with tempfile.TemporaryDirectory(prefix="mutants-") as folder, ThreadPoolExecutor(jobs) as pool:
        free: SimpleQueue[Workshop] = SimpleQueue()
        shops = [Workshop(root, Path(folder) / str(number), limit) for number in range(min(jobs, len(missing)))]
        for shop in shops:
            free.put(shop)

        def judge(mutant: Mutant) -> Verdict:
            shop = free.get()
            try:
                return shop.judge(mutant)
            finally:
                free.put(shop)

        waiting = {pool.submit(judge, mutant): mutant for mutant in missing}
        try:
            for number, done in enumerate(as_completed(waiting), len(found) + 1):
                mutant = waiting[done]
                one = entry(kind, mutant, sources[mutant.file], done.result(), tests)
                ledger.add(one)
                found[one.key] = one
                print(f"{number}/{len(mutants)}  {one}", flush=True)
        finally:
            pool.shutdown(cancel_futures=True)
            for shop in shops:
                shop.close()
                for test in shop.unsound:
                    print(f"left out, since it fails without any bug: {test}", file=sys.stderr)
    return [found[mutant.key(sources[mutant.file])] for mutant in mutants]


def main(words: list[str] | None = None) -> int:
    """The exit code: 0 enough were caught, 1 too few, 2 a line of the list is off."""
    parser = argparse.ArgumentParser(prog="python -m setbench.bench.maintenance.mutants", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("kind", choices=("list", "auto"))
    parser.add_argument("--count", type=int, default=200, help="automatic mutants")
    parser.add_argument("--seed", type=int, default=0, help="of their draw")
    parser.add_argument("--jobs", type=int, default=1, help="copies that are worked in at once")
    parser.add_argument("--limit", type=float, default=600, help="seconds that the tests of one bug may take")
    parser.add_argument("--root", type=Path, default=ROOT, help="of the repository")
    parser.add_argument("--planted", type=Path, default=PLANTED, help="the list")
    parser.add_argument("--results", type=Path, help="JSON lines; results/mutants.jsonl if not said")
    parser.add_argument("--out", type=Path, help="the page, in Markdown")
    asked = parser.parse_args(words)
    ledger = Ledger(asked.results or asked.root / "results" / "mutants.jsonl")
    try:
        wanted = {"list": listed(asked.root, asked.planted), "auto": automatic(asked.root, asked.count, asked.seed)}
        entries = run(asked.kind, wanted[asked.kind], asked.root, ledger, asked.jobs, asked.limit)
    except ValueError as error:
        print(error, file=sys.stderr)
        return 2
    for one in entries:
        if not one.caught:
            print(one)
    print(f"{sum(one.caught for one in entries)} of {len(entries)} caught: {share(entries):.1f} %")
    if asked.out is not None:
        known = [_known(kind, mutant, asked.root, ledger) for kind, own in wanted.items() for mutant in own]
        write_atomically(
            asked.out, page([one for one in known if one], {kind: len(own) for kind, own in wanted.items()})
        )
    return 0 if share(entries) >= LEAST[asked.kind] else 1


def _known(kind: str, mutant: Mutant, root: Path, ledger: Ledger) -> Entry | None:
    one = ledger.known.get(mutant.key((root / mutant.file).read_text(encoding="utf-8")))
    return one if one is not None and one.kind == kind else None


if __name__ == "__main__":
    sys.exit(main())
