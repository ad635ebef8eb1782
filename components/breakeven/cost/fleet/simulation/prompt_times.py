"""What prompts of several lengths take on a replica."""

from __future__ import annotations

from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True, kw_only=True)
class PromptTimes:
    """Times of a replica for prompts of several lengths, of equal weight, in seconds.

    Attributes:
        alone: To the first token with nothing else in flight, in rising order.
        work: What each prompt adds to the steps of all.
        steps: In how many steps each is worked on.
        budget_share: Its tokens over those that a step may carry.
        decode_alone: A step with one request in flight.
        decode_full: A step with all slots taken.
        share_of_replicas: Replicas that work on prompts, of all, over 0 to 1.
    """

    alone: tuple[float, ...]
    work: tuple[float, ...]
    steps: tuple[int, ...]
    budget_share: tuple[float, ...]
    decode_alone: float
    decode_full: float
    share_of_replicas: float = 1.0

    def slower(self, factor: float) -> PromptTimes:
        """Returns the times of a replica that takes so many times as long."""
        return replace(
            self,
            alone=tuple(seconds * factor for seconds in self.alone),
            work=tuple(seconds * factor for seconds in self.work),
            decode_alone=self.decode_alone * factor,
            decode_full=self.decode_full * factor,
        )
