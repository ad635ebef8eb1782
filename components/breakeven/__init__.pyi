from breakeven.manifests.gateway.figures import GatewayFigures as GatewayFigures
from breakeven.manifests.gateway.figures import TokenPrices as TokenPrices
from breakeven.resources.autoscaling import Autoscaling as Autoscaling
from breakeven.resources.deployment import register as register
from breakeven.resources.gateway import Gateway as Gateway
from breakeven.resources.gpu_pool import GpuPool as GpuPool
from breakeven.resources.gpu_pool import create_pool as create_pool
from breakeven.resources.monitoring import Monitoring as Monitoring
from breakeven.resources.network import NetworkRules as NetworkRules
from breakeven.resources.network import ServingNamespace as ServingNamespace
from breakeven.resources.price_stack import price_stack as price_stack
from breakeven.resources.run_errors import user_errors as user_errors
from breakeven.resources.serving import VllmServing as VllmServing
from breakeven.settings.parse import parse as parse
from breakeven.settings.parse import raise_problems as raise_problems
from breakeven.settings.stack import Settings as Settings
from breakeven.settings.stack import Stack as Stack

__version__: str
