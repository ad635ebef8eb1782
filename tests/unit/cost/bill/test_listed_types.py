"""The types that most programs use are priced, free, or said to be charged by use or not known.

Counted in github.com/pulumi/examples at commit 40c09b2 of 2026-08-18: in how many of its 321
programs (TypeScript, JavaScript, Python, YAML) a type is made at least once. Of Google's provider
they use 26 types; the last four of its list come from its documentation.
"""

from __future__ import annotations

import pytest

from breakeven.cost.bill.charge import Charge, Context, Place, Unpriced, UnpricedReason
from breakeven.cost.bill.pricing import parts_of
from breakeven.cost.bill.registered import Registered
from breakeven.cost.bill.rules.type_names import plain_type

AWS = """
iam:Role ec2:SecurityGroup iam:RolePolicyAttachment s3:Bucket ec2:Subnet ec2:Vpc ecs:Cluster
ec2:RouteTable ec2:InternetGateway ec2:Instance iam:RolePolicy lambda:Function
ec2:RouteTableAssociation s3:BucketObject ecs:Service ecs:TaskDefinition lb:Listener lb:TargetGroup
rds:Instance rds:SubnetGroup lb:LoadBalancer cloudwatch:LogGroup dynamodb:Table ecr:Repository
s3:BucketPolicy cloudwatch:EventRule ec2:Eip ecr:LifecyclePolicy lambda:Permission
s3:BucketPublicAccessBlock
"""
AZURE_NATIVE = """
resources:ResourceGroup storage:StorageAccount containerservice:ManagedCluster web:AppServicePlan
web:WebApp authorization:RoleAssignment network:VirtualNetwork storage:Blob
containerregistry:Registry network:PublicIPAddress storage:BlobContainer compute:VirtualMachine
network:NetworkInterface insights:Component managedidentity:UserAssignedIdentity
operationalinsights:Workspace sql:Database sql:Server storage:StorageAccountStaticWebsite
app:ContainerApp app:ManagedEnvironment cdn:Endpoint cdn:Profile containerinstance:ContainerGroup
documentdb:DatabaseAccount documentdb:SqlResourceSqlContainer documentdb:SqlResourceSqlDatabase
logic:Workflow network:NetworkSecurityGroup network:Subnet
"""
GCP = """
container:Cluster container:NodePool compute:Network storage:Bucket
cloudfunctions:FunctionIamMember compute:Firewall compute:Instance storage:BucketObject
cloudfunctions:Function cloudrun:Service compute:Subnetwork cloudrun:IamMember projects:Service
serviceaccount:Account sql:DatabaseInstance sql:User compute:Router compute:RouterNat
iam:WorkloadIdentityPool iam:WorkloadIdentityPoolProvider projects:IAMBinding projects:IAMMember
pubsub:Topic serviceaccount:Key serviceaccount:IAMBinding sql:Database
compute:Disk compute:Address compute:ForwardingRule artifactregistry:Repository
"""
MOST_USED = {"aws": AWS, "azure-native": AZURE_NATIVE, "gcp": GCP}
WITH_INPUTS: dict[str, dict[str, object]] = {
    "aws:ec2:Instance": {"instanceType": "x", "rootBlockDevice": {"volumeSize": 8}},
    "azure-native:compute:VirtualMachine": {"hardwareProfile": {"vmSize": "x"}},
    "azure-native:containerservice:ManagedCluster": {"sku": {"tier": "Standard"}},
    "gcp:compute:Instance": {"machineType": "x"},
    "gcp:compute:Disk": {"size": 10},
    "gcp:container:NodePool": {"nodeCount": 1},
}


def token(provider: str, module: str, kind: str) -> str:
    """The token as the provider registers it."""
    if provider == "azure-native":
        return f"{provider}:{module}:{kind}"
    return f"{provider}:{module}/{kind[0].lower()}{kind[1:]}:{kind}"


def answer(provider: str, module: str, kind: str) -> str:
    inputs = WITH_INPUTS.get(f"{provider}:{module}:{kind}", {})
    cloud = provider.partition("-")[0]
    resource = Registered("x", token(provider, module, kind), inputs)
    parts = parts_of(resource, Context(Place(cloud, "r")))
    if any(isinstance(part, Charge) for part in parts):
        return "priced"
    reasons = {part.reason for part in parts if isinstance(part, Unpriced)}
    return "+".join(sorted(reasons)) or "free"


@pytest.mark.parametrize(
    ("provider", "counts"),
    [
        ("aws", {"priced": 2, "free": 19, "by-use": 6, "not-in-book": 3}),
        ("azure-native", {"priced": 2, "free": 13, "by-use": 10, "not-in-book": 5}),
        ("gcp", {"priced": 5, "free": 16, "by-use": 6, "not-in-book": 3}),
    ],
)
def test_each_of_the_30_most_used_types_has_an_answer(
    provider: str, counts: dict[str, int]
) -> None:
    listed = MOST_USED[provider].split()
    assert len(set(listed)) == 30
    answers = [answer(provider, *each.split(":")) for each in listed]
    assert {each: answers.count(each) for each in dict.fromkeys(answers)} == counts


@pytest.mark.parametrize(
    ("found", "plain"),
    [
        ("aws:s3/bucket:Bucket", "aws:s3:Bucket"),
        ("aws:s3/bucketV2:BucketV2", "aws:s3:Bucket"),
        ("aws:s3/bucketObjectv2:BucketObjectv2", "aws:s3:BucketObject"),
        ("aws:alb/loadBalancer:LoadBalancer", "aws:lb:LoadBalancer"),
        ("azure-native:web:WebApp", "azure-native:web:WebApp"),
        ("azure-native:web/v20240401:WebApp", "azure-native:web:WebApp"),
        ("azure-native_web_v20240401:web:WebApp", "azure-native:web:WebApp"),
        ("gcp:serviceAccount/account:Account", "gcp:serviceaccount:Account"),
        ("kubernetes:apps/v1:Deployment", "kubernetes:apps/v1:Deployment"),
        ("anything", "anything"),
    ],
)
def test_a_type_is_the_same_in_every_version_of_its_provider(found: str, plain: str) -> None:
    assert plain_type(found) == plain


@pytest.mark.parametrize(
    "kind",
    [
        *("random:index/randomPassword:RandomPassword", "tls:index/privateKey:PrivateKey"),
        *("command:local:Command", "docker-build:index:Image", "aws:iam/policy:Policy"),
    ],
)
def test_what_makes_nothing_in_a_cloud_is_free(kind: str) -> None:
    assert not parts_of(Registered("x", kind, None), Context(Place("aws", "r")))


def test_a_type_of_a_listed_module_is_not_free_for_that() -> None:
    [part] = parts_of(Registered("x", "aws:ec2/fleet:Fleet", {}), Context(Place("aws", "r")))
    assert isinstance(part, Unpriced)
    assert part.reason is UnpricedReason.NO_RULE
