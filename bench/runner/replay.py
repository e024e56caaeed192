"""``--replay``: are the records that other code made still what this code makes? Their first steps tell."""

from __future__ import annotations

from setbench.bench.records.record import Status
from setbench.bench.runner.driver import Run, code_of
from setbench.bench.runner.execute import Job, Pool


def replay(run: Run) -> None:
    """Train the first steps of every stale cell again; where each loss agrees, to the last bit, the record counts as of
    this code from now on, and says so. The others are named: ``--rerun`` runs them.

    Only records of trained models can agree: a constant answer and a cell that failed have nothing to compare.
    """
    stale = {cell.identity: cell for cell in run.cells if run.stale(cell)}
    kept = {
        identity: record.measured.curve.first
        for identity, record in run.records.items()
        if identity in stale and record.measured is not None and record.measured.curve.first
    }
    run.progress.say(f"{len(stale)} records of other code, {len(kept)} with first steps to run again")
    run.preload([stale[identity] for identity in kept])
    target = "setbench.bench.cell.work:replay"
    jobs = [Job(name, target, (stale[name], run.options.cache, run.options.data)) for name in kept]
    agreeing = 0
    for event in Pool(run.jobs, run.options.time_limit, threads=run.options.threads).run(iter(jobs)):
        if event.outcome is None:
            continue
        same = event.outcome.status is Status.OK and event.outcome.result == kept[event.key]
        if same:
            agreeing += 1
            record = run.records[event.key]
            run.records[event.key] = record.model_copy(update={"code": code_of(stale[event.key]), "replayed": True})
            run.store.write(run.records[event.key])
        else:
            why = event.outcome.reason or "its losses differ"
            run.progress.say(f"{stale[event.key]}: not the same ({why}); --rerun runs it")
    run.progress.say(f"{agreeing} of {len(kept)} agree, bit for bit, and count as of this code")
    run.missing = [cell for cell in run.cells if run.wanted(cell)]
