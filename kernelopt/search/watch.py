"""A handle by which a command line looks at a running search."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from kernelopt.search.budget import Budget, Meter, Used
from kernelopt.search.progress import Progress


@dataclass(slots=True)
class Watch:
    """Made by whoever starts a search; filled by the search."""

    begun: Callable[[], None] = lambda: None
    """Called once nothing can be refused any more and the run exists."""
    progress: Progress = field(default_factory=Progress)
    meter: Meter | None = None
    run_folder: str = ""

    def used(self) -> Used:
        """What has been used so far."""
        return self.meter.used() if self.meter else Used()

    def budget(self) -> Budget:
        """The limits."""
        return self.meter.budget if self.meter else Budget()
