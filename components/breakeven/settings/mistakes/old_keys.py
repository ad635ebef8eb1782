"""Settings of the flat stack files of before, each with the group and key that it has now."""

from __future__ import annotations

from collections.abc import Mapping

_SAME: Mapping[str, str] = {
    "model": "precision loraAdapters loraMaxRank",
    "engine": "tensorParallel pipelineParallel gpuMemoryUtilization longestRequestSeconds "
    "apiKeySecret measuredOutputTokensPerSecond",
    "weights": "hubTokenSecret",
    "pool": "gpu gpusPerNode gpuQuota nodeCount nodeLabels nodeTaints instanceTypes capacityTypes "
    "spotInterruptionsPerMonth nodeVolumeGigabytes",
    "replicas": "autoscaling scaleDownSeconds",
    "gateway": "mode teams teamKeysSecret",
    "network": "registry namespace clientNamespaces exposure clientNetworks nodeLocalDnsAddress "
    "dataMayLeave",
    "policy": "waivers",
    "monitoring": "gpuMetrics runbooks tracingEndpoint prometheusAddress",
    "traffic": "tokensPerDay cachedInputPercent burstFactor timeToFirstTokenSeconds "
    "interTokenLatencySeconds",
    "pricing": "cloud region commitmentPercent commitmentYears nodePricePerHour controlPlane "
    "controlPlaneSharePercent natGatewaySharePercent systemInstanceType systemNodeCount "
    "budgetPerMonth month",
    "pricing.owned": "residualPercent powerUsageEffectiveness electricityPricePerKwh "
    "rackAndSupportPerNodeMonth",
    "staffing": "engineerSalary engineerPercent onCallPerMonth contingencyPercent",
}
"""Keys that kept their name, by their group."""

_RENAMED: Mapping[str, str] = {
    "model": "model.name",
    "modelRepository": "model.repository",
    "modelRevision": "model.revision",
    "previousModelRevision": "model.previousRevision",
    "maxModelLength": "model.maxLength",
    "additionalModels": "models",
    "engineImage": "engine.image",
    "weightsClaim": "weights.claim",
    "weightsStorageClass": "weights.storageClass",
    "weightsAccessMode": "weights.accessMode",
    "weightsImage": "weights.image",
    "weightsReadMegabytesPerSecond": "weights.readMegabytesPerSecond",
    "pool": "pool.kind",
    "karpenterNodeRole": "pool.karpenter.nodeRole",
    "karpenterDiscoveryTag": "pool.karpenter.discoveryTag",
    "karpenterNodeImage": "pool.karpenter.nodeImage",
    "gkeReservations": "pool.gke.reservations",
    "gkeServiceAccount": "pool.gke.serviceAccount",
    "clusterApiContext": "pool.clusterApi.context",
    "clusterApiCluster": "pool.clusterApi.cluster",
    "clusterApiNamespace": "pool.clusterApi.namespace",
    "clusterApiVersion": "pool.clusterApi.version",
    "clusterApiBootstrapTemplate": "pool.clusterApi.bootstrapTemplate",
    "clusterApiMachineTemplate": "pool.clusterApi.machineTemplate",
    "minReplicas": "replicas.min",
    "maxReplicas": "replicas.max",
    "targetRequestsPerReplica": "replicas.targetRequests",
    "targetWaitingPerReplica": "replicas.targetWaiting",
    "scheduledReplicas": "replicas.schedule",
    "scheduleTimeZone": "replicas.timeZone",
    "gatewayReplicas": "gateway.replicas",
    "gatewayImage": "gateway.image",
    "gatewayStoreImage": "gateway.storeImage",
    "overflowKeySecret": "gateway.overflow.keySecret",
    "overflowAddress": "gateway.overflow.address",
    "overflowRequestsPerReplica": "gateway.overflow.requestsPerReplica",
    "overflowTimeoutSeconds": "gateway.overflow.timeoutSeconds",
    "network": "network.boundary",
    "monitoring": "monitoring.enabled",
    "monitoringNamespace": "monitoring.namespace",
    "inputTokensPerRequest": "traffic.inputTokens",
    "outputTokensPerRequest": "traffic.outputTokens",
    "trafficShape": "traffic.shape",
    "apiInUse": "api.inUse",
    "hostedApis": "api.hosted",
    "nodePricing": "pricing.nodes",
    "priceOverrides": "pricing.overrides",
    "priceMaxAgeDays": "pricing.maxAgeDays",
    "nodePurchasePrice": "pricing.owned.purchasePrice",
    "amortisationYears": "pricing.owned.amortizationYears",
    "nodePowerWatts": "pricing.owned.powerWatts",
}

OLD_KEYS: Mapping[str, str] = {
    **{key: f"{group}.{key}" for group, keys in _SAME.items() for key in keys.split()},
    **_RENAMED,
}
"""Old key -> new key. docs/migration.md has the same table."""
