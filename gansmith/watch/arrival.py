"""When the budget will be spent."""


class Arrival:
    """Estimates the time that is left from the throughput since warm-up, with old measurements fading.

    The first observations are not counted: they hold compilation, allocation and the filling of caches.
    """

    def __init__(self, warm_up_observations: int = 3, warm_up_seconds: float = 2.0, half_life: float = 30.0) -> None:
        self.warm_up_observations, self.warm_up_seconds = warm_up_observations, warm_up_seconds
        self.half_life = half_life
        """Seconds of training after which a measurement counts half."""
        self._observations = 0
        self._began = 0.0
        self._samples, self._seconds = 0.0, 0.0
        self._last: tuple[float, float] | None = None

    def observe(self, samples: float, seconds: float) -> None:
        """Samples seen and seconds of training so far; a run that was rolled back may report fewer than before."""
        if not self._observations:
            self._began = seconds
        self._observations += 1
        if self._observations < self.warm_up_observations or seconds - self._began < self.warm_up_seconds:
            return
        if self._last is not None and samples > self._last[0] and seconds > self._last[1]:
            fresh_samples, fresh_seconds = samples - self._last[0], seconds - self._last[1]
            faded = 0.5 ** (fresh_seconds / self.half_life)
            self._samples = self._samples * faded + fresh_samples
            self._seconds = self._seconds * faded + fresh_seconds
        if self._last is None or samples != self._last[0]:
            self._last = samples, seconds

    @property
    def rate(self) -> float | None:
        """Samples per second, or None while nothing is known since warm-up."""
        return self._samples / self._seconds if self._seconds else None

    def left(self, total: float | None) -> float | None:
        """Seconds until `total` samples are seen, or None while that is unknown."""
        if total is None or self.rate is None or self._last is None:
            return None
        return max(0.0, total - self._last[0]) / self.rate
