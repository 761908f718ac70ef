"""How the kinds of pairs are told apart without labels: seeded expectation maximisation.

See `kindred.identity.mixture` for what a model says.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import scipy

from kindred.identity import steps
from kindred.identity.entity import Comparison, PairKind
from kindred.identity.mixture import LEAST_U, FloatArray, Model

# Rounds of expectation maximisation, and the change of a logarithm that counts as none: a share
# that moves by a thousandth moves no weight by more than .0015.
ROUNDS = 300
CONVERGED = 1e-3
# Pairs' worth of belief in the first guesses of the settings.
GUESS_PAIRS = 20.0
# Pairs' worth of belief in a model that is there: a hundred matches cannot refute it.
KNOWN_PAIRS = 200.0
# Records' worth of belief in the least share of a kind: few records cannot deny that families
# exist, many can.
LEAST_RECORDS = 300.0
# How often a field may be outright wrong, by how often the field it is held against is; that many
# of the latter are no errors but changes: people marry.
ERRS_TIMES = 0.75
RENAMED = 0.025
# With that many errors, the least shares are held against the records in full.
DIRTY = 0.04
# With fewer fields compared, what the settings know of the world counts more than the records.
FEW_FIELDS = 4
# Matches of which most fields agree only by chance (people who moved), by how many the others are.
MOVED = 3.0
LEAST_SHARE = 1e-9


def learn(
    comparisons: tuple[Comparison, ...],
    matches: tuple[PairKind, ...],
    others: tuple[PairKind, ...],
    size: int,
    u: list[FloatArray],
    patterns: npt.NDArray[np.int8],
    counts: FloatArray,
) -> Model:
    """Expectation maximisation over the patterns of levels among the candidate pairs.

    patterns: one row per distinct combination of levels (-1: nothing said); counts: how many
    pairs have it; size: number of records, which fixes how many strangers there are.

    Two rounds tell where a third would lead, so each leap is followed by a round that corrects it
    (SQUAREM, Varadhan and Roland 2008, scheme S3, in logarithms); a leap that explains the pairs
    less well than the rounds before it is not taken.
    """
    task = _Task(comparisons, matches, others, size, u, counts, _columns(comparisons, patterns))
    now, rounds = _settled(task, _first(task))
    kinds, m, shared = _unpack(task, now)
    return Model(
        tuple(c.field for c in comparisons),
        tuple(np.round(x, 9) for x in _strangers(task, kinds, m)),
        tuple(_kept(x) for x in m),
        {name: round(share, 9) for name, share in kinds.items()},
        {k: {f: _kept(x) for f, x in v.items()} for k, v in shared.items()},
        {"rounds": rounds},
    )


@dataclass(frozen=True)
class Adapted:
    """A model that was there, with the kinds of pairs in the shares of the pairs at hand.

    likely, strangers: by comparison, how often its likely matches fall on each level, and how often
    strangers do (random pairs less the matches among them); the lowest level first.
    """

    model: Model
    likely: list[FloatArray]
    strangers: list[FloatArray]

    def beside(self, model: Model) -> Model:
        """`model` with a note of how its likely matches agree."""
        noted = {
            name: [round(float(x), 6) for x in shares]
            for name, shares in zip(self.model.fields, self.likely, strict=True)
        }
        return replace(model, about={**model.about, "likely": noted})


def adapt(
    model: Model,
    comparisons: tuple[Comparison, ...],
    matches: tuple[PairKind, ...],
    others: tuple[PairKind, ...],
    size: int,
    u: list[FloatArray],
    patterns: npt.NDArray[np.int8],
    counts: FloatArray,
) -> Adapted:
    """The model with the kinds of pairs in such shares as these pairs have them.

    How pairs of each kind agree is held. How many there are of each kind and how common names are
    depends on how many records there are and on where people live, and is learned. u: of random
    pairs, or the model's.
    """
    task = _Task(
        comparisons, matches, others, size, u, counts, _columns(comparisons, patterns), model
    )
    now, _ = _settled(task, _known(task, model))
    kinds, m, _ = _unpack(task, now)
    _, sums, _ = _expected(task, now)
    fields = [c.field for c in comparisons]
    likely = [
        np.maximum(_normal(found, own, KNOWN_PAIRS), LEAST_SHARE)
        for found, own in zip(_of_matches(task, sums), m, strict=True)
    ]
    likely = [errs_as(c, x, likely, fields) for c, x in zip(comparisons, likely, strict=True)]
    found = Model(
        model.fields,
        tuple(
            _kept(own) if c.holders_of else known
            for c, own, known in zip(comparisons, m, model.u, strict=True)
        ),
        tuple(
            _kept(own) if c.holders_of else known
            for c, own, known in zip(comparisons, m, model.m, strict=True)
        ),
        {name: round(share, 9) for name, share in kinds.items()},
        model.shared,
        model.about,
    )
    return Adapted(found, likely, _observed_strangers(task, kinds, m))


def in_steps(model: Model, comparisons: tuple[Comparison, ...]) -> Model:
    """An adapted model, with what it learned from the pairs at hand in steps.

    So a few more records hardly ever change what a pair weighs.
    """

    def of_fields(tables: tuple[FloatArray, ...]) -> tuple[FloatArray, ...]:
        return tuple(
            _in_steps(table) if c.holders_of else table
            for c, table in zip(comparisons, tables, strict=True)
        )

    return replace(
        model,
        u=of_fields(model.u),
        m=of_fields(model.m),
        kinds={
            name: float(steps.stepped_shares(np.array(share), steps.KINDS))
            for name, share in model.kinds.items()
        },
    )


def _in_steps(table: FloatArray) -> FloatArray:
    """Probabilities in steps, which add up to 1 again."""
    stepped = steps.stepped_shares(table, steps.NAMESAKES)
    return _kept(stepped / stepped.sum())


def _settled(task: _Task, start: FloatArray) -> tuple[FloatArray, int]:
    """Where the rounds of learning settle, and after how many."""
    now, rounds, change = start, 0, np.inf
    while rounds < ROUNDS and change >= CONVERGED:
        one, fit = _round(task, now)
        two, _ = _round(task, one)
        step = one - now
        turn = two - one - step
        change = float(np.abs(two - one).max())
        length = max(float(np.linalg.norm(step)) / max(float(np.linalg.norm(turn)), 1e-12), 1.0)
        now, leap_fit = _round(task, _tidy(task, now + 2 * length * step + length**2 * turn))
        rounds += 3
        if not leap_fit >= fit:
            now = two
    return now, rounds


def _kept(shares: FloatArray) -> FloatArray:
    """As a file keeps them; what is next to impossible never becomes impossible."""
    return np.asarray(np.maximum(np.round(shares, 9), LEAST_SHARE))


@dataclass(frozen=True)
class _Task:
    """What a round of learning needs; `held` says which level of which field a pattern has.

    known: a model of which is held how pairs of each kind agree; how many there are of each kind
    and how common names are is learned.
    """

    comparisons: tuple[Comparison, ...]
    matches: tuple[PairKind, ...]
    others: tuple[PairKind, ...]
    size: int
    observed: list[FloatArray]
    counts: FloatArray
    held: scipy.sparse.csr_matrix
    known: Model | None = None

    @property
    def pairs(self) -> float:
        return self.size * (self.size - 1) / 2

    @property
    def few(self) -> bool:
        """A few fields cannot tell by themselves what is chance, nor one kind from another."""
        return len(self.comparisons) < FEW_FIELDS

    def shared(self) -> list[tuple[PairKind, int]]:
        """The tables of their own that kinds of non-matches have: kind and comparison."""
        return [
            (kind, i)
            for kind in self.others
            for i, c in enumerate(self.comparisons)
            if c.field in kind.shares
        ]


def _columns(
    comparisons: tuple[Comparison, ...], patterns: npt.NDArray[np.int8]
) -> scipy.sparse.csr_matrix:
    """Patterns by levels of all fields, one after the other: 1 where a pattern has the level."""
    widths = np.array([len(c.levels) for c in comparisons])
    starts = np.cumsum(widths) - widths
    rows, fields = np.nonzero(patterns >= 0)
    columns = starts[fields] + patterns[rows, fields]
    ones = np.ones(len(rows))
    shape = (len(patterns), int(widths.sum()))
    return scipy.sparse.csr_matrix((ones, (rows, columns)), shape=shape)


def _guesses(task: _Task) -> list[FloatArray]:
    guess = [np.array([level.m for level in reversed(c.levels)]) for c in task.comparisons]
    return [g / g.sum() for g in guess]


def _first(task: _Task) -> FloatArray:
    guess = _guesses(task)
    own = [
        _within(kind, task.comparisons[i], _first_shared(guess[i]), guess[i])
        for kind, i in task.shared()
    ]
    shares = [kind.share for kind in task.matches]
    shares += [kind.least if task.few else kind.share for kind in task.others]
    return np.asarray(np.log(np.concatenate([np.array(shares), *guess, *own])))


def _known(task: _Task, model: Model) -> FloatArray:
    """A model's shares and tables, as `_unpack` reads them."""
    shares = [max(model.kinds[kind.name], LEAST_SHARE) for kind in (*task.matches, *task.others)]
    own = [model.shared[kind.name][task.comparisons[i].field] for kind, i in task.shared()]
    tables = [np.maximum(table, LEAST_SHARE) for table in (*model.m, *own)]
    return np.asarray(np.log(np.concatenate([np.array(shares), *tables])))


def _free(task: _Task) -> npt.NDArray[np.bool_]:
    """Which of the packed values the pairs decide: all, or those that a known model leaves open."""
    kinds = len(task.matches) + len(task.others)
    own = sum(len(task.comparisons[i].levels) for _, i in task.shared())
    tables = [
        np.full(len(c.levels), task.known is None or bool(c.holders_of)) for c in task.comparisons
    ]
    return np.concatenate([np.ones(kinds, dtype=bool), *tables, np.full(own, task.known is None)])


def _unpack(
    task: _Task, packed: FloatArray
) -> tuple[dict[str, float], list[FloatArray], dict[str, dict[str, FloatArray]]]:
    """Shares of the kinds, m, and the tables that kinds have of their own."""
    values = np.exp(packed)
    names = [kind.name for kind in (*task.matches, *task.others)]
    kinds = {name: float(x) for name, x in zip(names, values, strict=False)}
    tables, at = [], len(names)
    for i in [*range(len(task.comparisons)), *(i for _, i in task.shared())]:
        width = len(task.comparisons[i].levels)
        tables.append(values[at : at + width])
        at += width
    shared: dict[str, dict[str, FloatArray]] = {kind.name: {} for kind in task.others}
    for (kind, i), table in zip(task.shared(), tables[len(task.comparisons) :], strict=True):
        shared[kind.name][task.comparisons[i].field] = table
    return kinds, tables[: len(task.comparisons)], shared


def _tidy(task: _Task, packed: FloatArray) -> FloatArray:
    """Bring a leap back to what can be: probabilities that add up to 1."""
    kinds, m, shared = _unpack(task, np.clip(packed, np.log(LEAST_SHARE), 50.0))
    tables = [*m, *(shared[kind.name][task.comparisons[i].field] for kind, i in task.shared())]
    shares = np.array(list(kinds.values()))
    return np.asarray(np.log(np.concatenate([shares, *(x / x.sum() for x in tables)])))


def _strangers(task: _Task, kinds: dict[str, float], m: list[FloatArray]) -> list[FloatArray]:
    if task.known is None:
        return _observed_strangers(task, kinds, m)
    return [
        own if c.holders_of else known
        for c, own, known in zip(task.comparisons, m, task.known.u, strict=True)
    ]


def _observed_strangers(
    task: _Task, kinds: dict[str, float], m: list[FloatArray]
) -> list[FloatArray]:
    same = sum(kinds[kind.name] for kind in task.matches) * task.size / task.pairs
    bounds = [
        np.array([level.by_chance if task.few else 1.0 for level in reversed(c.levels)])
        for c in task.comparisons
    ]
    # How common a value is says nothing between a match and a stranger: rarity does that.
    return [
        own if c.holders_of else _at_most(_without_matches(_at_most(x, bound), own, same), bound)
        for c, x, own, bound in zip(task.comparisons, task.observed, m, bounds, strict=True)
    ]


def _round(task: _Task, packed: FloatArray) -> tuple[FloatArray, float]:
    """One round: the next values, and how well those given explain the pairs (log likelihood)."""
    pairs, sums, fit = _expected(task, packed)
    kinds, _, _ = _unpack(task, packed)
    found = np.log(_maximised(task, kinds, pairs, sums))
    return (found if task.known is None else np.where(_free(task), found, packed)), fit


def _expected(task: _Task, packed: FloatArray) -> tuple[FloatArray, FloatArray, float]:
    """The pairs of each kind (strangers first), their sums by level, and the log likelihood."""
    kinds, m, shared = _unpack(task, packed)
    names = [c.field for c in task.comparisons]
    u = _strangers(task, kinds, m)
    tables = [np.concatenate(u)]
    starts = [np.log(task.pairs)]
    for kind in task.matches:
        found = [u[i] if name in kind.shares else m[i] for i, name in enumerate(names)]
        tables.append(np.concatenate(found))
        starts.append(np.log(kinds[kind.name] * task.size))
    for kind in task.others:
        chances = kind.agreement(names)
        found = [
            shared[kind.name].get(name, chance * m[i] + (1 - chance) * u[i])
            for i, (name, chance) in enumerate(zip(names, chances, strict=True))
        ]
        tables.append(np.concatenate(found))
        starts.append(np.log(kinds[kind.name] * task.size))
    logs = task.held @ np.log(np.column_stack(tables)) + np.array(starts)
    peak = logs.max(axis=1)
    parts = np.exp(logs - peak[:, None])
    total = parts.sum(axis=1)
    fit = float(task.counts @ (peak + np.log(total)))
    parts *= (task.counts / total)[:, None]
    return parts.sum(axis=0), np.asarray(task.held.T @ parts), fit


def _of_matches(task: _Task, sums: FloatArray) -> list[FloatArray]:
    """The sums by level of each field, over the kinds of matches that agree in it."""
    found, at = [], 0
    for c in task.comparisons:
        rows = slice(at, at + len(c.levels))
        at = rows.stop
        pull = np.zeros(len(c.levels))
        for k, kind in enumerate(task.matches, start=1):
            if c.field not in kind.shares:
                pull += sums[rows, k]
        found.append(pull)
    return found


def _maximised(
    task: _Task, kinds: dict[str, float], pairs: FloatArray, sums: FloatArray
) -> FloatArray:
    """Shares and tables from the pairs of each kind and their sums by level."""
    both = (*task.matches, *task.others)
    m = []
    for c, pull, guess in zip(
        task.comparisons, _of_matches(task, sums), _guesses(task), strict=True
    ):
        most = np.array([level.most for level in reversed(c.levels)])
        m.append(_at_most(_normal(pull, guess), most))
    belief = _belief_in_relatives(task, m)
    shares = [
        kinds[kind.name]
        if task.few and kind in task.others
        else min(max(float(x) / task.size, kind.least * belief, LEAST_SHARE), kind.most)
        for kind, x in zip(both, pairs[1:], strict=True)
    ]
    # Without a bound, whatever agrees in nothing but a name may pass for people who moved.
    shares[1 : len(task.matches)] = [
        min(share, MOVED * shares[0]) for share in shares[1 : len(task.matches)]
    ]
    fields = [c.field for c in task.comparisons]
    m = [
        _as_wrong(errs_as(c, x, m, fields), c.as_wrong * _errors(c, m, fields) * u)
        for c, x, u in zip(task.comparisons, m, task.observed, strict=True)
    ]
    column = {kind.name: k for k, kind in enumerate(both, start=1)}
    ends = np.cumsum([len(c.levels) for c in task.comparisons])
    rows = [slice(end - len(c.levels), end) for c, end in zip(task.comparisons, ends, strict=True)]
    own = [
        _within(kind, task.comparisons[i], _normal(sums[rows[i], column[kind.name]], m[i]), m[i])
        for kind, i in task.shared()
    ]
    return np.concatenate([np.array(shares), *m, *own])


def _errors(comparison: Comparison, every: Sequence[FloatArray], fields: Sequence[str]) -> float:
    """How often the field that `comparison` is held against is wrong: outright, and no change."""
    if comparison.errs_as not in fields:
        return 0.0
    return max(float(every[fields.index(comparison.errs_as)][0]) - RENAMED, 0.0)


def errs_as(
    comparison: Comparison, m: FloatArray, every: list[FloatArray], fields: Sequence[str]
) -> FloatArray:
    """Bound how often a field of a match is outright different by how often another one is.

    A birth date that differs where all else agrees is an error or a son of the same name, and the
    pairs alone cannot tell which. Errors that no relative can explain can: a last name that
    differs between records of one first name and birth date shows how dirty the records are.
    """
    if comparison.errs_as not in fields:
        return m
    errors = _errors(comparison, every, fields)
    most = np.ones(len(m))
    nearly = float(m[1]) * min(errors / DIRTY, 1.0)
    most[0] = max(ERRS_TIMES * errors + nearly, comparison.least_errors)
    return _at_most(m, most)


def _as_wrong(m: FloatArray, wrong: FloatArray) -> FloatArray:
    """Lift what matches show to what errors alone explain: `wrong`, by level.

    Another's first name in the place of one's own is as different as strangers' first names are.
    """
    above = np.maximum(m - wrong, 0.0)
    return wrong + above * ((1 - float(wrong.sum())) / max(float(above.sum()), LEAST_U))


def _belief_in_relatives(task: _Task, m: list[FloatArray]) -> float:
    """How far the least shares of the kinds hold: all the way where records hardly err.

    Where they err often, many records can show that what looks like relatives are errors.
    """
    dirty = dirt(task.comparisons, m)
    return float((LEAST_RECORDS / (task.size + LEAST_RECORDS)) ** dirty)


def dirt(comparisons: Sequence[Comparison], m: Sequence[FloatArray]) -> float:
    """How dirty the records are, from 0 to 1, by the errors of matches that no relative explains.

    m: by comparison, how often matches fall on each level, the lowest first.
    """
    fields = [c.field for c in comparisons]
    errors = max((_errors(c, m, fields) for c in comparisons), default=0.0)
    return min(errors / DIRTY, 1.0)


def _without_matches(observed: FloatArray, m: FloatArray, same: float) -> FloatArray:
    """Random pairs hold a share `same` of matches, which weighs in small or repetitive data."""
    clean = np.maximum(observed - same * m, 0.02 * observed)
    return np.asarray(np.maximum(clean / clean.sum(), LEAST_U))


def _at_most(shares: FloatArray, most: FloatArray) -> FloatArray:
    """What the settings know to be rare stays rare; the rest goes to the lowest level, or, where
    that one is the rare one, to all others alike."""
    kept = np.minimum(shares, most)
    rest = shares.sum() - kept.sum()
    if kept[0] < most[0]:
        kept[0] += rest
    else:
        kept[1:] *= 1 + rest / max(float(kept[1:].sum()), LEAST_U)
    return np.asarray(kept)


def _within(
    kind: PairKind, comparison: Comparison, learned: FloatArray, m: FloatArray
) -> FloatArray:
    """What is learned of a field that such pairs share, within what the settings say of it."""
    told = {level: share for name, level, share in kind.told if name == comparison.field}
    if told:
        rest = (1 - sum(told.values())) / max(len(comparison.levels) - len(told), 1)
        return np.array([told.get(level.name, rest) for level in reversed(comparison.levels)])
    most = np.ones(len(m))
    if kind.akin < 1:
        most[-1] = kind.akin * m[-1]
    for name, level, share in kind.seldom:
        if name == comparison.field:
            places = [one.name for one in reversed(comparison.levels)]
            most[places.index(level)] = share
    return _at_most(learned, most)


def _first_shared(guess: FloatArray) -> FloatArray:
    """Sharing a field outright is a first guess of the sharing kinds."""
    spread = 0.5 * guess + 0.5 / len(guess)
    return np.asarray(spread / spread.sum())


def _normal(sums: FloatArray, guess: FloatArray, belief: float = GUESS_PAIRS) -> FloatArray:
    believed = sums + belief * guess
    return np.asarray(believed / believed.sum())
