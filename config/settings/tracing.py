"""Traces: to whom they are told, and of which requests. OpenTelemetry's own variables say so."""

from django.core.exceptions import ImproperlyConfigured

from config.settings.environment import env

__all__ = ["TRACES_ENDPOINT", "TRACES_OF_KEYS", "TRACES_RATIO"]

_ON = not env.bool("OTEL_SDK_DISABLED", default=False)
# The SDK reads it, and how the collector is reached, by itself; without one nothing is recorded.
TRACES_ENDPOINT: str = (
    env.str("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", default="")
    or env.str("OTEL_EXPORTER_OTLP_ENDPOINT", default="")
    if _ON
    else ""
)
# Which requests: one of so many by chance, and whether a server key that sends `traceparent` decides of its own.
_SAMPLERS = {
    "always_on": (1.0, False),
    "always_off": (0.0, False),
    "traceidratio": (None, False),
    "parentbased_always_on": (1.0, True),
    "parentbased_always_off": (0.0, True),
    "parentbased_traceidratio": (None, True),
}
_sampler = env.str("OTEL_TRACES_SAMPLER", default="") or "parentbased_traceidratio"
if _sampler not in _SAMPLERS:
    raise ImproperlyConfigured(f"OTEL_TRACES_SAMPLER takes one of {', '.join(_SAMPLERS)}.")
_ratio, _hears_keys = _SAMPLERS[_sampler]
TRACES_RATIO: float = (
    float(env.str("OTEL_TRACES_SAMPLER_ARG", default="") or 0.01) if _ratio is None else _ratio
)
if not 0 <= TRACES_RATIO <= 1:
    raise ImproperlyConfigured("OTEL_TRACES_SAMPLER_ARG takes a share from 0 to 1.")
# How many requests a second a process records because a server key says so: a studio pays for no collector of ours.
TRACES_OF_KEYS: int = env.int("TRACES_OF_KEYS_A_SECOND", default=10) if _hears_keys else 0
