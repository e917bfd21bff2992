"""Where results in prose come from that no cell near them shows: by page and phrase, an expression.

A phrase is quoted word for word; its numbers, and words such as *tenfold*, are the expression's
values in that order.
"""

import math
import re
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from statistics import fmean, median, stdev
from typing import Any

import numpy as np

from bijepa_book import records
from bijepa_book.chapters import attractor
from bijepa_book.chapters.explosion import fresh_seeds
from bijepa_book.evidence import runner
from bijepa_book.evidence.futures import criteria, images_criteria, report
from bijepa_book.evidence.second.amplification import FACTOR
from bijepa_book.evidence.second.recording import fresh
from bijepa_book.evidence.second.recording import load as second_edition
from bijepa_book.evidence.second.stacked import EPOCHS
from bijepa_book.evidence.second.why import recorded
from bijepa_book.evidence.stable import judgment, selection
from bijepa_book.evidence.stable.criteria import AHEAD
from bijepa_book.evidence.stable.hunt import Candidate
from bijepa_book.evidence.statistics import bootstrap_interval, seeds_needed
from bijepa_book.figures.findings import column, ratios
from bijepa_core.data import lorenz, mnist, sine
from bijepa_core.seeds import generator
from tests.site.prose import ROOT

Values = Callable[[], float | Sequence[float]]
record = cache(records.load)


def second() -> dict[str, dict[str, Any]]:
    """The second edition's records, fresh seeds alone."""
    return fresh(second_edition())


@cache
def first() -> dict[str, dict[str, Any]]:
    """The first edition's records."""
    return runner.load()


def times(
    over: str, under: str, measure: str, of: str | None = None, edition: Any = second
) -> float:
    """How many times the one model's measure is the other's: the geometric mean over seeds."""
    found = ratios(edition(), (over, measure), (under, of or measure))
    return math.exp(fmean(map(math.log, found)))


def typical(key: str, measure: str, edition: Any = second) -> float:
    """A measure's geometric mean over seeds."""
    return math.exp(fmean(map(math.log, column(edition(), key, measure).values())))


def ahead(
    over: str, under: str, edition: Any = second, measure: str = "fair_accuracy_a"
) -> list[float]:
    """By how many points of accuracy a model of digits is ahead of another one, seed by seed."""
    ours, theirs = (column(edition(), f"mnist-{name}-paper", measure) for name in (over, under))
    return [100 * (ours[seed] - theirs[seed]) for seed in ours if seed in theirs]


def apart(over: tuple[str, str, int], under: tuple[str, str, int]) -> float:
    """A curve at a position over another: of each the key, its name, and the position."""
    errors = (np.array(second()[key]["curves"][name])[:, i] for key, name, i in (over, under))
    return float(np.exp(np.log(next(errors) / next(errors)).mean()))


hunt = cache(selection.recorded)


def beyond(system: str, name: str, what: str) -> float:
    """Chapter 10: by how many percent a measure is above 1 at ten times the length."""
    return 100 * fmean(hunt()[f"{system}-hunt-{name}-long"]["measures"][what]) - 100


def winner_over(system: str, rival: str, reading: str) -> float:
    """Chapter 10: the winner's error over that of one of the paper's, at the paper's length."""
    theirs = column(second(), f"{system}-{rival}-paper", reading)
    ours = column(hunt(), f"{system}-final-whitened-falling-0.2-paper", reading)
    return math.exp(fmean(math.log(ours[seed] / theirs[seed]) for seed in ours))


def penalty_costs() -> dict[tuple[str, str], float]:
    """Chapter 10: the penalty on the scale over the better of the paper's two, on fresh seeds."""
    asked = judgment.demands(Candidate("scale-falling", 0.01), hunt(), second_edition())
    wanted = [one for one in asked if (one.success, one.length) == ("precise", "paper")]
    return {(one.experiment, one.what): one.value for one in wanted}


@cache
def worlds() -> dict[str, Any]:
    """The records of many futures on fresh seeds, by world and head."""
    return dict(report.recorded()[0])


def above(world: str, head: str, what: str = "crps") -> float:
    """How far a head's CRPS ahead is above the optimum; or what share of views it leaves open."""
    measure = criteria.open_share if what == "open" else criteria.excess(what)
    return fmean(measure(worlds(), world, head, "forward").values())


def of_the_past() -> list[float]:
    """How far samples and the climatology are above the optimum of the wing's past, in percent."""
    return [
        fmean(report.above(worlds(), "wing", head, "backward"))
        for head in ("energy", "climatology")
    ]


def single_answers() -> tuple[int, float, float]:
    """How many deterministic models answered on the ridge; how far left and right they reach."""
    bars = np.array(worlds()["well-deterministic"]["curves"]["fork_forward"])
    said = bars.sum(0).nonzero()[0]
    edges = np.linspace(-2.5, 2.5, bars.shape[-1] + 1)
    return len(bars), -float(edges[said[0]]), float(edges[said[-1] + 1])


def seeds(key: str, edition: Any) -> tuple[int, int]:
    """The first and the last seed of a condition."""
    all_of_them = edition()[key]["seeds"]
    return min(all_of_them), max(all_of_them)


def at(
    system: str, over: str, under: str, window: str, i: int, read: str = "forecast", **other: Any
) -> float:
    """Chapter 9: one model's error over another's at a position of a window.

    Both are read off the forecast, or off the embedding. ``other`` is what differs for the second:
    what it is read ``off``, and the position ``then``.
    """
    ours = recorded(second(), system, over, read)[window][:, i]
    theirs = recorded(second(), system, under, other.get("off", read))[window][
        :, other.get("then", i)
    ]
    return float(np.exp(np.log(ours / theirs).mean()))


def kept(system: str, name: str) -> float:
    """Chapter 9: the error at a window's first position over that at its last."""
    errors = recorded(second(), system, name, "embedding")["x"]
    return float(np.exp(np.log(errors[:, 0] / errors[:, -1]).mean()))


def held(name: str, path: str, over: str | None = None) -> float:
    """A number of a chapter's record, its keys divided by slashes; or how many times another."""
    number: Any = record(name)
    for key in path.split("/"):
        number = number[key]
    return float(number) if over is None else number / held(name, over)


def gain(name: str, path: str, over: str) -> float:
    """By how many percent a number of a chapter's record is above another; negative if below."""
    return 100 * (held(name, path, over) - 1)


def stated(chapter: str, label: str) -> float:
    """The book's number beside which a cell prints what its own run reaches."""
    source = (ROOT / f"book/{chapter}.ipynb").read_text("utf-8")
    found = re.findall(rf'\(\\"{re.escape(label)}\\", .*, ([\d.e-]+)\)', source)
    return float(found[0])


def on_fresh(measure: str, over: str = "restrictive", under: str = "expressive") -> float:
    """Chapter 3: one median over 32 fresh seeds over another, as its tables have them."""
    rows = fresh_seeds({name: name for name in (over, under)}, [measure])
    return rows[over][measure] / rows[under][measure]


def begins(measure: str) -> float:
    """Chapter 3: the low end of the interval for the sphere's price, in percent."""
    pairs = (("sine-restrictive-paper", measure), ("sine-expressive-paper", measure))
    return 100 * (math.exp(bootstrap_interval(np.log(ratios(second(), *pairs)))[0]) - 1)


@cache
def deviations() -> list[float]:
    """Chapter 4: each coordinate's on the attractor."""
    on = attractor.on_attractor(200, generator(0, "chapter/attractor"))
    return [float(one) for one in attractor.runge_kutta(on, 2000, substeps=2).std((0, 1))]


def ahead_of(models: str, model: str, rule: str, window: int = 1, way: str = "ahead") -> float:
    """Chapter 4: how many times the one's error a forecast's or a rule's is, by window."""
    return held("lorenz", f"{way}/{models}/{rule}/{window}", f"{way}/{models}/{model}/{window}")


def digits(name: str, measure: str) -> float:
    """Chapter 5: the median over fresh seeds, in percent."""
    return 100 * median(column(second(), f"mnist-{name}-paper", measure).values())


def swept(view: str, weight: float, measure: str, seeds: int = 8) -> float:
    """Chapter 6: the median at the nearest alpha of a corrupted view's sweep."""
    sweep = record("alpha")["corrupted"][view]["sweep"]
    return median(sweep[min(sweep, key=lambda at: abs(float(at) - weight))][measure][:seeds])


def costs(measure: str, mirror: bool) -> list[float]:
    """Chapter 6: what Eq. 13, or its mirror, costs over one half, view by view, in percent."""
    eq_13 = {name: one["alpha"] for name, one in record("alpha")["corrupted"].items()}
    weights = {
        name: 1 - weight if mirror else weight
        for name, weight in eq_13.items()
        if weight > (0.6 if mirror else 0.5)
    }
    return sorted(
        100 * (swept(name, weight, measure) / swept(name, 0.5, measure) - 1)
        for name, weight in weights.items()
    )


def lowest_step(name: str) -> float:
    """Chapter 2: where the loss is lowest."""
    curves = record("explosion")["long"]["curves"][name]
    course = [middle for middle, _, _ in curves["loss"]]
    return float(curves["steps"][course.index(min(course))])


def printed_lead() -> float:
    """The paper's lead on digits, in points, from its Table 2."""
    table = record("tables")["table_2"]["printed"]
    lead = table["expressive"]["paper_accuracy"] - table["classic"]["paper_accuracy"]
    return 100 * float(lead)


def computing(system: str, length: str = "paper") -> float:
    """First edition: seconds that both directions take a seed, over those of one."""
    both, one = (first()[f"{system}-{name}-{length}"] for name in ("expressive", "classic"))
    seconds = [r["provenance"]["core_seconds"] / len(r["seeds"]) for r in (both, one)]
    return float(seconds[0] / seconds[1])


WORDS: Mapping[str, float] = {
    "half": 1 / 2,
    "a third": 1 / 3,
    "two thirds": 2 / 3,
    "a quarter": 1 / 4,
    "three quarters": 3 / 4,
    "a fifth": 1 / 5,
    "two fifths": 2 / 5,
    "three fifths": 3 / 5,
    "four fifths": 4 / 5,
    "a sixth": 1 / 6,
    "a tenth": 1 / 10,
    "a twentieth": 1 / 20,
    **dict.fromkeys(("one percent", "one point"), 1),
    **dict.fromkeys(("twice", "two times", "factor of two"), 2),
    **dict.fromkeys(("threefold", "three times"), 3),
    **dict.fromkeys(("fourfold", "four times", "factor of four", "the paper's four"), 4),
    **dict.fromkeys(("fivefold", "five times", "factor of five"), 5),
    "sixfold": 6,
    "seven times": 7,
    "factor of eight": 8,
    **dict.fromkeys(("tenfold", "ten times", "factor of ten"), 10),
    "twelvefold": 12,
    "sixteen times": 16,
    "twenty times": 20,
}
"""Numbers in words, longer ones before those that they contain where they are looked for."""
NEAR = 0.16
"""A number in words holds to so much of itself: "two thirds" from 0.56 to 0.77."""


def _headline() -> tuple[float, float]:
    """Protocol B, the expressive model's error over classic JEPA's on both series."""
    return (
        times("sine-expressive-paper", "sine-classic-paper", "fair_b"),
        times("lorenz-expressive-paper", "lorenz-classic-paper", "fair_b"),
    )


def _without() -> tuple[float, float]:
    """How much less the unconstrained model errs in Protocol B on both series."""
    return (
        1 - times("sine-unconstrained-paper", "sine-expressive-paper", "fair_b"),
        1 - times("lorenz-unconstrained-paper", "lorenz-expressive-paper", "fair_b"),
    )


PRINTED = "table_3/printed/"
STATE_20 = "state_20/paper (Euler)/"
CONTRACTION = 10 + 1 + 8 / 3 + attractor.EXPONENT
"""The rate at which errors grow backwards on Lorenz's attractor."""


def _table_3() -> list[float]:
    """The paper's restrictive errors over its expressive ones, in both protocols."""
    return [
        held("tables", f"{PRINTED}restrictive/{measure}", f"{PRINTED}expressive/{measure}")
        for measure in ("paper_a", "paper_b")
    ]


def _sphere() -> list[float]:
    """What the sphere costs on fresh waves with a fair probe, in percent."""
    return [
        100 * times("sine-restrictive-paper", "sine-expressive-paper", measure) - 100
        for measure in ("fair_a", "fair_b")
    ]


def _rougher() -> float:
    """Which part of classic JEPA's roughness is left when forward terms alone are compared."""
    gaps = [
        gain("sphere", f"training/classic/{kind}", f"training/expressive/{kind}")
        for kind in ("roughness_forward", "roughness")
    ]
    return gaps[0] / gaps[1]


def _reach() -> list[int]:
    """How many windows the record goes, ahead and back."""
    return [
        max(map(int, record("lorenz")[way]["on the attractor"]["expressive"]))
        for way in ("ahead", "back")
    ]


def _by_predictor(name: str) -> float:
    """How much more a drawing errs that is made from what is predicted, in percent."""
    row = f"right from left/{name}"
    return gain("mnist", f"{row}, predictor/fair_decoder", f"{row}/fair_decoder")


def _seeds_ahead(measure: str) -> int:
    """Of 24, on how many seeds BiJEPA is ahead."""
    return sum(points > 0 for points in ahead("expressive", "classic", measure=measure))


def _lowest(letter: str) -> float:
    """The sweep's lowest error over that of the raw samples, in either direction."""
    rows = record("alpha")["clean"].values()
    return min(
        row[f"{way}_{letter}"] / record("alpha")["baselines"]["raw"][f"{way}_a"]
        for row in rows
        for way in ("fair", "before")
        if f"{way}_{letter}" in row
    )


def _plateau() -> float:
    """The largest change of a column of errors between a quarter and three quarters."""
    rows = [record("alpha")["clean"][weight] for weight in ("0.25", "0.5", "0.75")]
    columns = [
        [row[f"{way}_{letter}"] for row in rows] for way in ("fair", "before") for letter in "ab"
    ]
    return max(max(values) / min(values) - 1 for values in columns)


def _mirrored() -> list[float]:
    """The future's error at an alpha and the past's at its mirror, the larger over the smaller."""
    clean = record("alpha")["clean"]
    pairs = [(clean[one]["fair_a"], clean[f"{1 - float(one):g}"]["before_a"]) for one in clean]
    return sorted(max(pair) / min(pair) for pair in pairs)


TIES: Mapping[str, Mapping[str, Values]] = {
    "book/01-jepa.ipynb": {
        "it is half a percent of what varies": lambda: 100 * 0.05**2 / (0.5 + 0.05**2),
    },
    "book/02-explosion.ipynb": {
        "the norm ends near 4, ten times where it began": lambda: (
            record("explosion")["summaries"]["unconstrained"]["norm"],
            record("explosion")["summaries"]["unconstrained"]["norm_growth"],
        ),
        "very low loss near step 120": lambda: lowest_step("unconstrained"),
        "By one part in 5,000": lambda: 1 / (1e-3 * 1e-4 * 2_000),
        "about two thirds of a percent (three quarters with": lambda: (
            typical("sine-unconstrained-paper", "amplification"),
            typical("sine-unconstrained-tau-0-paper", "amplification"),
        ),
        "a raw loss that rises tenfold": lambda: median(
            record("explosion")["long"]["summaries"][name]["rebound"]
            for name in ("unconstrained", "classic, unconstrained", "classic")
        ),
        "The norm grows tenfold and levels off": lambda: record("explosion")["summaries"][
            "unconstrained"
        ]["norm_growth"],
        "the *smaller* one, by up to a factor of two": lambda: record("explosion")["loop"][
            "unconstrained"
        ]["lead"],
        "Ten times longer, the norm is back at half": lambda: times(
            "sine-unconstrained-long", "sine-unconstrained-paper", "norm"
        ),
        "less growth, and twice the relative loss": lambda: times(
            "sine-classic-unconstrained-paper", "sine-unconstrained-paper", "relative_loss"
        ),
        "ends at half of that": lambda: times(
            "sine-unconstrained-tau-0-paper", "sine-unconstrained-tau-0.9-paper", "norm"
        ),
    },
    "book/03-sphere.ipynb": {
        "at a twentieth of the expressive model's, or less": lambda: held(
            "tables", PRINTED + "restrictive/train_loss", PRINTED + "expressive/train_loss"
        ),
        "the restrictive error is 16 times the expressive one in Protocol A, and 6 times": _table_3,
        "Of 16 and 6, next to nothing in the medians of our seeds; 1.6 and 1.1 in": lambda: [
            *_table_3(),
            *(
                held("sphere", f"replayed/restrictive/{m}", f"replayed/expressive/{m}")
                for m in ("fair_a", "fair_b")
            ),
        ],
        "stays 14 % above the expressive one in Protocol A and 24 % in B": _sphere,
        "begin at 2 % and at 9 %": lambda: [begins("fair_a"), begins("fair_b")],
        "**The factor of ten is the probe's.**": lambda: on_fresh("paper_a"),
        "by a smaller factor than the paper's four": lambda: held(
            "tables", PRINTED + "classic/paper_b", PRINTED + "expressive/paper_b"
        ),
        "span almost a factor of eight": lambda: (  # the same seeds, as the first edition has them
            max(first()["sine-restrictive-paper"]["measures"]["paper_a"][:8])
            / min(first()["sine-restrictive-paper"]["measures"]["paper_a"][:8])
        ),
        "by a tenth or two, on": lambda: (
            held("sphere", "whole/restrictive/whole_a", "whole/expressive/whole_a") - 1
        ),
        "on fresh seeds by a tenth in A and a third in B, and not by a factor of ten": lambda: (
            on_fresh("whole_a") - 1,
            on_fresh("whole_b") - 1,
            on_fresh("paper_a"),
        ),
        "standard deviation is 0.7": lambda: math.sqrt(0.5 + sine.NOISE**2),
        "has 15 numbers to choose freely": lambda: 16 - 1,
        "the restrictive model is a sixth behind": lambda: (
            on_fresh("next_value", "loud-restrictive", "loud-expressive") - 1
        ),
        "sphere's tenfold error": lambda: math.sqrt(math.prod(_table_3())),
        "on fresh seeds 14 and 24 % apart": _sphere,
        "the sphere makes twice the error": lambda: times(
            "lorenz-restrictive-paper", "lorenz-expressive-paper", "fair_a"
        ),
        "About half of the gap; and all of it": _rougher,
        "shows about half of the gap": _rougher,
        "a coordinate's deviation near a tenth": lambda: held(
            "sphere", "demands/restrictive/spread"
        ),
        "their variance is a fifth of the bound": lambda: (
            16 * held("sphere", "demands/restrictive/spread") ** 2
        ),
    },
    "book/04-lorenz.ipynb": {
        "forecasts almost four times better": lambda: held(
            "tables", "table_1/printed/classic/paper_b", "table_1/printed/expressive/paper_b"
        ),
        "is about 0.9. Its inverse": lambda: attractor.EXPONENT,
        "**Answer.** At the long-run rate, by a fifth.": lambda: math.expm1(attractor.WINDOW_TIMES),
        "time units, or 110 steps; a window of 20 steps is less than a fifth": lambda: (
            1 / attractor.EXPONENT / lorenz.DT,
            lorenz.CONTEXT,
            attractor.WINDOW_TIMES,
        ),
        "an error grows by less than one percent": lambda: (
            100 * math.expm1(attractor.EXPONENT * lorenz.DT)
        ),
        "some 18 time units": lambda: math.log(1e7) / attractor.EXPONENT,
        "standard deviations of 7.9, 9.0 and 8.6": deviations,
        "0.0006 beside 0.0007": lambda: [
            held("tables", f"table_1/printed/{name}/train_loss")
            for name in ("classic", "expressive")
        ],
        "puts classic JEPA's Protocol B at 0.0937 and BiJEPA's at 0.0249": lambda: [
            held("tables", f"table_1/printed/{name}/paper_b") for name in ("classic", "expressive")
        ],
        "the straight line sixteen times lower": lambda: held(
            "lorenz", STATE_20 + "expressive/copy_last", STATE_20 + "expressive/extrapolate"
        ),
        "beats the 0.0249 that is printed there and the 0.0237 of": lambda: (
            held("tables", "table_1/printed/expressive/paper_b"),
            held("tables", "table_1/replayed/expressive/paper_b"),
        ),
        "almost sixfold**: 0.0039 against 0.0223": lambda: (
            held("lorenz", STATE_20 + "expressive/copy_last", STATE_20 + "expressive/fair_b"),
            held("lorenz", STATE_20 + "expressive/fair_b"),
            held("lorenz", STATE_20 + "expressive/copy_last"),
        ),
        "its error falls to a tenth": lambda: held(
            "lorenz", "state_20/on the attractor/classic/copy_last", STATE_20 + "classic/copy_last"
        ),
        "0.0144 against 0.0153": lambda: [
            held("lorenz", f"state_20/accurate/classic/{name}") for name in ("fair_b", "copy_last")
        ],
        "five times better than classic JEPA and seven times better than linear": lambda: [
            ahead_of("paper (Euler)", "expressive", rule)
            for rule in ("classic", "ridge_on_raw_windows")
        ],
        "(on the attractor two and four times)": lambda: ahead_of(
            "on the attractor", "expressive", "ridge_on_raw_windows"
        ),
        "has gone from states 0 to 19 to states 20 to 39, and nowhere else. What happens when it is"
        " asked for states 40 to 59": lambda: (0, 19, 20, 2 * 20 - 1, 2 * 20, 3 * 20 - 1),
        "gone from states 0 to 19 to states 20 to 39, on the way to the attractor. Asked for 40 to"
        " 59": lambda: (0, 19, 20, 2 * 20 - 1, 2 * 20, 3 * 20 - 1),
        "twice as well (0.0047 against 0.0100)": lambda: (
            ahead_of("on the attractor", "expressive", "classic"),
            *(held("lorenz", f"ahead/on the attractor/{n}/1") for n in ("expressive", "classic")),
        ),
        "0.081 against 0.128; after twelve it is 0.296 against 0.447": lambda: [
            held("lorenz", f"ahead/on the attractor/{name}/{window}")
            for window in (6, 12)
            for name in ("classic", "expressive")
        ],
        "worse than saying the mean (0.367)": lambda: held(
            "lorenz", "ahead/on the attractor/mean_state/12"
        ),
        "almost nine windows (1.77 time units), BiJEPA's for six (1.20)": lambda: [
            0.2 * stated("04-lorenz", name) for name in ("classic", "expressive")
        ],
        "contracts at the rate 14.6": lambda: CONTRACTION,
        "by five times after one window": lambda: ahead_of(
            "on the attractor", "expressive", "equations_from_expressive", way="back"
        ),
        "by a factor of 2.5 here": lambda: stated("04-lorenz", "ahead over back"),
        "at the rate 0.9; backwards, at 14.6": lambda: (attractor.EXPONENT, CONTRACTION),
        "Then 12 windows ahead and 4 back": _reach,
        "up to 12 windows, and BiJEPA's inferred past, up to 4": _reach,
        "truth for 25 Lyapunov times": lambda: float(
            re.findall(r"RACE = (\d+)", (ROOT / "book/interactive/src/lorenz.js").read_text())[0]
        ),
        "about 7 Lyapunov times more (why 7?)": lambda: [math.log(1_000)] * 2,
        "Twenty steps are a fifth of a Lyapunov time": lambda: attractor.WINDOW_TIMES,
        "At 110 steps": lambda: 1 / attractor.EXPONENT / lorenz.DT,
        "Protocol B looks five times worse": lambda: held(
            "lorenz", STATE_20 + "expressive/paper_b", STATE_20 + "expressive/fair_b"
        ),
        "over the first window, two times the error and more": lambda: ahead_of(
            "on the attractor", "expressive", "classic"
        ),
        "2.5 times fewer windows": lambda: stated("04-lorenz", "ahead over back"),
        "it beats copying by 1.3 times, not 65": lambda: [
            stated("04-lorenz", f"copying over expressive{where}") for where in ("", ", at home")
        ],
        "at the rate 14.57, a factor of ten every 0.16 time units": lambda: (
            CONTRACTION,
            10,
            math.log(10) / CONTRACTION,
        ),
        "This ratio, 16 to 1": lambda: (CONTRACTION / attractor.EXPONENT, 1),
    },
    "book/05-mnist.ipynb": {
        "scikit-learn's 1,797 small digits": lambda: sum(
            map(len, (mnist.load("digits").train, mnist.load("digits").test))
        ),
        "between its columns 13 and 14": lambda: (mnist.CROP - 1, mnist.CROP),
        "by more than three times: it": lambda: held(
            "mnist", "training/0/classic/relative_loss", "training/0/BiJEPA/relative_loss"
        ),
        "leaves 28 % of its target's variance unexplained, BiJEPA 8 %": lambda: [
            100 * held("mnist", f"training/0/{name}/relative_loss")
            for name in ("classic", "BiJEPA")
        ],
        "prints 89.1 % for classic JEPA and 91.9 % for BiJEPA": lambda: [
            100 * held("tables", f"table_2/printed/{name}/paper_accuracy")
            for name in ("classic", "expressive")
        ],
        "in 21 of 24 seeds, by 0.8 points on average; by the fair probe in 20, by half a point": (
            lambda: (
                _seeds_ahead("paper_accuracy"),
                24,
                fmean(ahead("expressive", "classic", measure="paper_accuracy")),
                _seeds_ahead("fair_accuracy_a"),
                fmean(ahead("expressive", "classic")),
            )
        ),
        "it is *behind*, by one point": lambda: (
            -fmean(ahead("expressive", "classic", measure="knn_accuracy"))
        ),
        "a sixth to a third of the paper's": lambda: [
            fmean(ahead("expressive", "classic", measure=measure)) / printed_lead()
            for measure in ("fair_accuracy_a", "paper_accuracy")
        ],
        "**2.7 what?**": printed_lead,
        'improves accuracy "by 2.7%". The table\'s difference is 2.74 percentage': lambda: (
            printed_lead(),
            printed_lead(),
        ),
        "that would be 3.1 %; of classic JEPA's *mistakes*, it would be a quarter": lambda: (
            printed_lead() / held("tables", "table_2/printed/classic/paper_accuracy"),
            printed_lead() / 100 / (1 - held("tables", "table_2/printed/classic/paper_accuracy")),
        ),
        "between the two (0.09 points), and the paper's probe puts classic JEPA ahead by 0.6": (
            lambda: (
                fmean(ahead("expressive", "classic-steps")),
                -fmean(ahead("expressive", "classic-steps", measure="paper_accuracy")),
            )
        ),
        "still reads more from BiJEPA, by 0.3": lambda: fmean(
            ahead("expressive", "classic-steps", measure="mlp_accuracy_a")
        ),
        "93 %: more than the paper's 91.9": lambda: (
            digits("baselines", "raw_knn_accuracy"),
            100 * held("tables", "table_2/printed/expressive/paper_accuracy"),
        ),
        "Beating 89 %": lambda: 100 * held("tables", "table_2/printed/classic/paper_accuracy"),
        "leaves 3.6 % of left halves unread, where the linear probe on BiJEPA's embedding leaves"
        " 7.2 %. So nearly half of": lambda: (
            100 - digits("supervised", "fair_accuracy_a"),
            100 - digits("expressive", "fair_accuracy_a"),
            1
            - (100 - digits("supervised", "fair_accuracy_a"))
            / (100 - digits("expressive", "fair_accuracy_a")),
        ),
        "To 32 % for classic JEPA": lambda: 100 * held("mnist", "shift/classic/shifted_accuracy"),
        "sharper by half a percent": lambda: (
            100 * times("mnist-expressive-paper", "mnist-classic-paper", "fair_sharpness") - 100
        ),
        "are four fifths of the truth's": lambda: digits("expressive", "fair_sharpness") / 100,
        "half a point more often (in 20 of 24)": lambda: (
            fmean(ahead("expressive", "classic", measure="fair_true")),
            _seeds_ahead("fair_true"),
            24,
        ),
        "They err 3 % less than classic JEPA's": lambda: (
            100 - 100 * times("mnist-expressive-paper", "mnist-classic-paper", "fair_decoder")
        ),
        "trained twice as long is 2.7 %": lambda: (
            2,
            100
            - 100 * times("mnist-expressive-paper", "mnist-classic-steps-paper", "fair_decoder"),
        ),
        "embedding is 4 % above": lambda: gain(
            "mnist", "right from left/BiJEPA/fair_decoder", "supervised/mse"
        ),
        "costs 6 to 8 % held out": lambda: [
            gain(
                "mnist",
                f"right from left/{name}, as in the script/fair_decoder",
                f"right from left/{name}/fair_decoder",
            )
            for name in ("classic", "BiJEPA")
        ],
        "misses 8 % of the true one's": lambda: (
            100 * held("mnist", "training/0/BiJEPA/relative_loss")
        ),
        "**Answer.** About 1 %": lambda: _by_predictor("BiJEPA"),
        "9 % here, 2.6 % on average over the fresh seeds": lambda: (
            _by_predictor("classic"),
            100 * times("mnist-classic-paper", "mnist-classic-paper", "decoder_b", "fair_decoder")
            - 100,
        ),
        "reads 91 % of the digits in BiJEPA's embedding and 81 % in classic JEPA's": lambda: [
            digits(name, "right_accuracy") for name in ("expressive", "classic")
        ],
        "drawn from it with an error that is 23 % lower": lambda: (
            100 - 100 * times("mnist-expressive-paper", "mnist-classic-paper", "past_decoder")
        ),
        "spread by 22 %, gray by 68 %": lambda: [
            gain("mnist", f"uncertainty/maps/{name}/predicted", f"uncertainty/maps/{name}/measured")
            for name in ("spread", "gray")
        ],
        "56 % right, where it says 51 %": lambda: [
            100 * record("mnist")["uncertainty"]["confidence"][name][0]
            for name in ("accuracy", "confidence")
        ],
        "24 fresh seeds half a point, where the paper has 2.7 from one": lambda: (
            24,
            fmean(ahead("expressive", "classic")),
            printed_lead(),
        ),
        "drawings err 3 % less, in every seed, and are sharper by half a percent": lambda: (
            100 - 100 * times("mnist-expressive-paper", "mnist-classic-paper", "fair_decoder"),
            100 * times("mnist-expressive-paper", "mnist-classic-paper", "fair_sharpness") - 100,
        ),
        "calibrated within a quarter": lambda: (
            gain("mnist", "uncertainty/maps/spread/predicted", "uncertainty/maps/spread/measured")
            / 100
        ),
        "a drawing that errs about 1 % more": lambda: _by_predictor("BiJEPA"),
        "about 0.3 points: a difference of 2.7 points": lambda: (
            held("mnist", "paired/0/standard error"),
            printed_lead(),
        ),
    },
    "book/06-alpha.ipynb": {
        "the gap is a factor of 2.2 with": lambda: held(
            "alpha", "clean/1/fair_b", "clean/0.5/fair_b"
        ),
        "prints a factor of four": lambda: held(
            "tables", PRINTED + "classic/paper_b", PRINTED + "expressive/paper_b"
        ),
        "By Protocol A classic has a third more": lambda: (
            held("alpha", "clean/1/fair_a", "clean/0.5/fair_a") - 1
        ),
        "One reads the past 8 % better": lambda: 100 - 100 * _lowest("a"),
        "The best forward predictor is 15 % better": lambda: 100 - 100 * _lowest("b"),
        "no column of errors changes by more than a quarter": _plateau,
        "but one agree to a quarter": lambda: _mirrored()[-2] - 1,
        "half as large again as its mirror image": lambda: (
            held("alpha", "clean/0.01/fair_a", "clean/0.99/before_a") - 1
        ),
        "*rises*, from 0.031 to 0.063": lambda: [
            held("alpha", f"clean/{weight}/forward") for weight in ("0.5", "1")
        ],
        "Eq. 13 says 0.929 and its mirror 0.071": lambda: (
            record("alpha")["corrupted"]["noise 1"]["alpha"],
            1 - record("alpha")["corrupted"]["noise 1"]["alpha"],
        ),
        "the mirror has half as much again": lambda: (
            swept("noise 1", 0.1, "fair_a", 4) / swept("noise 1", 0.5, "fair_a", 4) - 1
        ),
        "level, and Eq. 13 is a tenth behind": lambda: (
            swept("noise 1", 0.929, "before_a", 4) / swept("noise 1", 0.5, "before_a", 4) - 1
        ),
        "in four cases of five, by 21 to 47 %": lambda: costs("fair_a", mirror=True)[
            1::3
        ],  # of the four that cost, the first and the last
        "costs at most 12 %": lambda: costs("fair_b", mirror=True)[-1],
        "five of seven cases, by up to 13 %": lambda: costs("before_a", mirror=False)[-1],
        "takes 29 % off the error, which is then 28 % below that of the ten raw samples": lambda: (
            100 - 100 * swept("noise 0.5", 0.5, "fair_a") / held("alpha", "clean/0.5/fair_a"),
            100 - 100 * swept("noise 0.5", 0.5, "fair_a") / held("alpha", "baselines/raw/fair_a"),
        ),
        "no error changes by more than a quarter. The relative loss of the favored direction is a"
        " third higher": lambda: (
            _plateau(),
            held("alpha", "clean/0.75/forward", "clean/0.5/forward") - 1,
        ),
        "twice the error from the predictor, three times the error of the past, twice the relative"
        " loss": lambda: [
            held("alpha", f"clean/1/{measure}", f"clean/0.5/{measure}")
            for measure in ("fair_b", "before_a", "forward")
        ],
        "up to 13 % worse for the past": lambda: costs("before_a", mirror=False)[-1],
        "0.0096 with 64), and of the sample before (`before_a`, 0.024)": lambda: (
            held("alpha", "clean/1/fair_a"),
            64,
            held("alpha", "clean/1/before_a"),
        ),
    },
    "book/07-own-data.ipynb": {
        "the *raw window* of 120 numbers": lambda: 6 * 20,
        "their **products**, 230 features": lambda: 20 + 20 * 21 / 2,
        "beside the healthy one's 0.24": lambda: record("watch")["sick"]["healthy"][
            "relative loss"
        ],
        "ended at 0.05 on what is learned from, and at 0.17 on recordings held out": lambda: (
            record("watch")["slips"]["learned from"],
            record("watch")["slips"]["split by recording"],
        ),
        "share 39 of its 40 steps": lambda: (2 * 20 - 1, 2 * 20),
        "In between: 0.13, a quarter better than it should be": lambda: (
            record("watch")["slips"]["split by window"],
            1
            - record("watch")["slips"]["split by window"]
            / record("watch")["slips"]["split by recording"],
        ),
    },
    "book/08-evidence.ipynb": {
        "64 to 95 for sine waves and Lorenz, 8 to 31 for MNIST": lambda: (
            *seeds("sine-expressive-paper", second),
            *seeds("mnist-expressive-paper", second),
        ),
        "two fifths of classic JEPA's error on sine waves and less than a fifth": _headline,
        "with a quarter to a fifth of classic's error": lambda: (
            times("sine-expressive-paper", "sine-classic-paper", "past_a"),
            times("lorenz-expressive-paper", "lorenz-classic-paper", "past_a"),
        ),
        "the norm grows twelvefold": lambda: typical("sine-unconstrained-paper", "norm_growth"),
        "rebounds twenty times as far as the expressive": lambda: times(
            "sine-unconstrained-paper", "sine-expressive-paper", "rebound"
        ),
        "makes a quarter *less* error on sine waves, and three quarters less": _without,
        "keeps 94 % of its rank": lambda: (
            100 * times("sine-classic-tau-0-paper", "sine-classic-paper", "rank")
        ),
        "it loses a sixth of its rank and makes three quarters more error": lambda: (
            1 - times("lorenz-classic-tau-0-paper", "lorenz-classic-paper", "rank"),
            times("lorenz-classic-tau-0-paper", "lorenz-classic-paper", "fair_b") - 1,
        ),
        "a factor of 16 in Protocol A and of 6 in Protocol B": lambda: [
            record("tables")["table_3"]["printed"]["restrictive"][measure]
            / record("tables")["table_3"]["printed"]["expressive"][measure]
            for measure in ("paper_a", "paper_b")
        ],
        "on our seeds, finds 8 in both. A probe that converges finds 1.1 and 1.2": lambda: [
            times("sine-restrictive-paper", "sine-expressive-paper", measure)
            for measure in ("paper_a", "fair_a", "fair_b")
        ],
        "reports 2.7 points of accuracy. On 24 fresh seeds it is half a point": lambda: (
            printed_lead(),
            len(ahead("expressive", "classic")),
            fmean(ahead("expressive", "classic")),
        ),
        "a lower error, by 3 %": lambda: (
            100 - 100 * times("mnist-expressive-paper", "mnist-classic-paper", "fair_decoder")
        ),
        "half a point takes 17 pairs, two tenths of a point 73": lambda: (
            0.5,
            seeds_needed(ahead("expressive", "classic"), 0.5),
            seeds_needed(ahead("expressive", "classic-steps"), 0.2),
        ),
        "Pairs scatter by 0.6 points": lambda: stdev(ahead("expressive", "classic")),
        "ask for 17": lambda: seeds_needed(ahead("expressive", "classic"), 0.5),
    },
    "book/09-why.ipynb": {
        "falls by a factor of ten from the first state to the last": lambda: kept(
            "lorenz", "classic"
        ),
        "at the first it is a factor of five": lambda: (
            1 / at("lorenz", "bijepa", "classic", "x", 0, "embedding")
        ),
        "a factor of two everywhere": lambda: (
            1 / at("sine", "bijepa", "classic", "x", -1, "embedding")
        ),
        "BiJEPA is three times better at the first state": lambda: (
            1 / at("lorenz", "bijepa", "classic", "y", 0)
        ),
        "with four times the error of the last one": lambda: at(
            "lorenz", "classic", "classic", "y", 0, then=-1
        ),
        "B's over A's is level, 0.57 at both ends": lambda: (
            at("sine", "bijepa", "classic", "y", 0)
            / at("sine", "bijepa", "classic", "y", 0, "embedding")
        ),
        "*worse* than classic, by almost half": lambda: (
            at("lorenz", "ahead", "classic", "y", 0) - 1
        ),
        "reads it almost three times better": lambda: (
            1 / at("lorenz", "outward", "classic", "y", 0)
        ),
        "two directions miss half as much": lambda: times(
            "sine-why-bijepa-paper", "sine-why-classic-paper", "missed_future"
        ),
        "ahead there by a tenth on sine": lambda: 1 - at("sine", "bijepa", "classic", "z", 0),
        "first row over third, is about 0.6 on both": lambda: (
            at("sine", "gap-bijepa", "gap-classic", "z", 0)
            / at("sine", "bijepa", "classic", "z", 0)
        ),
        "almost four times as large": lambda: apart(
            ("lorenz-why-bijepa-paper", "past_b", 0), ("lorenz-why-bijepa-paper", "future_b", -1)
        ),
        "at 0.33 to 0.41 of classic's error": lambda: (
            at("lorenz", "bijepa", "classic", "y", 0),
            at("sine", "outward", "classic", "y", 0),
        ),
        "ahead by a factor of 1.9 on sine and 1.6 on Lorenz": lambda: [
            1 / at(system, "gap-bijepa", "gap-classic", "z", 0) for system in ("sine", "lorenz")
        ],
        "z$'s first position 1.8 and 2.6 times": lambda: [
            at(system, "gap-classic", "classic", "z", 0) for system in ("sine", "lorenz")
        ],
        "better at the same time, by a quarter": lambda: (
            1 - at("lorenz", "gap-classic", "classic", "z", -1)
        ),
        "its error is twice that of the raw pixels": lambda: apart(
            ("mnist-classic-paper", "past_by_column", -1),
            ("mnist-baselines-paper", "raw_past_by_column", -1),
        ),
        "14 % worse than the raw pixels": lambda: (
            100
            * apart(
                ("mnist-classic-paper", "decoder_by_column", 0),
                ("mnist-baselines-paper", "raw_by_column", 0),
            )
            - 100
        ),
        "the advantage is 31 % at the first column, and 2 % four columns on": lambda: [
            100
            - 100
            * apart(
                ("mnist-expressive-paper", "decoder_by_column_b", i),
                ("mnist-classic-paper", "decoder_by_column_b", i),
            )
            for i in (0, 4)
        ],
        "with 0.28 and 0.18 of classic's error": lambda: [
            at(system, "bijepa", "classic", "w", -1, "embedding") for system in ("sine", "lorenz")
        ],
        "1.6 and 2.5 times the error": lambda: [
            at(system, "classic", "classic", "y", 0, off="embedding")
            for system in ("sine", "lorenz")
        ],
        "almost a quarter more on sine and half as much again on Lorenz": lambda: [
            at(system, "bijepa", "classic", "z", -1) - 1 for system in ("sine", "lorenz")
        ],
    },
    "book/10-stable.ipynb": {
        "0.3 points ahead": lambda: AHEAD,
        "Its norm moved by 3.8 and 3.7 %, and its loss ended 16 and 26 % above": lambda: [
            abs(beyond(system, "whitened-0.2", what))
            for what in ("late_growth", "relative_rebound")
            for system in ("sine", "lorenz")
        ],
        "misses 1.9 times as much of target and past": lambda: winner_over(
            "sine", "expressive", "whole_a"
        ),
        "on Lorenz 1.2 times as much of the target": lambda: winner_over(
            "lorenz", "unconstrained", "whole_a"
        ),
        "it costs 4 to 5 % on sine waves, 14 % of the whole target on Lorenz and 0.48 points": (
            lambda: [
                100 * penalty_costs()["sine", "past_b"] - 100,
                100 * penalty_costs()["sine", "fair_b"] - 100,
                100 * penalty_costs()["lorenz", "whole_b"] - 100,
                -penalty_costs()["mnist", judgment.LABELS],
            ]
        ),
    },
    "book/11-futures.ipynb": {
        "Ahead, for about a third of the windows": lambda: above("wing", "exact", "open"),
        "Their distance from the optimum is a third of the single answer's": lambda: (
            above("wing", "energy") / above("wing", "deterministic")
        ),
        "section 6 has samples of 0.96 whose intervals of 80 % hold 51 % of the truths": lambda: (
            report.mean(worlds(), "wing", "energy", "spread_to_error_backward"),
            80,
            100 * report.mean(worlds(), "wing", "energy", "coverage_backward"),
        ),
        "of 32 recorded seeds reach from 0.4 on the left to 0.3 on the right": lambda: (
            single_answers()
        ),
        "under the expressive constraint it was 3.0 and 3.1": lambda: [
            100 * fmean(criteria.between_gap(worlds(), "well", "energy", way).values())
            for way in report.WAYS
        ],
        "they are 16.4 % above the optimum, and it is 16.0 % above": lambda: of_the_past(),
        "no more than the climatology (16.4 and 16.0 % above)": lambda: of_the_past(),
        "| 0.8 to 1.25 | the ratio": lambda: (
            images_criteria.LEAST_SPREAD,
            images_criteria.MOST_SPREAD,
        ),
        "| 0.5 to 1.5 times that of": lambda: (
            images_criteria.LEAST_ENTROPY,
            images_criteria.MOST_ENTROPY,
        ),
        "| 0.5 or more | the correlation": lambda: images_criteria.DOUBT,
        "deterministic drawing's by 0.03 |": lambda: images_criteria.SHARPER,
        "| 0.9 or less |": lambda: images_criteria.SCORE,
        "deterministic drawing's by 0.02 |": lambda: images_criteria.BRIER,
        "above the neighbors' by 0.02 at most": lambda: images_criteria.BRIER,
        "deterministic model's by 0.005 at most": lambda: images_criteria.POINTS,
    },
    "book/evidence-conditions.ipynb": {
        "64 to 95 for sine waves and Lorenz, 8 to 31 for MNIST": lambda: (
            *seeds("sine-expressive-paper", second),
            *seeds("mnist-expressive-paper", second),
        ),
        "had seen 0 to 31 and 0 to 7": lambda: (
            *seeds("sine-expressive-paper", first),
            *seeds("mnist-expressive-paper", first),
        ),
        "trained for 30 epochs": lambda: EPOCHS,
        "target embeddings 1.25 times as large": lambda: FACTOR,
        "half of the paper's 2.7 points": lambda: (0.5, printed_lead()),
        "about a tenth of a point": lambda: (
            fmean(ahead("expressive", "classic"))
            - fmean(ahead("expressive", "classic", measure="mixed_fair_accuracy_a"))
        ),
        "a quarter lower instead of three fifths": lambda: (
            1 - times("sine-expressive-d-double-paper", "sine-classic-d-double-paper", "fair_b"),
            1 - _headline()[0],
        ),
    },
    "book/evidence-first.ipynb": {
        "32 seeds (0 to 31; MNIST 0 to 7)": lambda: (
            32,
            *seeds("sine-expressive-paper", first),
            *seeds("mnist-expressive-paper", first),
        ),
        "**MNIST's 2.7 points** are 0.4 with": lambda: (
            printed_lead(),
            fmean(ahead("expressive", "classic", first)),
        ),
        "errs by 0.22 and a straight line by 0.11": lambda: [
            typical("sine-baselines-paper", rule, first) for rule in ("copy_last", "extrapolate")
        ],
        "better by 0.4 points on average, in six of eight pairs, by the fair classifier; by 0.3": (
            lambda: [
                fmean(ahead("expressive", "classic", first, measure))
                for measure in ("fair_accuracy_a", "paper_accuracy")
            ]
        ),
        "the drawing's 3 % remain": lambda: (
            100
            - 100
            * times(
                "mnist-expressive-paper", "mnist-classic-batch-paper", "fair_decoder", edition=first
            )
        ),
        "ends at twice its lowest, and the expressive model's at 1.6 times": lambda: [
            typical(f"lorenz-{name}-paper", "relative_rebound", first)
            for name in ("classic", "expressive")
        ],
        "torch 2.15 (2.14 for": lambda: sorted(
            {
                float(part["torch"].rpartition(".")[0])
                for one in first().values()
                for part in one["provenance"]["parts"]
            },
            reverse=True,
        ),
        "for about 1.2 to 1.9 times the computing": lambda: (
            computing("mnist"),
            computing("sine", "long"),
        ),
        "the unconstrained model is 0.8 points behind": lambda: fmean(
            ahead("expressive", "unconstrained", first)
        ),
        "tau 0.999 makes 0.7 of the error": lambda: (
            0.999,
            times(
                "lorenz-unconstrained-tau-0.999-paper",
                "lorenz-unconstrained-paper",
                "fair_b",
                edition=first,
            ),
        ),
        "reports 2.7 points where eight give 0.4": lambda: (
            printed_lead(),
            fmean(ahead("expressive", "classic", first)),
        ),
        "half the width again would have taken 128": lambda: (0.5, 32 * 4),
    },
    "book/switches.md": {
        "an untrained encoder has 0.0226": lambda: record("jepa")["both ways"]["errors"][
            "untrained"
        ]["fair_a"],
        "twice the relative loss, and 2.5 times the error": lambda: [
            times("sine-classic-paper", "sine-expressive-paper", measure)
            for measure in ("relative_loss", "fair_b")
        ],
        "at tau 0 it is half of that": lambda: (
            0,
            times("sine-unconstrained-tau-0-paper", "sine-unconstrained-tau-0.9-paper", "norm"),
        ),
    },
    "book/index.md": {
        "half a point, not 2.7": lambda: (fmean(ahead("expressive", "classic")), printed_lead()),
        "Drawings err 3 % less": lambda: (
            100 - 100 * times("mnist-expressive-paper", "mnist-classic-paper", "fair_decoder")
        ),
    },
    "book/glossary.md": {
        "about 1.1 of its time units, or 110 of": lambda: (1 / 0.906, 100 / 0.906),
    },
}

UNTIED: Mapping[str, Mapping[str, str]] = {
    "book/02-explosion.ipynb": {"step 750 on": "read off the figure above it, which is not stored"},
    "book/05-mnist.ipynb": {
        "downloaded (12 MB)": "the size of files elsewhere",
        "The 4, the 5 and the 9 are": "digits, by name",
        "(the 2, the 7)": "digits, by name",
        "60, 75 or 90 %?": "answers to choose from",
        "**Look for** the 5 and the 9": "digits, by name",
        "(3 and 8, 4 and 9, 1 and 7)": "digits, by name",
        "named a 3, the next a 5, a 2, a 7 or a 0": "digits, by name",
        "(rows 0 to 8), the middle (9 to 18) or the bottom third (19 to 27)": "a choice",
    },
    "book/06-alpha.ipynb": {
        "alpha 1, then 0.99; 9 samples hidden": "what to try",
        "*Alpha from 0.5 to 0.25 or 0.75*": "what to turn",
    },
    "book/glossary.md": {"a probability of 30 % happens in 30 % of": "an example"},
    "book/08-evidence.ipynb": {
        "seed 70 means": "an example",
    },
    "book/evidence-first.ipynb": {
        "on Lorenz 0.25 forecasts better": "a setting; the figure of section 8 shows it",
        "the last 22 long Lorenz": "how the runs were made, which no record keeps",
    },
}
"""Phrases whose numbers nothing holds, and why."""
