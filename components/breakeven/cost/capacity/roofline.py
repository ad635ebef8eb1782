"""How long a step of the inference engine takes, from the GPU's data sheet: a roofline.

A decode step reads the weights and the key-value cache of all requests in flight, and multiplies
one token of each; the slower of the two sets its time. Prompts are multiplied in between. Sums of
tensor-parallel GPUs go over the link between them.

The constants are fitted to published vLLM measurements (`calibration`): efficiencies of memory and
compute by generation of GPU and kind of model, what a step, a layer and a request in flight add to
a step, and what GPUs that share a layer wait for each other.

Pipeline parallel: the layers lie on several nodes in a row, and the requests in flight go through
them in as many groups, so that every node works on one of them. A cycle, which gives each request a
token, then takes as long as the whole model on the GPUs of one node with the requests of one group,
and the way between the nodes; a prompt adds to each node's steps its share of the layers only. That
assumes full groups of equal length; the idle time of unequal ones (bubbles) is in the error band.

Models that only read (embedding, reranking) have no steps of single tokens: a step carries as many
texts as its budget of tokens has room for, and each text leaves with the step that ends it.
"""

from __future__ import annotations

from dataclasses import dataclass

from breakeven.catalog.gpus import Gpu
from breakeven.catalog.models import ModelFacts
from breakeven.cost.capacity.calibration import Calibration, Constants, load_calibration
from breakeven.cost.capacity.engine_defaults import default_batched_tokens
from breakeven.cost.capacity.techniques import FP8_CACHE_READ, PLAIN, Techniques

NETWORK_BYTES_PER_SECOND = 100e9 / 8 * 0.8  # between nodes: 100 Gbit/s at 80 %; assumed
NETWORK_SECONDS = 50e-6  # of a message between nodes by TCP; assumed

_ACTIVATION_BYTES = 2  # bf16

TENSOR_PARALLEL = (1, 2, 4, 8)
"""GPUs of a node that may hold each layer together: machines have at most eight, and layers
divide by two."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Engine:
    """A model on the GPUs of one replica.

    Attributes:
        model: The model.
        precision: Of its weights; see `ModelFacts.weight_bytes`.
        gpu: Each of the GPUs.
        tensor_parallel: How many of them hold each layer together, 1 or more.
        pipeline_parallel: Nodes over which the layers are divided, each with `tensor_parallel`
            GPUs; 1 for one node.
        techniques: How it departs from plain serving.
    """

    model: ModelFacts
    precision: str
    gpu: Gpu
    tensor_parallel: int
    pipeline_parallel: int = 1
    techniques: Techniques = PLAIN

    @property
    def cache_parallel(self) -> int:
        """GPUs over which the cache of a request is divided, or copied."""
        return 1 if self.techniques.data_attention else self.tensor_parallel

    @property
    def batched_tokens(self) -> int:
        """Most tokens that it computes in one step."""
        return self.techniques.batched_tokens or default_batched_tokens(self.gpu)

    @property
    def gpus(self) -> int:
        """All GPUs of the replica."""
        return self.tensor_parallel * self.pipeline_parallel


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestShape:
    """A mean request, in tokens.

    Attributes:
        input_tokens: Input, including cached tokens, 1 or more.
        output_tokens: Output, 1 or more; 1 for a text that is only read, which is in one step.
        cached_input_tokens: Input found in the prefix cache, 0 to `input_tokens`.
    """

    input_tokens: int
    output_tokens: int
    cached_input_tokens: float = 0.0

    @property
    def mean_context(self) -> float:
        """Tokens in the cache of a request in flight, averaged over its output."""
        return self.input_tokens + self.output_tokens / 2


@dataclass(frozen=True, slots=True, kw_only=True)
class StepTimes:
    """Times of a replica at a steady number of requests in flight, in seconds.

    Attributes:
        decode: One step that gives each request in flight a token.
        prefill: What the prompt of one request adds to the steps of all.
        first_token: From the start of a prompt to its first token, with no queue before it.
    """

    decode: float
    prefill: float
    first_token: float

    def output_tokens_per_second(self, concurrency: int, output_tokens: int) -> float:
        """Returns B / (decode + B / output x prefill): a step also carries B / output prompts."""
        return concurrency / (self.decode + concurrency / output_tokens * self.prefill)


def step_times(
    engine: Engine, request: RequestShape, concurrency: int, calibration: Calibration | None = None
) -> StepTimes:
    """Returns the times of a replica.

    Args:
        engine: Model and GPUs.
        request: A mean request.
        concurrency: Requests in flight, 1 or more.
        calibration: Where the constants are from; None for those that the package carries.
    """
    model, parallel, stages = engine.model, engine.tensor_parallel, engine.pipeline_parallel
    calibration = calibration or load_calibration()
    constants = calibration.constants(model, engine.gpu, engine.precision, parallel)
    peak = parallel * engine.gpu.compute_tera(engine.precision) * 1e12
    compute = peak * constants.compute_efficiency
    bandwidth = parallel * engine.gpu.bandwidth_gb_per_second * 1e9
    weights = bandwidth * constants.memory_efficiency
    overhead = constants.step_seconds + constants.layer_seconds * model.layers
    if not model.generates:
        return _reading(engine, request, concurrency, constants)

    group, speculation = concurrency / stages, engine.techniques.speculation
    # A step checks the proposed tokens as well as the one that it adds.
    checked = group * (speculation.tokens + 1) if speculation else group
    cache = group * _cache_read(engine, request.mean_context)
    read = _weights_read(engine, checked) / weights
    read += cache / (bandwidth * constants.cache_efficiency)
    multiplied = 2 * model.multiplied_parameters * checked / compute
    new_tokens = request.input_tokens - request.cached_input_tokens
    prefill = (2 * model.multiplied_parameters * new_tokens + _attention(model, request)) / compute
    prefill += _link_seconds(engine, new_tokens, constants.link_efficiency)
    step = (
        max(read, multiplied)
        + overhead
        + checked * constants.request_seconds
        + _link_seconds(engine, checked, constants.link_efficiency)
        + _network_seconds(engine, checked)
    )
    tokens = 1.0
    if speculation:
        # The draft proposes one token after the other.
        share = _share_read(engine, group) if speculation.draft_is_of_the_model else 1.0
        drafted = max(
            speculation.draft_bytes * share / weights,
            2 * speculation.draft_parameters * group / compute,
        )
        # A token of each request is chosen after each pass, as after a step.
        passes = speculation.draft_layers * constants.layer_seconds
        drafted += passes + group * constants.request_seconds if passes else 0.0
        step += speculation.tokens * drafted
        prefill += 2 * speculation.draft_parameters * new_tokens / compute
        tokens = speculation.tokens_per_step
    return StepTimes(
        decode=step / tokens,
        prefill=prefill / stages,
        first_token=max(prefill, _weights_read(engine, new_tokens) / weights)
        + overhead
        + _network_seconds(engine, new_tokens),
    )


def texts_in_step(engine: Engine, request: RequestShape) -> float:
    """Returns how many texts a step has room for, over 0; less than 1 for one of several steps.

    An encoder reads each text whole: vLLM raises the budget of a step to the longest text.
    """
    texts = engine.batched_tokens / request.input_tokens
    return max(1.0, texts) if engine.model.is_encoder else texts


def _reading(
    engine: Engine, request: RequestShape, concurrency: int, constants: Constants
) -> StepTimes:
    """Returns the times of a replica that only reads; see the module's docstring.

    `decode` is what all steps take in addition to the texts in them, until those in flight are
    read.
    """
    model, parallel = engine.model, engine.tensor_parallel
    peak = parallel * engine.gpu.compute_tera(engine.precision) * 1e12
    compute = peak * constants.compute_efficiency
    bandwidth = parallel * engine.gpu.bandwidth_gb_per_second * 1e9
    weights = model.weight_bytes(engine.precision) / (bandwidth * constants.memory_efficiency)
    overhead = constants.step_seconds + constants.layer_seconds * model.layers
    tokens = request.input_tokens
    multiplied = 2 * model.multiplied_parameters - 2 * model.parts.embedding
    each = (multiplied * tokens + _attention(model, request)) / compute
    sums = _link_seconds(engine, tokens, constants.link_efficiency)
    steps = max(1.0, concurrency / texts_in_step(engine, request))
    # Where there are few texts a step waits for the weights.
    waits = max(0.0, steps * weights - concurrency * each)
    return StepTimes(
        decode=steps * overhead + waits + concurrency * constants.request_seconds,
        prefill=each + sums,
        first_token=max(each, weights) + sums + overhead,
    )


def _weights_read(engine: Engine, tokens: float) -> float:
    read = engine.model.weight_bytes(engine.precision) * _share_read(engine, tokens)
    return read + copied_bytes(engine)


def _share_read(engine: Engine, tokens: float) -> float:
    # In a mixture of experts, tokens of different requests need different experts: each token
    # leaves out the share of parameters that no token before it needed either.
    model = engine.model
    unused = 1 - model.multiplied_parameters / model.parameters
    return 1 - unused ** max(1.0, tokens) if model.is_mixture_of_experts else 1.0


def copied_bytes(engine: Engine) -> float:
    """Returns what the replica's GPUs hold of its weights beyond one copy, in bytes."""
    if not engine.techniques.data_attention:
        return 0.0
    return (engine.tensor_parallel - 1) * engine.model.weight_bytes_beside_experts(engine.precision)


def _cache_read(engine: Engine, tokens: float) -> float:
    techniques, model = engine.techniques, engine.model
    read = model.bytes_read(
        tokens,
        tensor_parallel=engine.cache_parallel,
        bytes_per_element=techniques.cache_bytes,
    )
    return read * FP8_CACHE_READ if techniques.holds_cache_smaller(model) else read


def _attention(model: ModelFacts, request: RequestShape) -> float:
    # Each new token meets the tokens before it twice (with keys, then with values).
    new_tokens = request.input_tokens - request.cached_input_tokens
    seen = (request.input_tokens + request.cached_input_tokens) / 2
    if model.is_encoder:  # those after them as well
        seen = request.input_tokens
    return model.attention_operations(new_tokens, seen)


def _link_seconds(engine: Engine, tokens: float, efficiency: float) -> float:
    # Two sums over all GPUs a layer; a ring sends 2 (n - 1) / n of the data over each link.
    parallel, model = engine.tensor_parallel, engine.model
    if parallel == 1:
        return 0.0
    sent = 2 * (parallel - 1) / parallel * tokens * model.hidden_size * _ACTIVATION_BYTES
    # Requests that a GPU has to itself are gathered for the experts and scattered again, vLLM's
    # default all-to-all; that is as much as one of the two sums.
    sums = 1 if engine.techniques.data_attention else 2
    return sums * model.layers * sent / (engine.gpu.link_gb_per_second * 1e9 * efficiency)


def _network_seconds(engine: Engine, tokens: float) -> float:
    # From each node to the next, and the chosen tokens back to the first.
    stages = engine.pipeline_parallel
    if stages == 1:
        return 0.0
    sent = tokens * engine.model.hidden_size * _ACTIVATION_BYTES
    return (stages - 1) * sent / NETWORK_BYTES_PER_SECOND + stages * NETWORK_SECONDS
