"""Who looks for whom: what the database tells of requests and mentors, as the engine's arrays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

import numpy as np

from mentor_sync.matching.arrays import Ints, ints
from mentor_sync.matching.postings import Postings
from mentor_sync.matching.rules import Pairs, Requirement, Rules
from mentor_sync.matching.scorer import Scorer
from mentor_sync.matching.weights import FACTORS, Weights

Page = dict[str, Any]
"""An answer of requests_to_match, mentors_to_match, or those with _assign."""

_QUARTERS = 96
"""Time zones lie on quarters of an hour, and go round."""
_NOWHERE = -1
"""Where nobody is: for students who ask for a near time zone and have none."""


@dataclass(frozen=True)
class Requests:
    """Open requests, those that wait longest first; parallel lists.

    Where students are assigned, by student, and with those who did not ask.
    """

    ids: list[str | None]
    students: list[str]
    names: list[str]
    days: list[int]
    languages: list[list[str]]
    hours: list[int | None]
    zones: list[float | None]
    wanted: list[str | None]
    """The one mentor whom the student asks, if any."""
    rules: list[str | None]
    """And what keeps the two apart."""
    forbidden: tuple[Ints, list[str]]
    hashes: Ints
    postings: Postings

    @classmethod
    def of(cls, pages: Sequence[Page]) -> Requests:
        """From the answers of requests_to_match or students_to_assign, in order."""
        return cls(
            ids=_listed(pages, "requests"),
            students=_listed(pages, "students"),
            names=_listed(pages, "names"),
            days=_listed(pages, "days"),
            languages=_listed(pages, "languages"),
            hours=_listed(pages, "hours"),
            zones=_listed(pages, "zones"),
            wanted=_listed(pages, "wanted"),
            rules=_listed(pages, "rules"),
            forbidden=_forbidden(pages),
            hashes=ints(_listed(pages, "hashes")),
            postings=_postings(pages),
        )

    def __len__(self) -> int:
        return len(self.ids)


@dataclass(frozen=True)
class Mentors:
    """Mentors who may be offered students, or have seats, by id; parallel lists."""

    ids: list[str]
    names: list[str]
    quotas: Ints
    """Offers, or seats, that each may still get."""
    languages: list[list[str]]
    zones: list[float | None]
    hashes: Ints
    postings: Postings

    @classmethod
    def of(cls, pages: Sequence[Page]) -> Mentors:
        """From the answers of mentors_to_match or mentors_to_assign, in order."""
        return cls(
            ids=_listed(pages, "mentors"),
            names=_listed(pages, "names"),
            quotas=ints(_listed(pages, "quotas")),
            languages=_listed(pages, "languages"),
            zones=_listed(pages, "zones"),
            hashes=ints(_listed(pages, "hashes")),
            postings=_postings(pages),
        )

    def __len__(self) -> int:
        return len(self.ids)


@dataclass(frozen=True)
class Pool:
    """Both sides."""

    requests: Requests
    mentors: Mentors

    def scorer(self, settings: Page) -> Scorer:
        """By the answer of matching_settings."""
        weights = Weights.of(settings["version"], settings["weights"])
        return Scorer(self.requests.postings, self.mentors.postings, weights)

    def asked(self) -> Ints:
        """The place of the mentor whom each student asks; -1: anybody, or none who may be asked."""
        places = {mentor: place for place, mentor in enumerate(self.mentors.ids)}
        requests = self.requests
        return ints(
            [
                places.get(wanted, -1) if wanted and not rule else -1
                for wanted, rule in zip(requests.wanted, requests.rules, strict=True)
            ]
        )

    def asks_anybody(self) -> Ints:
        """1 for each student who asks for no mentor in particular, otherwise 0."""
        return ints([wanted is None for wanted in self.requests.wanted])

    def rules(self) -> Rules:
        """What the engine has to keep to; what concerns a mentor alone the pages keep to."""
        return Rules(self._forbidden(), [self._languages(), self._zones()])

    def wishes(self) -> Requirement:
        """Who asks one mentor takes nobody else."""
        places = {mentor: place for place, mentor in enumerate(self.mentors.ids)}
        wanted = [
            [] if mentor is None else [places.get(mentor, _NOWHERE)]
            for mentor in self.requests.wanted
        ]
        own = np.arange(len(self.mentors))
        return Requirement(_flat(wanted), (own, own), len(self.requests), len(self.mentors))

    def _forbidden(self) -> Pairs:
        places = {mentor: place for place, mentor in enumerate(self.mentors.ids)}
        request, mentors = self.requests.forbidden
        mentor = ints([places.get(one, -1) for one in mentors])
        return Pairs.of(request[mentor >= 0], mentor[mentor >= 0])

    def _languages(self) -> Requirement:
        codes: dict[str, int] = {}
        return Requirement(
            _numbered(self.requests.languages, codes),
            _numbered(self.mentors.languages, codes),
            len(self.requests),
            len(self.mentors),
        )

    def _zones(self) -> Requirement:
        near = [
            _near(zone, hours)
            for zone, hours in zip(self.requests.zones, self.requests.hours, strict=True)
        ]
        own = [[] if zone is None else [_quarter(zone)] for zone in self.mentors.zones]
        return Requirement(_flat(near), _flat(own), len(self.requests), len(self.mentors))


def _listed(pages: Sequence[Page], name: str) -> list[Any]:
    return list(chain.from_iterable(page[name] for page in pages))


def _postings(pages: Sequence[Page]) -> Postings:
    counts = ints(_listed(pages, "counts"))
    words = " ".join(page["terms"] for page in pages if page["terms"])
    packed = np.fromstring(words, np.int64, sep=" ") if words else np.empty(0, np.int64)
    term, factor = np.divmod(packed, len(FACTORS))
    return Postings(np.repeat(np.arange(len(counts)), counts), factor, term, len(counts))


def _forbidden(pages: Sequence[Page]) -> tuple[Ints, list[str]]:
    """Places of requests in all pages, and mentors."""
    before = np.cumsum([0, *(len(page["requests"]) for page in pages)])
    places = [
        ints(page["forbidden"]["places"]) + begin
        for page, begin in zip(pages, before[:-1], strict=True)
    ]
    mentors = list(chain.from_iterable(page["forbidden"]["mentors"] for page in pages))
    return np.concatenate([np.empty(0, np.int64), *places]), mentors


def _numbered(lists: list[list[str]], codes: dict[str, int]) -> tuple[Ints, Ints]:
    """People and their languages as numbers, parallel; new languages get the next ones."""
    return _flat([[codes.setdefault(code, len(codes)) for code in codes_of] for codes_of in lists])


def _flat(lists: list[list[int]]) -> tuple[Ints, Ints]:
    lengths = ints([len(values) for values in lists])
    return np.repeat(np.arange(len(lists)), lengths), ints(list(chain.from_iterable(lists)))


def _quarter(zone: float) -> int:
    return round(zone * 4) % _QUARTERS


def _near(zone: float | None, hours: int | None) -> list[int]:
    """The quarters that are at the most so many hours off; none: everywhere."""
    if hours is None:
        return []
    if zone is None:
        return [_NOWHERE]
    middle, reach = _quarter(zone), min(4 * hours, _QUARTERS // 2)
    return sorted({(middle + step) % _QUARTERS for step in range(-reach, reach + 1)})
