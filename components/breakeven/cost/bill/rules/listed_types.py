"""Types that need no look at their inputs: free ones, and those that no price in the book covers.

Which types are here: the 30 that most programs of github.com/pulumi/examples use of each provider
(321 programs at commit 40c09b2 of 2026-08-18), and what is commonly used with them. Whether they
are free is by the price page of each service, read on 2026-11-30. Other tokens are unknown.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from breakeven.cost.bill.charge import Part, Unpriced, UnpricedReason
from breakeven.cost.bill.rules.type_names import plain_type


def _of(module: str, *kinds: str) -> frozenset[str]:
    return frozenset(f"{module}:{kind}" for kind in kinds)


_FREE_FAMILIES = (
    "aws:iam:",
    "azure-native:authorization:",
    "azure-native:managedidentity:",
    "azure-native:resources:",
    "gcp:iam:",
    "gcp:organizations:",
    "gcp:projects:",
    "gcp:serviceaccount:",
    "gcp:servicenetworking:",
    # Providers that make values, files or images on the machine where the program runs.
    "command:",
    "docker-build:",
    "docker:",
    "local:",
    "null:",
    "random:",
    "std:",
    "synced-folder:",
    "time:",
    "tls:",
)
"""Beginnings of types that are free without exception."""

_FREE = (
    _of("aws:acm", "Certificate", "CertificateValidation")
    | _of("aws:apigateway", "ApiKey", "BasePathMapping", "Deployment", "DomainName", "Integration")
    | _of("aws:apigateway", "IntegrationResponse", "Method", "MethodResponse", "Resource")
    | _of("aws:apigateway", "UsagePlan", "UsagePlanKey")
    | _of("aws:apigatewayv2", "Deployment", "Integration", "Route", "Stage")
    | _of("aws:autoscaling", "Policy", "Schedule")
    | _of("aws:cloudwatch", "EventRule", "EventTarget", "LogStream", "LogResourcePolicy")
    | _of("aws:ec2", "DhcpOptions", "EipAssociation", "InternetGateway", "KeyPair")
    | _of("aws:ec2", "LaunchConfiguration", "LaunchTemplate", "MainRouteTableAssociation")
    | _of("aws:ec2", "NetworkAcl", "NetworkAclRule", "NetworkInterface", "PlacementGroup", "Route")
    | _of("aws:ec2", "RouteTable", "RouteTableAssociation", "SecurityGroup", "SecurityGroupRule")
    | _of("aws:ec2", "Subnet", "VolumeAttachment", "Vpc", "VpcDhcpOptionsAssociation")
    | _of("aws:ecr", "LifecyclePolicy", "RepositoryPolicy")
    | _of("aws:ecs", "Cluster", "ClusterCapacityProviders", "CapacityProvider", "TaskDefinition")
    | _of("aws:efs", "AccessPoint", "FileSystemPolicy", "MountTarget")
    | _of("aws:eks", "AccessEntry", "AccessPolicyAssociation", "Addon", "PodIdentityAssociation")
    | _of("aws:elasticache", "ParameterGroup", "SubnetGroup")
    | _of("aws:kms", "Alias")
    | _of("aws:lambda", "Alias", "EventSourceMapping", "LayerVersion", "Permission")
    | _of("aws:lb", "Listener", "ListenerRule", "TargetGroup", "TargetGroupAttachment")
    | _of("aws:rds", "ClusterParameterGroup", "ParameterGroup", "SubnetGroup")
    | _of("aws:route53", "Record")
    | _of("aws:s3", "BucketLifecycleConfiguration", "BucketNotification", "BucketAcl")
    | _of("aws:s3", "BucketOwnershipControls", "BucketPolicy", "BucketPublicAccessBlock")
    | _of("aws:s3", "BucketServerSideEncryptionConfiguration", "BucketVersioning")
    | _of("aws:s3", "BucketWebsiteConfiguration")
    | _of("aws:secretsmanager", "SecretPolicy", "SecretVersion")
    | _of("aws:sns", "TopicPolicy", "TopicSubscription")
    | _of("aws:sqs", "QueuePolicy")
    | _of("azure-native:app", "ManagedEnvironment")
    | _of("azure-native:keyvault", "AccessPolicy")
    | _of("azure-native:network", "NetworkInterface", "NetworkSecurityGroup", "Route", "RouteTable")
    | _of("azure-native:network", "SecurityRule", "Subnet", "VirtualNetwork")
    | _of("azure-native:sql", "FirewallRule", "Server", "VirtualNetworkRule")
    | _of("azure-native:storage", "BlobContainer", "BlobServiceProperties", "ManagementPolicy")
    | _of("azure-native:storage", "StorageAccountStaticWebsite")
    | _of("azure-native:synapse", "IpFirewallRule")
    # Apps run in their plan, which is what is paid.
    | _of("azure-native:web", "Connection", "WebApp", "WebAppApplicationSettings", "WebAppSlot")
    | _of("azure-native:documentdb", "SqlResourceSqlDatabase")
    | _of("gcp:artifactregistry", "RepositoryIamMember")
    | _of("gcp:bigquery", "Dataset")
    | _of("gcp:cloudfunctions", "FunctionIamMember")
    | _of("gcp:cloudfunctionsv2", "FunctionIamMember")
    | _of("gcp:cloudrun", "DomainMapping", "IamBinding", "IamMember", "IamPolicy")
    | _of("gcp:cloudrunv2", "ServiceIamMember")
    | _of("gcp:compute", "BackendService", "Firewall", "HealthCheck", "InstanceTemplate", "Network")
    | _of("gcp:compute", "Route", "Router", "Subnetwork", "TargetHttpProxy", "TargetHttpsProxy")
    | _of("gcp:compute", "ManagedSslCertificate", "URLMap")
    | _of("gcp:secretmanager", "SecretIamMember", "SecretVersion")
    | _of("gcp:sql", "Database", "User")
    | _of("gcp:storage", "BucketIAMBinding", "BucketIAMMember", "DefaultObjectAccessControl")
)
"""Types that are free; what they configure may not be."""

_BY_USE: Mapping[str, str] = {
    "aws:apigateway:RestApi": "requests",
    "aws:apigateway:Stage": "requests",
    "aws:apigatewayv2:Api": "requests",
    "aws:cloudfront:Distribution": "requests and GB sent",
    "aws:cloudwatch:LogGroup": "GB of logs",
    "aws:cognito:UserPool": "active users",
    "aws:cognito:UserPoolClient": "active users",
    "aws:dynamodb:Table": "requests and GB stored",
    "aws:ecr:Repository": "GB stored",
    "aws:efs:FileSystem": "GB stored and read",
    "aws:kinesis:Stream": "GB and shards",
    "aws:lambda:Function": "requests and seconds",
    "aws:s3:Bucket": "GB stored and requests",
    "aws:s3:BucketObject": "GB stored",
    "aws:sns:Topic": "messages",
    "aws:sqs:Queue": "messages",
    "aws:ssm:Parameter": "parameters of the advanced tier",
    "azure-native:app:ContainerApp": "vCPU and GB seconds",
    "azure-native:cdn:Endpoint": "GB sent",
    "azure-native:cdn:Profile": "GB sent",
    "azure-native:documentdb:DatabaseAccount": "request units and GB stored",
    "azure-native:documentdb:SqlResourceSqlContainer": "request units and GB stored",
    "azure-native:insights:Component": "GB of telemetry",
    "azure-native:keyvault:Vault": "operations",
    "azure-native:logic:Workflow": "actions",
    "azure-native:operationalinsights:Workspace": "GB of logs",
    "azure-native:storage:Blob": "GB stored",
    "azure-native:storage:StorageAccount": "GB stored and requests",
    "azure-native:synapse:BigDataPool": "node hours while it runs",
    "azure-native:synapse:Workspace": "queries and pipelines",
    "gcp:artifactregistry:Repository": "GB stored",
    "gcp:bigquery:Table": "GB stored and queried",
    "gcp:cloudfunctions:Function": "requests and seconds",
    "gcp:cloudfunctionsv2:Function": "requests and seconds",
    "gcp:cloudrun:Service": "requests and seconds",
    "gcp:cloudrunv2:Service": "requests and seconds",
    "gcp:pubsub:Subscription": "GB of messages",
    "gcp:pubsub:Topic": "GB of messages",
    "gcp:secretmanager:Secret": "versions and accesses",
    "gcp:storage:Bucket": "GB stored and requests",
    "gcp:storage:BucketObject": "GB stored",
}
"""What is charged of types that nothing is charged for before they are used."""

_NOT_IN_BOOK: Mapping[str, str] = {
    "aws:ec2:Eip": "hours of a public IPv4 address",
    "aws:elasticache:Cluster": "node hours",
    "aws:elasticache:ReplicationGroup": "node hours",
    "aws:kms:Key": "keys",
    "aws:rds:Cluster": "instance hours and GB stored",
    "aws:rds:ClusterInstance": "instance hours",
    "aws:rds:Instance": "instance hours and GB stored",
    "aws:route53:Zone": "zones",
    "aws:secretsmanager:Secret": "secrets",
    "azure-native:containerinstance:ContainerGroup": "vCPU and GB hours",
    "azure-native:containerregistry:Registry": "days of its tier",
    "azure-native:network:NatGateway": "hours and GB",
    "azure-native:network:PublicIPAddress": "hours of a public IPv4 address",
    "azure-native:sql:Database": "hours of its tier",
    "azure-native:synapse:SqlPool": "hours of its tier",
    "azure-native:web:AppServicePlan": "hours of its tier",
    "gcp:compute:Address": "hours of an unused or external address",
    "gcp:compute:GlobalAddress": "hours of an unused or external address",
    "gcp:compute:RouterNat": "hours and GB",
    "gcp:dns:ManagedZone": "zones",
    "gcp:sql:DatabaseInstance": "instance hours and GB stored",
}
"""What is charged of types that cost something by the hour, which the price book does not have."""


def listed_parts(type_token: str) -> Sequence[Part] | None:
    """Returns the charges of a listed type; None if it is not listed."""
    plain = plain_type(type_token)
    if plain in _FREE or plain.startswith(_FREE_FAMILIES):
        return ()
    if plain in _BY_USE:
        return (Unpriced(UnpricedReason.BY_USE, _BY_USE[plain]),)
    if plain in _NOT_IN_BOOK:
        return (Unpriced(UnpricedReason.NOT_IN_BOOK, _NOT_IN_BOOK[plain]),)
    return None
