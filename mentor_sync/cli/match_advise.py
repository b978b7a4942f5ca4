"""`mentor-sync match advise`: what outcomes say about the weights. Applies nothing."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import typer
from rich.table import Table

from mentor_sync.cli.output import Invocation, JsonOption, invocation_of, plain
from mentor_sync.cli.project import open_project

if TYPE_CHECKING:
    from mentor_sync.matching.advice import Evidence, Rates
    from mentor_sync.matching.weights import Weights

ALIVE_DAYS = 60
GOOD_RATING = 4
_OUTCOMES = {
    "accepted": "offer accepted",
    "alive": f"match alive after {ALIVE_DAYS} days",
    "rated": f"rated {GOOD_RATING} or more",
}


def advise(context: typer.Context, _json: JsonOption = False) -> None:
    """Hold the weights against what came of offers and matches, and look at fairness.

    Suggests weights where the samples are large enough. Never changes anything.
    """
    from mentor_sync.matching.advice import LEAST_GROUP, Evidence, rates, suggestion
    from mentor_sync.matching.weights import Weights

    invocation = invocation_of(context)
    asked = {
        "p_alive_days": ALIVE_DAYS,
        "p_good_rating": GOOD_RATING,
        "p_least_group": LEAST_GROUP,
    }
    with open_project(invocation) as database:
        settings = database.rpc("matching_settings", {}, expect=dict)
        told = database.rpc("match_outcomes", asked, expect=dict)
    weights = Weights.of(settings["version"], settings["weights"])
    evidence = [Evidence.of(row) for row in told["factors"]]
    fairness = rates(told["countries"])
    suggested = suggestion(weights, evidence)
    invocation.answer(_document(settings, told, evidence, suggested, fairness))
    _print_evidence(invocation, told["outcomes"], evidence)
    _print_suggestion(invocation, weights, suggested)
    for measured in fairness:
        _print_rates(invocation, measured)


def _document(
    settings: dict[str, Any],
    told: dict[str, Any],
    evidence: list[Evidence],
    suggested: dict[str, int] | None,
    fairness: list[Rates],
) -> dict[str, Any]:
    return {
        "weights_version": settings["version"],
        "weights": settings["weights"],
        "suggestion": suggested,
        "outcomes": told["outcomes"],
        "factors": [{**asdict(one), "sample": one.sample, "lift": one.lift()} for one in evidence],
        "fairness": [{**asdict(one), "ratio": one.ratio} for one in fairness],
    }


def _print_evidence(
    invocation: Invocation, outcomes: list[dict[str, Any]], evidence: list[Evidence]
) -> None:
    if not outcomes:
        invocation.say("No offer was answered yet, and no match is old enough.")
        return
    invocation.say("What part of a factor's points good and other outcomes had reached:")
    for outcome in outcomes:
        name, numbers = outcome["outcome"], f"{outcome['good']:,} good, {outcome['other']:,} other"
        invocation.say(f"\n{_OUTCOMES[name].capitalize()}: {numbers}")
        invocation.show(_factors([one for one in evidence if one.outcome == name]))


def _factors(evidence: list[Evidence]) -> Table:
    table = Table(box=None, pad_edge=False)
    for title in ("factor", "sample", "good", "other", "difference"):
        table.add_column(title, justify="left" if title == "factor" else "right")
    for one in evidence:
        lift = one.lift()
        known = "too few" if lift is None else f"{lift * 100:+.0f}"
        reached = (_percent(one.good_reached), _percent(one.other_reached))
        table.add_row(*map(plain, (one.factor, f"{one.sample:,}", *reached, known)))
    return table


def _percent(part: float | None) -> str:
    return "" if part is None else f"{float(part) * 100:.0f} %"


def _print_suggestion(
    invocation: Invocation, weights: Weights, suggested: dict[str, int] | None
) -> None:
    from mentor_sync.matching.advice import EACH_SIDE, ENOUGH
    from mentor_sync.matching.weights import FACTORS

    now = dict(zip(FACTORS, weights.of_factor, strict=True))
    invocation.say(f"\nWeights now (version {weights.version}): {_listed(now)}")
    if suggested is None:
        invocation.say(
            f"No suggestion: it takes {ENOUGH} outcomes of two factors at least, with"
            f" {EACH_SIDE} on each side."
        )
        return
    invocation.say(f"A suggestion, applied by nobody: {_listed(suggested)}")
    invocation.say(
        "It shows what went together, not what caused it. To try it: add it as a row of"
        " match_weights, then mentor-sync match replay --weights VERSION"
    )


def _listed(weights: dict[str, int]) -> str:
    return ", ".join(f"{factor} {weight}" for factor, weight in weights.items())


def _print_rates(invocation: Invocation, measured: Rates) -> None:
    if not measured.groups:
        return
    invocation.say(f"\nFairness, {measured.measure} by country of the student:")
    table = Table(box=None, pad_edge=False, show_header=False)
    for group in measured.groups:
        cells = (group["country"], _percent(group["rate"]), f"of {group['sample']:,}")
        table.add_row(*map(plain, cells))
    invocation.show(table)
    if measured.ratio is not None:
        invocation.say(
            f"The lowest is {measured.ratio:.2f} of the highest; below 0.80 look closer."
        )
