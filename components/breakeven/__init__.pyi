from breakeven.manifests.autoscaling import Autoscaling as Autoscaling
from breakeven.manifests.gateway import Gateway as Gateway
from breakeven.manifests.gateway import TokenPrices as TokenPrices
from breakeven.manifests.gpu_pool import GpuPool as GpuPool
from breakeven.manifests.gpu_pool import create_pool as create_pool
from breakeven.manifests.monitoring import Monitoring as Monitoring
from breakeven.manifests.network import NetworkRules as NetworkRules
from breakeven.manifests.network import ServingNamespace as ServingNamespace
from breakeven.manifests.serving import VllmServing as VllmServing
from breakeven.resources.deployment import register as register
from breakeven.resources.price_stack import price_stack as price_stack
from breakeven.resources.run_errors import user_errors as user_errors
from breakeven.settings.parse import parse as parse
from breakeven.settings.stack import Settings as Settings

__version__: str
