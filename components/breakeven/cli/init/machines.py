"""The machine of a new stack: its GPUs together hold a replica."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from breakeven.catalog.clouds import find_cloud
from breakeven.catalog.gpus import find_gpu
from breakeven.catalog.pool_kinds import EXISTING, default_pool_kind
from breakeven.catalog.price import PriceMissingError
from breakeven.cli.init.stack_answers import Answers, NewStackError
from breakeven.cli.prices.book import book_for_command, dated_book
from breakeven.cost.capacity.memory_fit import memory_fit, smallest_fits
from breakeven.cost.capacity.roofline import TENSOR_PARALLEL, Engine
from breakeven.settings.engine import EngineSettings

_OWN_GPUS = 8
"""GPUs of an owned server, the usual size."""

_OWN_GPU = "h100"


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """A node, and how many of its GPUs hold a replica; `instance_type` is empty for own nodes."""

    gpu: str
    gpus: int
    parallel: int
    instance_type: str


def rented(answers: Answers, today: date) -> list[tuple[Decimal, Machine]]:
    """Returns the cloud's machines whose GPUs together hold one replica, with their prices.

    Raises:
        NewStackError: There is none.
    """
    region = region_of(answers)
    book = dated_book(today, region)
    shapes = [
        shape
        for shape in book.machines(answers.where)
        if shape.gpu and _is_weighed(shape.gpu, answers)
    ]
    priced: list[tuple[Decimal, Machine]] = []
    there: set[str] = set()
    for shape in shapes:
        try:
            price = book.node(answers.where, region, shape.instance_type, "on-demand")
        except PriceMissingError:
            continue
        there.add(shape.gpu or "")
        if shape.gpu and _fits(answers, shape.gpu, shape.gpus):
            machine = Machine(
                gpu=shape.gpu,
                gpus=shape.gpus,
                parallel=shape.gpus,
                instance_type=shape.instance_type,
            )
            priced.append((price.usd, machine))
    if not priced:
        raise NewStackError(_none_fits(answers, region, sorted(there)))
    return priced


def _none_fits(answers: Answers, region: str, there: list[str]) -> str:
    """Returns the reason why no machine was found, and which would hold the model."""
    model, precision = answers.model, answers.model.checkpoint.precision
    which = f"{answers.gpu} is" if answers.gpu else "each is"
    priced = f" (GPUs there: {', '.join(there)})" if there and not answers.gpu else ""
    fits = smallest_fits(model, max_model_length=answers.max_length)
    return (
        f"{model.name} in {precision} does not fit any priced machine of {answers.where} "
        f"{region}: {which} too small, not supported by vLLM for this model, or not "
        f"available{priced}. "
        + _nearest(answers, region, fits)
        + "Choose another --gpu, --where or --model. `breakeven model` prints what a model needs"
    )


def _nearest(answers: Answers, region: str, fits: tuple[str, ...]) -> str:
    """Names machines that hold the model: with a price elsewhere, or else GPUs."""
    book = book_for_command()
    holds: dict[tuple[str, int], bool] = {}
    found = []
    for identifier, price in book.prices.items():
        kind, *place = identifier.split("/")
        if kind != "node" or len(place) != _PLACE or place[-1] != "on-demand":
            continue
        cloud, where, instance_type, _ = place
        shape = book.shapes.get((cloud, instance_type))
        if shape is None or shape.gpu is None or not _is_started(cloud, shape.gpu):
            continue
        gpus = (shape.gpu, shape.gpus)
        if gpus not in holds:
            holds[gpus] = _fits(answers, *gpus)
        if holds[gpus]:
            machine = f"{instance_type} ({shape.gpus} x {shape.gpu}) in {cloud} {where}"
            far = where.partition("-")[0] != region.partition("-")[0]
            found.append((cloud != answers.where, where != region, far, price.usd, machine))
    if found:
        return f"Nearest machine that holds it: {min(found)[-1]}. "
    return f"It fits: {', '.join(fits)}. " if fits else ""


_PLACE = 4  # cloud, region, machine type and purchase in the identifier of a node's price


def region_of(answers: Answers) -> str:
    """Returns the requested region, or the cloud's first.

    Raises:
        NewStackError: The region has no machine prices.
    """
    if not answers.region:
        return find_cloud(answers.where).first_region
    require_region(answers.where, answers.region)
    return answers.region


def require_region(where: str, region: str) -> None:
    """Checks that machines have a price there.

    Raises:
        NewStackError: None does.
    """
    priced = book_for_command().regions_of(where)
    if region not in priced:
        msg = (
            f'--region: found "{region}", but the price book has no machine prices of {where} '
            f"there. Allowed: {', '.join(priced)}. To add another region, run `breakeven prices "
            "refresh --region`"
        )
        raise NewStackError(msg)


def _is_started(cloud: str, gpu: str) -> bool:
    """Tells whether the pool kind that `init` uses there has nodes with a GPU."""
    kind, found = default_pool_kind(cloud), find_gpu(gpu)
    return kind is EXISTING or (found.vendor == "nvidia" and kind.accepts_gpu(found))


def _is_weighed(gpu: str, answers: Answers) -> bool:
    """For a requested GPU, the checks of the settings report why it is rejected."""
    if answers.gpu:
        return gpu == answers.gpu
    return _is_started(answers.where, gpu)


def own_machine(answers: Answers) -> Machine:
    """Returns an owned server, with the fewest of its GPUs that hold a replica.

    Raises:
        NewStackError: All of them together do not.
    """
    gpu = answers.gpu or _OWN_GPU
    part = find_gpu(gpu)
    gpus, most = (_OWN_GPUS * part.parts, 1) if part.profile else (_OWN_GPUS, _OWN_GPUS)
    for parallel in TENSOR_PARALLEL:
        if parallel <= most and _fits(answers, gpu, parallel):
            return Machine(gpu=gpu, gpus=gpus, parallel=parallel, instance_type="")
    fits = smallest_fits(answers.model, max_model_length=answers.max_length)
    would = f"It fits: {', '.join(fits)}. " if fits else ""
    msg = (
        f"{answers.model.name} in {answers.model.checkpoint.precision} does not fit {most} x "
        f"{gpu}. {would}Choose another --gpu or --model. `breakeven model` prints what a model "
        "needs"
    )
    raise NewStackError(msg)


def _fits(answers: Answers, gpu: str, gpus: int) -> bool:
    model, length = answers.model, answers.max_length
    part = find_gpu(gpu)
    return (
        gpus in TENSOR_PARALLEL
        and model.runs_on(part, model.checkpoint.precision)
        and model.splits_over(gpus)
        and memory_fit(
            Engine(
                model=model,
                precision=model.checkpoint.precision,
                gpu=part,
                tensor_parallel=gpus,
            ),
            gpu_memory_utilization=float(EngineSettings().gpu_memory_utilization),
            max_model_length=length,
            request_tokens=length,
        ).fits
    )
