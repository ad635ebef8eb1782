"""From a few answers to the settings of a new stack: a machine that holds the model, and enough."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import date
from types import MappingProxyType

import yaml

from breakeven.catalog.clouds import find_cloud
from breakeven.catalog.gpus import find_gpu
from breakeven.catalog.pool_kinds import EXISTING, default_pool_kind
from breakeven.cli.init.machines import LONGEST_REQUEST, Machine, own_machine, region_of, rented
from breakeven.cli.init.stack_answers import Answers, NewStackError, Where
from breakeven.cost.fleet.plan import units_needed
from breakeven.planning.demand import capacity_of, demand_of
from breakeven.planning.inputs import assumptions_of
from breakeven.settings.files import PREFIX, defaults, stack_names, stack_values, wire
from breakeven.settings.parse import MOST_REPLICAS, parse

Values = dict[str, object]

_KEYS: Mapping[str, str] = MappingProxyType(
    {
        "karpenter.nodeRole": "karpenterNodeRole",
        "karpenter.discoveryTag": "karpenterDiscoveryTag",
    }
)
"""Keys of the settings that pool kinds give a new stack."""

_SERVER_WATTS = 1.15
"""Draw of a server at the wall over that of its GPUs' boards at full power: an assumption."""


def values_of(answers: Answers, today: date) -> Values:
    """Returns the settings of a stack that can be previewed, by key without prefix.

    Raises:
        NewStackError: No machine there holds the model and serves its peak minute, the commit of
            its weights is not known, or a price has no meaning there.
        SettingsError: The answers do not go together; all mistakes are named.
    """
    if answers.region and answers.where is Where.OWN:
        msg = f"--region {answers.region} with --where own, which has none. Leave it out"
        raise NewStackError(msg)
    if answers.node_price is not None and answers.where is not Where.OWN:
        msg = (
            f"--node-price {answers.node_price} with --where {answers.where}, whose machines have "
            "the price of the book. Leave it out, or choose --where own"
        )
        raise NewStackError(msg)
    weights = _weights(answers)
    if answers.where is Where.OWN:
        values = _composed(answers, weights, own_machine(answers), today)
    else:
        values = _cheapest(answers, weights, today)
    settings, reader = parse(_wired(values))
    assumptions_of(answers.name, settings, reader, today)
    declared = defaults()
    return {key: value for key, value in values.items() if wire(value) != declared[key]}


def _cheapest(answers: Answers, weights: Values, today: date) -> Values:
    """Returns the settings with the machine that serves the peak minute at the lowest price.

    Raises:
        NewStackError: No machine there does, with as many replicas as a stack may have.
    """
    choices = [
        (price * replicas, machine.instance_type, values)
        for price, machine in rented(answers, today)
        for values in [_composed(answers, weights, machine, today)]
        for replicas in [int(str(values["maxReplicas"]))]
        if replicas <= MOST_REPLICAS
    ]
    if not choices:
        msg = (
            f"{answers.tokens_per_day:,} tokens a day take more than {MOST_REPLICAS:,} replicas "
            f"on every machine of {answers.where} that was weighed. Lower --tokens-per-day, or "
            f"choose another --gpu or a smaller --model"
        )
        raise NewStackError(msg)
    return min(choices, key=lambda choice: choice[:2])[2]


def _composed(answers: Answers, weights: Values, machine: Machine, today: date) -> Values:
    model = answers.model
    values: Values = {
        "model": model.name,
        **weights,
        "maxModelLength": min(LONGEST_REQUEST, model.max_model_length),
        "tensorParallel": machine.parallel,
        "gpu": machine.gpu,
        "gpusPerNode": machine.gpus,
        "clientNamespaces": ["default"],
        "tokensPerDay": answers.tokens_per_day,
        "dataMayLeave": answers.data_may_leave,
        "apiInUse": answers.api,
    }
    values |= _own(answers, machine) if answers.where is Where.OWN else _cloud(answers, machine)
    return values | _sized(values, answers, machine, today)


def _wired(values: Values) -> dict[str, str]:
    return {key: wire(value) for key, value in values.items()}


def text_of(answers: Answers, values: Values) -> str:
    """Returns the stack file."""
    head = (
        f"# {answers.model.name} on {values.get('gpu', defaults()['gpu'])}, "
        f"{answers.tokens_per_day:,} tokens a day; made by breakeven init.\n"
        "# docs/settings.md describes every setting. Look at these first: your hours of the week\n"
        "# (trafficShape), your prices (priceOverrides), your people (engineerPercent). Before a\n"
        "# deployment: names that are your cluster's (role, tags, storage class, Secrets).\n"
        "config:"
    )
    lines = [f"  {PREFIX}{key}: {_written(value)}" for key, value in values.items()]
    return "\n".join([head, *lines, ""])


def _written(value: object) -> str:
    """A value in one line; text that looks like a number keeps its quotes."""
    return (
        yaml.safe_dump(value, default_flow_style=True, width=10_000).removesuffix("...\n").strip()
    )


def _weights(answers: Answers) -> Values:
    """Returns where the weights are, as a stack of this project that serves the model has it.

    Raises:
        NewStackError: None does, and the answers name no commit.
    """
    model = answers.model
    every = ({**defaults(), **stack_values(stack)} for stack in stack_names())
    known = next((one for one in every if one["modelRepository"] == model.repository), {})
    revision = answers.revision or known.get("modelRevision")
    if not revision:
        msg = (
            f"no commit of {model.repository} is known here. Name one: --revision COMMIT, 40 "
            f"hexadecimal digits; the repository's page lists them under Files, History"
        )
        raise NewStackError(msg)
    return {
        "modelRepository": model.repository,
        "modelRevision": revision,
        "hubTokenSecret": known.get("hubTokenSecret", ""),
    }


def _cloud(answers: Answers, machine: Machine) -> Values:
    cloud, pool = find_cloud(answers.where), default_pool_kind(answers.where)
    return {
        "pool": pool.name,
        "weightsStorageClass": cloud.shared_storage_class,
        "controlPlane": cloud.control_plane,
        "systemInstanceType": cloud.system_machine,
        "instanceTypes": [machine.instance_type],
        "cloud": cloud.name,
        "region": region_of(answers),
        "weightsAccessMode": "ReadWriteMany",
        "systemNodeCount": 1,
        **{
            _KEYS[setting]: text.format(stack=answers.name)
            for setting, text in pool.starter_settings.items()
        },
    }


def _own(answers: Answers, machine: Machine) -> Values:
    if answers.node_price is None:
        msg = "what one of your servers costs is not known. State it: --node-price USD"
        raise NewStackError(msg)
    watts = find_gpu(machine.gpu).watts * machine.gpus * _SERVER_WATTS
    return {
        "pool": EXISTING.name,
        "cloud": "none",
        "region": "",
        "autoscaling": False,
        "weightsAccessMode": "ReadWriteMany",
        "nodePricing": "owned",
        "nodePurchasePrice": str(answers.node_price),
        "nodePowerWatts": round(watts),
        "electricityPricePerKwh": "0.12",
    }


def _sized(values: Values, answers: Answers, machine: Machine, today: date) -> Values:
    """Returns as many replicas as the peak minute takes, and what a replica can hold at once."""
    settings, reader = parse(_wired(values))
    demand = demand_of(settings, reader, today)
    reader.raise_problems(answers.name)
    if demand is None:
        msg = "an API is missing, but nothing was rejected"
        raise AssertionError(msg)
    load = demand.load
    # Read again for the target: whether the default fits is what is being found out here.
    capacity = capacity_of(settings, parse({})[1], load)
    peak = max(load.requests_per_second()) * load.burst_factor
    replicas = max(1, int(units_needed(peak, capacity.requests_per_second)))
    sized: Values = {
        "targetRequestsPerReplica": min(
            int(defaults()["targetRequestsPerReplica"]), capacity.concurrent_requests
        )
    }
    if answers.where is not Where.OWN:
        return {**sized, "maxReplicas": replicas}
    on_a_node = machine.gpus // machine.parallel
    nodes = math.ceil(replicas / on_a_node)
    whole = nodes * on_a_node
    return {**sized, "nodeCount": nodes, "minReplicas": whole, "maxReplicas": whole}
