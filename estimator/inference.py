"""What a request costs: base model with a long prompt, tuned model with a short one, GPUs of our own.

Sources: cost reference, section 5. Serving capacity is modelled from first principles and held against published
saturated measurements (engines since vLLM 0.6): they fall within x/÷ 1.6 of it.
"""

from dataclasses import dataclass, replace
from decimal import Decimal
from math import exp
from typing import Final

from estimator.figures import Figure, Term, assumed, ceiling, greatest, modelled, total

HOURS_PER_MONTH: Final = 730

_CACHE_MINIMUM: Final = 1_024
_CACHE_STEP: Final = 128
_PREFILL_UTILISATION: Final = "0.45"
_DECODE_UTILISATION: Final = "0.16"
_CAPACITY_SOURCE: Final = (
    "fit to saturated rows of published serving throughput, within x/÷ 1.6 (cost reference, section 5)"
)


def cached_tokens(prefix_tokens: int) -> int:
    """How much of a repeated prefix a provider bills at its cached rate: from 1,024 tokens on, in steps of 128."""
    if prefix_tokens < _CACHE_MINIMUM:
        return 0
    return prefix_tokens // _CACHE_STEP * _CACHE_STEP


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenRates:
    """USD per 1M tokens. A cached rate that is not offered equals the input rate."""

    input: Figure
    cached_input: Figure
    output: Figure


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """An average request: prompt and output tokens, and how many prompt tokens are billed as cached."""

    prompt_tokens: Figure
    cached_tokens: Figure
    output_tokens: Figure


@dataclass(frozen=True, slots=True, kw_only=True)
class Fleet:
    """GPUs that run all month, whatever they are asked: no fewer than `least`, each good for `capacity` requests.

    `usd_per_gpu` by the month; `operations` in USD a month, however many run.
    """

    least: Figure
    capacity: Figure
    usd_per_gpu: Figure
    operations: Figure


@dataclass(frozen=True, slots=True, kw_only=True)
class ServingOption:
    """One way to serve. `monthly` = `fixed_month` + requests x `per_request`, all USD; None values mean unknown.

    Where a `fleet` serves, `fixed_month` pays the `gpus` that the brief's requests need.
    """

    key: str
    name: str
    fixed_month: Figure
    per_request: Figure
    monthly: Figure
    gpus: Figure | None = None
    fleet: Fleet | None = None
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class BreakEven:
    """From how many `requests` per month on the `second` way is the cheaper one; None where it never is."""

    first: str
    second: str
    requests: Figure


def average_request(key: str, *, prompt: Figure, output: Figure, prefix: Figure, hit_rate: Figure) -> Request:
    """A request whose prefix is cached with a hit rate (0 to 1), by the rule of `cached_tokens`."""
    billed = modelled(
        f"{key}.cached_prefix",
        cached_tokens(int(prefix.require())),
        "tokens",
        source="prompt caching rule, 1,024 + n x 128",
        inputs=(prefix,),
    )
    return Request(
        prompt_tokens=prompt,
        cached_tokens=(billed * hit_rate).named(f"{key}.cached", "tokens", "Cached prompt tokens"),
        output_tokens=output,
    )


def request_cost(rates: TokenRates, request: Request) -> Term:
    """USD for one request."""
    fresh = request.prompt_tokens - request.cached_tokens
    parts = [fresh * rates.input, request.cached_tokens * rates.cached_input, request.output_tokens * rates.output]
    return total(parts) / 1_000_000


def break_even_output_tokens(
    base: TokenRates, tuned: TokenRates, base_request: Request, tuned_request: Request
) -> Term:
    """Output tokens below which the tuned model is cheaper: (prompt cost base - prompt cost tuned) / (price gap)."""
    base_prompt = (base_request.prompt_tokens - base_request.cached_tokens) * base.input
    base_prompt = base_prompt + base_request.cached_tokens * base.cached_input
    tuned_prompt = (tuned_request.prompt_tokens - tuned_request.cached_tokens) * tuned.input
    tuned_prompt = tuned_prompt + tuned_request.cached_tokens * tuned.cached_input
    return (base_prompt - tuned_prompt) / (tuned.output - base.output)


def gpu_seconds_per_request(
    key: str, *, active_params_b: Figure, peak_tflops: Figure, request: Request, adapter_penalty: Figure
) -> Figure:
    """GPU time one request takes on a busy GPU: 2N FLOPs a token, prefill and decode at their own utilisation.

    An adapter that is not merged into its base slows serving by `adapter_penalty` (0 to 0.5; 0.25 unless known).
    """
    prefill = assumed(f"{key}.prefill_utilisation", _PREFILL_UTILISATION, "share of peak", source=_CAPACITY_SOURCE)
    decode = assumed(f"{key}.decode_utilisation", _DECODE_UTILISATION, "share of peak", source=_CAPACITY_SOURCE)
    flops = 2 * active_params_b / 1_000
    busy = (request.prompt_tokens / prefill + request.output_tokens / decode) * flops / peak_tflops
    return (busy / (1 - adapter_penalty)).named(f"{key}.gpu_seconds", "s", "GPU seconds per request")


def gpu_capacity(key: str, *, gpu_seconds: Figure, utilisation: Figure) -> Figure:
    """Requests a month that one GPU serves while its paid time is used to `utilisation` (0 to 1)."""
    capacity = HOURS_PER_MONTH * 3_600 * utilisation / gpu_seconds
    return capacity.named(f"{key}.capacity", "requests per month", "What one GPU serves")


def gpus_needed(key: str, *, requests: Figure, fleet: Fleet) -> Figure:
    """GPUs for a month of requests."""
    return greatest(ceiling(requests / fleet.capacity), fleet.least).named(f"{key}.gpus", "GPUs", "GPUs that serve")


def usd_per_mtok_output(hourly_usd: float, gpus: int, tokens_per_s: float, utilisation: float) -> float:
    """USD per 1M output tokens of GPUs that produce `tokens_per_s` together while busy a share of the time."""
    assert 0 < utilisation <= 1, "utilisation lies above 0 and at most at 1"
    return hourly_usd * gpus / (3_600 * tokens_per_s * utilisation) * 1_000_000


def saturating_tokens_per_s(concurrency: int, *, single_stream: float, maximum: float) -> float:
    """Output tokens per second of all streams: rises as one stream's speed x streams, levels off at the maximum."""
    return maximum * (1 - exp(-concurrency * single_stream / maximum))


def per_token_option(
    key: str, name: str, *, rates: TokenRates, request: Request, requests: Figure, fixed: Figure
) -> ServingOption:
    """Serving billed by the token, with or without a monthly fee for being deployed."""
    per_request = request_cost(rates, request).named(f"{key}.per_request", "USD", f"{name}: one request")
    monthly = (fixed + requests * per_request).named(f"{key}.monthly", "USD", f"{name}: one month")
    return ServingOption(key=key, name=name, fixed_month=fixed, per_request=per_request, monthly=monthly)


def gpu_option(key: str, name: str, *, requests: Figure, fleet: Fleet, note: str = "") -> ServingOption:
    """Serving on GPUs that run all month, whatever they are asked; as many as the requests need."""
    gpus = gpus_needed(key, requests=requests, fleet=fleet)
    fixed = (gpus * fleet.usd_per_gpu + fleet.operations).named(f"{key}.fixed_month", "USD", f"{name}: GPUs")
    nothing = assumed(f"{key}.per_request", 0, "USD", source="a running GPU costs the same busy or idle")
    monthly = (fixed + 0).named(f"{key}.monthly", "USD", f"{name}: one month")
    return ServingOption(
        key=key, name=name, fixed_month=fixed, per_request=nothing, monthly=monthly, gpus=gpus, fleet=fleet, note=note
    )


def break_even(key: str, first: ServingOption, second: ServingOption) -> BreakEven:
    """Requests a month from which the option with the higher fixed cost is the cheaper one; unknown if never."""
    higher, lower = (first, second) if _fixed(first) >= _fixed(second) else (second, first)
    requests = covering_requests(
        key,
        fixed=0 - lower.fixed_month,
        gain=(lower.per_request - higher.per_request).named(f"{key}.gain", "USD", "Saved per request"),
        option=higher,
        label=f"{higher.name} becomes cheaper than {lower.name}",
    )
    return BreakEven(first=lower.name, second=higher.name, requests=requests)


def covering_requests(key: str, *, fixed: Term, gain: Figure, option: ServingOption | None, label: str) -> Figure:
    """Requests a month whose `gain` pays for a `fixed` sum and for the option's own fixed cost; unknown if none do.

    A fleet grows with the requests: n GPUs are enough from n = (fixed + operations) / (gain x capacity - USD per GPU)
    on, and the smallest such n pays for itself first.
    """
    if option is None or option.fleet is None:
        crossing, spare = (fixed + option.fixed_month if option else fixed) / gain, gain + 0
    else:
        fleet, owed = option.fleet, fixed + option.fleet.operations
        spare = gain * fleet.capacity - fleet.usd_per_gpu
        gpus = greatest(fleet.least, ceiling(owed / spare)).named(f"{key}.gpus", "GPUs", "GPUs at that volume")
        crossing = (owed + gpus * fleet.usd_per_gpu) / gain
    never = any(term.value is not None and term.value <= 0 for term in (spare, crossing))
    if never:
        crossing = replace(crossing, value=None)
    return crossing.named(key, "requests per month", label, note="no number of requests is enough" if never else "")


def _fixed(option: ServingOption) -> Decimal:
    return option.fixed_month.value if option.fixed_month.value is not None else Decimal(0)
