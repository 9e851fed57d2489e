"""Sends the marked stream and follows it: asks each back end until it is there, or time is up."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from otel_stream.pipeline.answer import Unreachable
from otel_stream.pipeline.collector import Account, Collector
from otel_stream.pipeline.diagnosis import Situation, Tier, problems
from otel_stream.pipeline.hop import Hop, Look, Part, Report
from otel_stream.pipeline.marked import SERVICE, mark
from otel_stream.pipeline.otlp import UNREADABLE
from otel_stream.pipeline.places import Place, Series
from otel_stream.pipeline.sending import Sender
from otel_stream.pipeline.sent import Sent

__all__ = ["Check"]

PATIENCE = 10.0
"""Seconds that a back end is waited for which does not answer at all."""
_SHORTEST, _LONGEST = 0.1, 1.0
"""Seconds between two rounds of questions: more often at first, when most arrives."""

Tell = Callable[[list[Part], float], None]
"""Is told before each pause what is waited for, and since when (s)."""


class Check:
    """One check.

    Args:
        places: The back ends to ask.
        agent: The agent's own account, if it can be asked.
        gateways: Those of the gateways.
        wait: Seconds that the stream may take.
        clock: Monotonic seconds.
        pause: Waits so many seconds.
        tell: Hears how it goes.
    """

    def __init__(
        self,
        places: Sequence[Place],
        agent: Collector | None = None,
        gateways: Sequence[Collector] = (),
        *,
        wait: float = 60.0,
        clock: Callable[[], float] = time.monotonic,
        pause: Callable[[float], None] = time.sleep,
        tell: Tell = lambda waiting, seconds: None,
    ) -> None:
        self._places = places
        self._agent = agent
        self._gateways = gateways
        self._wait = wait
        self._clock = clock
        self._pause = pause
        self._tell = tell
        self._looks: dict[Part, Look] = {}
        self._silent: dict[str, tuple[float, str]] = {}
        """Places that do not answer: since when, and what is wrong."""

    def run(self, sender: Sender) -> Report:
        """Send, follow, and say what was found. Raises nothing on account of that."""
        for place in self._places:
            self._asked(place.name, place.begin)
        collectors = [*([self._agent] if self._agent else []), *self._gateways]
        before = {each.name: _account(each) for each in collectors}
        marked = mark()
        sent = Sent.of(marked)
        hops = sender.send(marked)
        began = self._clock()
        taken = {hop.part for hop in hops if hop.fine}
        hops += self._follow(sent, taken, began)
        tiers = [self._tier(each, before[each.name]) for each in collectors]
        found = self._situation(hops, tiers)
        return Report(
            arrived=all(hop.fine for hop in hops),
            service=SERVICE,
            instance=sent.instance,
            trace_id=sent.trace_id,
            seconds=round(self._clock() - began, 3),
            hops=hops,
            problems=problems(hops, found),
        )

    # --- following ---------------------------------------------------------------------------

    def _follow(self, sent: Sent, taken: set[str], began: float) -> list[Hop]:
        self._silent = {name: (began, why) for name, (_, why) in self._silent.items()}
        ways = [(place, part) for place in self._places for part in place.parts]
        waiting = [(place, part) for place, part in ways if part.signal in taken]
        arrived: dict[Part, float] = {}
        interval = _SHORTEST
        while True:
            for place, part in waiting:
                if self._look(place, part, sent).whole:
                    arrived[part] = self._clock() - began
            now = self._clock()
            waiting = [
                (place, part)
                for place, part in waiting
                if part not in arrived and now - self._silent_since(place, now) < PATIENCE
            ]
            left = began + self._wait - now
            if not waiting or left <= 0:
                break
            self._tell([part for _, part in waiting], now - began)
            self._pause(min(interval, left))
            interval = min(interval * 1.5, _LONGEST)
        return [self._hop(place, part, arrived.get(part), taken) for place, part in ways]

    def _silent_since(self, place: Place, now: float) -> float:
        return self._silent.get(place.name, (now, ""))[0]

    def _look(self, place: Place, part: Part, sent: Sent) -> Look:
        look = self._asked(place.name, lambda: place.look(sent, part))
        if look is None:
            return Look(0, 1)
        self._looks[part] = look
        return look

    def _asked(self, name: str, ask: Callable[[], Look | None]) -> Look | None:
        """The answer. What is wrong with it, if something is, is noted."""
        try:
            answer = ask()
        except Unreachable as error:
            wrong = str(error)
        except UNREADABLE as error:
            wrong = f"its answer is not understood ({type(error).__name__}: {error})"
        else:
            self._silent.pop(name, None)
            return answer
        self._silent.setdefault(name, (self._clock(), wrong))
        return None

    def _hop(self, place: Place, part: Part, seconds: float | None, taken: set[str]) -> Hop:
        look = self._looks.get(part, Look(0, 0))
        told = (look.found, look.expected, look.detail)
        where = (place.name, place.where, part.what)
        if seconds is not None:
            return Hop(*where, "arrived", round(seconds, 3), *told)
        if part.signal not in taken:
            return Hop(*where, "not sent")
        if place.name in self._silent:
            return Hop(*where, "unreachable", None, look.found, look.expected,
                       self._silent[place.name][1])  # fmt: skip
        return Hop(*where, "differs" if look.found or look.detail else "missing", None, *told)

    # --- why -----------------------------------------------------------------------------------

    def _tier(self, collector: Collector, before: Account | str | None) -> Tier:
        now = _account(collector)
        if isinstance(now, Account) and isinstance(before, Account):
            return Tier(collector.name, collector.where, now, now.since(before))
        wrong = next((each for each in (now, before) if isinstance(each, str)), "")
        return Tier(collector.name, collector.where, wrong=wrong)

    def _situation(self, hops: list[Hop], tiers: list[Tier]) -> Situation:
        agent = tiers.pop(0) if self._agent else None
        health = ""
        if self._agent is not None and self._agent.health and not all(h.fine for h in hops):
            health = "it is well"
            try:
                self._agent.check_health()
            except Unreachable as error:
                health = str(error)
        targets = None
        for place in self._places:
            if isinstance(place, Series) and any(not h.fine for h in hops if h.place == place.name):
                targets = _targets(place)
        return Situation(agent, tiers, targets, health, self._wait)


def _account(collector: Collector) -> Account | str | None:
    """The account, or why there is none."""
    if not collector.telemetry:
        return None
    try:
        return collector.account()
    except Unreachable as error:
        return str(error)


def _targets(place: Series) -> list[dict[str, object]] | None:
    try:
        return [dict(each) for each in place.prometheus.targets()]
    except (Unreachable, *UNREADABLE):
        return None
