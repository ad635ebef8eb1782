"""Every setting can be changed by `pulumi config set --path`, which makes numbers of some texts."""

from __future__ import annotations

from decimal import Decimal

from breakeven.settings.files import stack_values
from breakeven.settings.mistakes.findings import keys_of
from breakeven.settings.parse import GROUPS, parse
from tests.project_copy import Project

FIELDS = {key: field for name, group in GROUPS.items() for key, field in keys_of(group, name)}
EXAMPLES = {
    "model.previousRevision": "0" * 40,
    "model.loraAdapters": f"sql=acme/sql@{'0' * 40}",
    "engine.measuredOutputTokensPerSecond": "800.5",
    "weights.claim": "weights",
    "weights.image": f"registry.example.com/model@sha256:{'0' * 64}",
    "weights.hubTokenSecret": "hub-token",
    "pool.nodeTaints": "dedicated",
    "pool.instanceTypes": "g6.xlarge",
    "pool.karpenter.nodeRole": "role",
    "pool.karpenter.discoveryTag": "8",
    "pool.gke.reservations": "mine",
    "pool.gke.serviceAccount": "nodes@project.iam.gserviceaccount.com",
    "pool.clusterApi.context": "management",
    "pool.clusterApi.cluster": "prod",
    "pool.clusterApi.version": "v1.35.4",
    "pool.clusterApi.bootstrapTemplate": "bootstrap.cluster.x-k8s.io/KubeadmConfigTemplate/a",
    "pool.clusterApi.machineTemplate": "infrastructure.cluster.x-k8s.io/Metal3MachineTemplate/a",
    "replicas.schedule": "mon-fri 08:00-18:00 4",
    "gateway.separateInside": "true",
    "gateway.tls.egressSecret": "egress-certificate",
    "gateway.route.caConfigMap": "authority",
    "gateway.inferencePool.endpointPicker": "picker",
    "gateway.overflow.address": "https://api.example.com/v1",
    "gateway.overflow.providers.NAME.keySecret": "second-api",
    "gateway.overflow.providers.NAME.address": "https://second.example.com/v1",
    "gateway.overflow.providers.NAME.paths": "/v1/completions",
    "model.configDigest": "sha256:" + "a" * 64,
    "network.tlsSecret": "certificate",
    "api.regions": "eu",
    "api.escalation.api": "openai/gpt-6.1-sol",
    "pricing.owned.idlePowerWatts": "2000",
    "pricing.owned.purchaseDate": "2026-01-31",
    "pricing.owned.bookValue": "200000",
    "gateway.teams.NAME.tokensPerDay": "5",
    "gateway.teams.NAME.usdPerMonth": "500",
    "gateway.teams.NAME.requestsPerMinute": "60",
    "gateway.teams.NAME.requestsInFlight": "20",
    "gateway.teams.NAME.maxOutputTokens": "1000",
    "engine.maxRequests": "64",
    "network.registry": "registry.example.com",
    "network.clientNamespaces": "chat",
    "network.clientNetworks": "10.0.0.0/8",
    "network.nodeLocalDnsAddress": "169.254.20.10",
    "monitoring.tracingEndpoint": "http://otel.obs.svc:4317",
    "api.hosted": "groq/qwen",
    "pricing.nodePricePerHour": "1.25",
    "pricing.owned.purchasePrice": "290000",
    "pricing.owned.electricityPricePerKwh": "0.12",
    "pricing.systemInstanceType": "m6i.large",
    "pricing.budgetPerMonth": "9000",
}
"""Values of settings that are empty by default."""
MAPPINGS = {
    "pool.nodeLabels": '["gpu"]',
    "pricing.overrides": '["nat/aws/gb"]',
    "engine.args": ".seed",
    "engine.env": ".NAME",
    "candidate.settings": '["engine.maxRequests"]',
    "traffic.inputPercentiles": ".p50 .max",
    "traffic.outputPercentiles": ".p50 .max",
    "api.shares": '["openai/gpt-6.1-sol"]',
    "api.terms": "",
    "gateway.teams": "",
    "gateway.overflow.providers": "",
}
"""Settings that are mappings, with an entry of each. Teams and terms have settings of their own."""


def test_every_setting_can_be_set_by_its_path(project: Project) -> None:
    assert project.pulumi("stack", "init", "all").returncode == 0
    stated = []
    for key, field in FIELDS.items():
        value = EXAMPLES.get(key, _as_text(field.default))
        entry = '["own/chat"]' if key.startswith("api.terms.") else ".chat"
        path = f"breakeven:{key.replace('.NAME', entry)}"
        paths = [path]
        if key in MAPPINGS:
            paths = [f"{path}{each}" for each in MAPPINGS[key].split()]
            value = "l4" if "Labels" in key else "5"
        elif isinstance(field.default, tuple):
            paths = [f"{path}[0]"]
        for each in paths:
            stated += ["--plaintext", f"{each}={value}"]
    result = project.pulumi("config", "set-all", "--stack", "all", "--path", *stated)
    assert result.returncode == 0, result.stderr

    values = stack_values("all", project.root)
    stack, problems = parse(values)
    [settings] = stack.models
    # The examples do not go together, but each of them is one that its field takes.
    assert not [problem for problem in problems if problem.found.startswith("found")], problems
    assert settings.replicas.min == 1
    assert settings.network.data_may_leave
    assert settings.engine.gpu_memory_utilization == Decimal("0.90")
    assert settings.pool.karpenter.discovery_tag == "8"
    assert settings.pool.node_labels == {"gpu": "l4"}
    assert settings.gateway.teams["chat"].tokens_per_day == 5
    assert settings.pricing.stated_prices == {"nat/aws/gb": 5}


def test_what_is_set_by_its_path_is_what_the_program_gets(project: Project) -> None:
    assert project.pulumi("stack", "init", "dev").returncode == 0
    for key, value in (("pool.gpuQuota", "0"), ("replicas.max", "1"), ("pool.gpu", "l40")):
        changed = ("--stack", "dev", "--path", f"breakeven:{key}", value)
        result = project.pulumi("config", "set", *changed)
        assert result.returncode == 0, result.stderr
    result = project.pulumi("preview", "--stack", "dev")
    assert result.returncode != 0
    assert 'breakeven:pool.gpu: found "l40". Closest: l40s' in result.stdout + result.stderr


def _as_text(default: object) -> str:
    if default is None:
        return ""
    if isinstance(default, bool):
        return str(default).lower()
    if isinstance(default, tuple):
        return str(default[0]) if default else ""
    return str(default)
