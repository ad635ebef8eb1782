"""Settings of a new stack from a few answers: machine, number of replicas, prices."""

from __future__ import annotations

import math
from datetime import date

from breakeven.catalog.clouds import find_cloud
from breakeven.catalog.engines import deployed_release
from breakeven.catalog.gpus import find_gpu
from breakeven.catalog.models import load_models
from breakeven.catalog.pool_kinds import EXISTING, default_pool_kind
from breakeven.cli.init.machines import Machine, own_machine, region_of, rented
from breakeven.cli.init.stack_answers import Answers, NewStackError, Where
from breakeven.cli.stack_file import setting_lines
from breakeven.cost.fleet.plan import units_needed
from breakeven.planning.demand import capacity_of, demand_of
from breakeven.planning.offline import load_values
from breakeven.settings.fields import shown
from breakeven.settings.files import stack_names, stack_path, stack_values, with_settings
from breakeven.settings.mistakes.findings import keys_of
from breakeven.settings.own_models import digest_of, own_models
from breakeven.settings.parse import GROUPS, parse, raise_problems, told
from breakeven.settings.pool import PoolSettings
from breakeven.settings.replicas import MOST_REPLICAS, ReplicaSettings
from breakeven.settings.weights import WeightsSettings

Values = dict[str, object]

SCHEMA_LINE = "# yaml-language-server: $schema=schema.json\n"
"""The line with which editors check a stack file."""

_SERVER_WATTS = 1.15
"""Power of a server at the outlet divided by that of its GPU boards: an assumption."""


def values_of(answers: Answers, today: date) -> Values:
    """Returns the settings of a valid stack, by dotted key.

    Raises:
        NewStackError: No machine there holds the model and serves its peak minute, or a price does
            not apply there.
        SettingsError: The answers conflict; all errors are named.
    """
    if answers.region and answers.where is Where.OWN:
        msg = f"--region {answers.region} has no effect with --where own. Omit it"
        raise NewStackError(msg)
    if answers.node_price is not None and answers.where is not Where.OWN:
        msg = (
            f"--node-price {answers.node_price} has no effect with --where {answers.where}, "
            "whose machine prices are in the price book. Omit it, or choose --where own"
        )
        raise NewStackError(msg)
    weights = _weights(answers)
    if answers.where is Where.OWN:
        values = _composed(answers, weights, own_machine(answers), today)
    else:
        values = _cheapest(answers, weights, today)
    load_values(answers.name, with_settings({}, values), today)
    return {key: value for key, value in values.items() if shown(value) != _default(key)}


def _default(key: str) -> str:
    """Returns the default of a setting as text, so that the file omits equal values."""
    group = key.partition(".")[0]
    default = dict(keys_of(GROUPS[group], group))[key].default
    return shown([*default] if isinstance(default, tuple) else "" if default is None else default)


def _cheapest(answers: Answers, weights: Values, today: date) -> Values:
    """Returns the settings with the machine that serves the peak minute at the lowest price.

    Raises:
        NewStackError: No machine there does, with the maximum number of replicas.
    """
    choices = [
        (price * replicas, machine.instance_type, values)
        for price, machine in rented(answers, today)
        for values in [_composed(answers, weights, machine, today)]
        for replicas in [int(str(values["replicas.max"]))]
        if replicas <= MOST_REPLICAS
    ]
    if not choices:
        msg = (
            f"{answers.tokens_per_day:,} tokens per day need more than {MOST_REPLICAS:,} "
            f"replicas on every candidate machine of {answers.where}. Lower --tokens-per-day, or "
            "choose another --gpu or a smaller --model"
        )
        raise NewStackError(msg)
    return min(choices, key=lambda choice: choice[:2])[2]


def _composed(answers: Answers, weights: Values, machine: Machine, today: date) -> Values:
    model = answers.model
    values: Values = {
        "model.name": model.name,
        **weights,
        "model.maxLength": answers.max_length,
        "engine.tensorParallel": machine.parallel,
        "pool.gpu": machine.gpu,
        "pool.gpusPerNode": machine.gpus,
        "network.clientNamespaces": ["default"],
        "traffic.tokensPerDay": answers.tokens_per_day,
        "traffic.inputTokens": answers.input_tokens,
        "traffic.outputTokens": answers.output_tokens,
        "traffic.cachedInputPercent": answers.cached_input_percent,
        "network.dataMayLeave": answers.data_may_leave,
        "api.inUse": answers.api,
    }
    vendor, images = find_gpu(machine.gpu).vendor, deployed_release().images
    if vendor != "nvidia" and vendor in images:  # the default is NVIDIA's
        values["engine.image"] = images[vendor].reference
    values |= _own(answers, machine) if answers.where is Where.OWN else _cloud(answers, machine)
    return values | _sized(values, answers, machine, today)


def text_of(answers: Answers, values: Values) -> str:
    """Returns the stack file."""
    # Editors read it next to the stack file; an installed package does not include it.
    has_schema = stack_path(answers.name).with_name("schema.json").is_file()
    head = (
        f"{SCHEMA_LINE if has_schema else ''}"
        f"# {answers.model.name} on {values.get('pool.gpu', PoolSettings().gpu.name)}, "
        f"{answers.tokens_per_day:,} tokens per day; created by breakeven init.\n"
        "# docs/settings.md describes every setting. Look at these first: your hours of the week\n"
        "# (traffic.shape), your prices (pricing.overrides), your staffing. Before\n"
        "# a deployment: names that are your cluster's (role, tags, storage class, Secrets).\n"
        "config:"
    )
    in_order = dict(
        sorted(values.items(), key=lambda entry: [*GROUPS].index(entry[0].split(".")[0]))
    )
    return "\n".join([head, *setting_lines(in_order), ""])


def _weights(answers: Answers) -> Values:
    """Returns which weights are served.

    The preset has the repository, and the commit if a source states it. Without a commit, an
    estimate works, and a deployment requires one.
    """
    model = answers.model
    every = [each for stack in stack_names() for each in parse(stack_values(stack))[0].models]
    known = next((one for one in every if one.model.repository == model.repository), None)
    values: Values = {"weights.hubTokenSecret": (known and known.weights.hub_token_secret) or ""}
    if answers.revision:
        values["model.revision"] = answers.revision
    own = own_models().get(model.name)
    if own is not None and load_models().name_of(model.name) is None:
        values["model.configDigest"] = digest_of(own)
    return values


def _cloud(answers: Answers, machine: Machine) -> Values:
    cloud, pool = find_cloud(answers.where), default_pool_kind(answers.where)
    return {
        "pool.kind": pool.name,
        "weights.storageClass": cloud.shared_storage_class,
        "pricing.controlPlane": cloud.control_plane,
        "pricing.systemInstanceType": cloud.system_machine,
        "pool.instanceTypes": [machine.instance_type],
        "pricing.cloud": cloud.name,
        "pricing.region": region_of(answers),
        "weights.accessMode": "ReadWriteMany",
        "pricing.systemNodeCount": 1,
        "pricing.overrides": {f"volume/{cloud.name}/{pool.root_volume_class}": "0"}
        if pool.root_volume_is_ephemeral
        else {},
        **{
            f"pool.{setting}": text.format(stack=answers.name)
            for setting, text in pool.starter_settings.items()
        },
    }


def _own(answers: Answers, machine: Machine) -> Values:
    if answers.node_price is None:
        msg = (
            "--where own: the price of your servers is unknown. State the price of one server with "
            "eight GPUs, installed, in USD: --node-price 290000"
        )
        raise NewStackError(msg)
    watts = find_gpu(machine.gpu).watts * machine.gpus * _SERVER_WATTS
    return {
        "pool.kind": EXISTING.name,
        "pool.nodeLabels": dict(find_gpu(machine.gpu).node_labels),
        "pricing.cloud": "none",
        "pricing.region": "",
        # The disks are in the price of the server.
        "pricing.overrides": {f"volume/none/{WeightsSettings().storage_class}": "0"},
        "replicas.autoscaling": False,
        "weights.accessMode": "ReadWriteMany",
        "pricing.nodes": "owned",
        "pricing.owned.purchasePrice": str(answers.node_price),
        "pricing.owned.powerWatts": round(watts),
        "pricing.owned.electricityPricePerKwh": "0.12",
    }


def _sized(values: Values, answers: Answers, machine: Machine, today: date) -> Values:
    """Returns the replicas that the peak minute needs, and how many requests one holds at once."""
    stack, problems = parse(with_settings({}, values))
    [settings] = stack.models
    demand, conflicts = demand_of(settings, today)
    raise_problems(answers.name, told(problems, settings, conflicts))
    if demand is None:
        msg = "an API is missing, but nothing was rejected"
        raise AssertionError(msg)
    load = demand.load
    capacity = capacity_of(settings, load)
    peak = max(load.requests_per_second()) * load.burst_factor
    replicas = max(1, int(units_needed(peak, capacity.requests_per_second)))
    sized: Values = {
        "replicas.targetRequests": min(
            ReplicaSettings().target_requests, capacity.concurrent_requests
        )
    }
    if answers.where is not Where.OWN:
        return {**sized, "replicas.max": replicas}
    on_a_node = machine.gpus // machine.parallel
    nodes = math.ceil(replicas / on_a_node)
    whole = nodes * on_a_node
    return {**sized, "pool.nodeCount": nodes, "replicas.min": whole, "replicas.max": whole}
