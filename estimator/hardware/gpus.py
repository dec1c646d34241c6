"""GPUs by name: memory, bandwidth, peak, and how they reach each other."""

import re
import tomllib
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Final, NotRequired, TypedDict, cast

from estimator.errors import UnknownName

_CATALOGUE: Final = Path(__file__).with_name("gpus.toml")
_ADD: Final = "add vram_gb, memory bandwidth and dense bf16 TFLOPs of the card to estimator/hardware/gpus.toml"

# Share of the dense peak that a large matrix product reaches where nobody measured it: between the 0.80 (H100) and
# 0.86 (A100) of the MAMF table of stas00/ml-engineering.
_REACHABLE: Final = 0.83


class Link(StrEnum):
    """How GPUs of one server exchange tensors."""

    NVLINK = "nvlink"
    PCIE = "pcie"


@dataclass(frozen=True, slots=True, kw_only=True)
class Gpu:
    """One card. `visible_gib` is what a run can use of `vram_gb`; None is unknown.

    `measured`: training speeds measured on this kind of card are part of the calibration.
    `unconfirmed`: the peak was not checked against the vendor's sheet.
    """

    name: str
    vram_gb: float
    visible_gib: float
    hbm_gb_s: float | None = None
    bf16_tflops: float | None = None
    matmul_tflops: float | None = None
    link: Link = Link.PCIE
    link_gb_s: float = 64.0
    measured: bool = False
    unconfirmed: bool = False
    source: str = ""
    as_of: str = ""
    note: str = ""

    @property
    def reachable_tflops(self) -> float | None:
        """What a large bf16 matrix product reaches: measured where known, else 0.83 of the dense peak."""
        if self.matmul_tflops is not None or self.bf16_tflops is None:
            return self.matmul_tflops
        return _REACHABLE * self.bf16_tflops


def find_gpu(name: str) -> Gpu:
    """The card of that name in any case and spacing; a short form that fits several says in `note` which it took.

    Raises UnknownName with the names that come close and what to add.
    """
    key = _key(name)
    if found := _named().get(key):
        return _catalogue()[found]
    if found := _short_forms().get(key):
        gpu = _catalogue()[found]
        reading = f"{name!r} read as {gpu.name}, the commonest variant"
        return replace(gpu, note=f"{reading}; {gpu.note}" if gpu.note else reading)
    spelt = [spelling for row in _rows() for spelling in (row["name"], *row.get("short_forms", []))]
    raise UnknownName("gpu", name, known=spelt, add=_ADD)


def known_gpus() -> tuple[str, ...]:
    """The names of `gpus.toml`, in its order."""
    return tuple(_catalogue())


class _Row(TypedDict):
    name: str
    aliases: NotRequired[list[str]]
    short_forms: NotRequired[list[str]]
    vram_gb: float
    visible_gib: float
    hbm_gb_s: NotRequired[float]
    bf16_tflops: NotRequired[float]
    matmul_tflops: NotRequired[float]
    link: str
    link_gb_s: float
    measured: NotRequired[bool]
    unconfirmed: NotRequired[bool]
    source: str
    as_of: str
    note: NotRequired[str]


@cache
def _rows() -> list[_Row]:
    with _CATALOGUE.open("rb") as file:
        return cast("list[_Row]", tomllib.load(file)["gpu"])


@cache
def _catalogue() -> dict[str, Gpu]:
    return {row["name"]: _gpu(row) for row in _rows()}


@cache
def _named() -> dict[str, str]:
    return {_key(name): row["name"] for row in _rows() for name in (row["name"], *row.get("aliases", []))}


@cache
def _short_forms() -> dict[str, str]:
    return {_key(name): row["name"] for row in _rows() for name in row.get("short_forms", [])}


def _gpu(row: _Row) -> Gpu:
    return Gpu(
        name=row["name"], vram_gb=row["vram_gb"], visible_gib=row["visible_gib"], hbm_gb_s=row.get("hbm_gb_s"),
        bf16_tflops=row.get("bf16_tflops"), matmul_tflops=row.get("matmul_tflops"), link=Link(row["link"]),
        link_gb_s=row["link_gb_s"], measured=row.get("measured", False), unconfirmed=row.get("unconfirmed", False),
        source=row["source"], as_of=row["as_of"], note=row.get("note", ""),
    )  # fmt: skip


def _key(name: str) -> str:
    """Letters and digits alone, without maker and product line: `NVIDIA A100 80 GB` and `a100-80gb` are one."""
    return re.sub(r"[^a-z0-9]|nvidia|tesla|geforce", "", name.lower())
