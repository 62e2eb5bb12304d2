"""Calls of a language model: measured, and refused once the day's tokens are spent.

The example calls no model: `StandIn` answers in its place and says so. A real one is a class with the same `ask`.
"""

import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol

from prometheus_client import Gauge, Histogram

from shop import tracing
from shop.queue import Queue

DURATION = Histogram(
    "llm_request_duration_seconds",
    "Time the model takes to answer.",
    buckets=(0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 30, 45, 60, 120),
)
TODAY = Gauge("llm_tokens_today", "Tokens spent since midnight UTC.")
LIMIT = Gauge("llm_tokens_daily_limit", "Tokens that may be spent in a day.")


@dataclass(frozen=True)
class Answer:
    """What a model said, and what that cost."""

    text: str
    tokens: int


class Model(Protocol):
    """A language model."""

    async def ask(self, question: str) -> Answer:
        """Its answer."""
        ...


class StandIn:
    """No model at all: repeats the question. It counts a word as a token."""

    async def ask(self, question: str) -> Answer:
        """The question, with a remark that nobody has thought about it."""
        text = f"No model was asked: {question}"
        return Answer(text, len(question.split()) + len(text.split()))


class BudgetSpent(Exception):
    """Today's tokens are spent."""


class Metered:
    """A model within a budget. What is spent is kept in Redis: a restart must not give the day's tokens anew."""

    def __init__(self, model: Model, queue: Queue, daily_limit: int) -> None:
        self._model, self._queue, self._limit = model, queue, daily_limit
        LIMIT.set(daily_limit)

    async def ask(self, question: str) -> Answer:
        """The model's answer. Raises BudgetSpent."""
        today = datetime.now(UTC).date().isoformat()
        spent = await self._queue.count(f"llm-tokens:{today}", 0)
        TODAY.set(spent)
        if spent >= self._limit:
            raise BudgetSpent(f"{spent} tokens of {self._limit} are spent today")
        start = time.perf_counter()
        try:
            answer = await self._model.ask(question)
        finally:
            # A call that fails after a minute is what the alert must see.
            DURATION.observe(time.perf_counter() - start, tracing.exemplar())
        TODAY.set(await self._queue.count(f"llm-tokens:{today}", answer.tokens))
        return answer
