"""Facts counted from published config.json agree with arithmetic that was done on its own."""

from __future__ import annotations

import pytest

from breakeven.catalog.models import find_model

WITHIN = 0.01

LAYERS_OF_LLAMA_4 = 49_152
INDEX_OF_GLM_5 = 19_968


@pytest.mark.parametrize(
    ("repository", "parameters", "active", "cache"),
    [
        # Arithmetic on the same files, done on its own on 2026-11-29: parameters, those of a token
        # (embedding and all but the experts included), bytes of cache for a token, and the most
        # that windows and states hold for a request, in bf16 and, for states, float32.
        ("Qwen/Qwen3-0.6B", 595_984_384, 595_984_384, (114_688, 0, 0)),
        # By the index of their weights: the embedding once, without an output head.
        ("Qwen/Qwen3-Embedding-0.6B", 595_776_512, 595_776_512, (114_688, 0, 0)),
        ("Qwen/Qwen3-Embedding-8B", 7_567_295_488, 7_567_295_488, (147_456, 0, 0)),
        # An encoder with its pooler; its file has that many numbers, and nothing is cached.
        ("BAAI/bge-m3", 567_754_752, 567_754_752, (0, 0, 0)),
        ("Qwen/Qwen3-32B-FP8", 32_761_446_400, 32_761_446_400, (262_144, 0, 0)),
        ("Qwen/Qwen3-VL-30B-A3B-Instruct", 31_065_665_536, 3_886_575_616, (98_304, 0, 0)),
        ("Qwen/Qwen3-VL-32B-Thinking", 33_351_823_360, 33_351_823_360, (262_144, 0, 0)),
        ("Qwen/Qwen3.5-397B-A17B", 396_797_014_016, 17_799_704_576, (30_720, 0, 192_061_440)),
        ("deepseek-ai/DeepSeek-R1", 671_025_397_760, 37_551_276_032, (70_272, 0, 0)),
        ("deepseek-ai/DeepSeek-V4-Flash", 284_296_478_720, 13_763_870_720, (6_880, 5_636_096, 0)),
        ("google/gemma-4-26B-A4B", 25_777_383_424, 4_366_772_224, (20_480, 209_715_200, 0)),
        # The arithmetic keeps all 48 layers; vLLM keeps the chunk only in 36 of them.
        (
            "meta-llama/Llama-4-Maverick-17B-128E-Instruct",
            400_711_352_320,
            17_184_194_560,
            (LAYERS_OF_LLAMA_4, 147_456 * 8192, 0),
        ),
        ("mistralai/Mixtral-8x7B-v0.1", 46_702_526_464, 12_879_659_008, (131_072, 0, 0)),
        ("moonshotai/Kimi-K2-Instruct", 1_026_407_202_816, 32_860_471_296, (70_272, 0, 0)),
        ("moonshotai/Kimi-K3", 2_779_875_491_840, 105_755_033_600, (27_648, 0, 449_372_160)),
        ("nvidia/DeepSeek-V4-Flash-NVFP4", 284_296_478_720, 13_763_870_720, (6_880, 5_636_096, 0)),
        ("nvidia/Gemma-4-31B-IT-NVFP4", 31_240_955_904, 31_240_955_904, (81_920, 838_860_800, 0)),
        ("nvidia/MiniMax-M2.7-NVFP4", 228_688_920_576, 11_029_708_800, (253_952, 0, 0)),
        (
            "nvidia/NVIDIA-Nemotron-3-Nano-30B-A3B-BF16",
            31_577_794_880,
            3_579_930_944,
            (6_144, 0, 49_082_368),
        ),
        (
            "nvidia/NVIDIA-Nemotron-3-Ultra-550B-A55B-NVFP4",
            549_308_076_032,
            56_057_925_632,
            (12_288, 0, 407_961_600),
        ),
        ("nvidia/Qwen3.6-35B-A3B-NVFP4", 35_102_175_232, 3_896_553_472, (20_480, 0, 64_389_120)),
        (
            "sgl-project/DeepSeek-V4-Pro-FP8",
            1_572_909_875_200,
            49_691_754_496,
            (9_848, 7_995_392, 0),
        ),
        # The arithmetic lists the index keys apart.
        ("zai-org/GLM-5", 743_910_014_976, 41_783_525_376, (89_856 + INDEX_OF_GLM_5, 0, 0)),
    ],
)
def test_counts_are_within_1_percent_of_the_arithmetic(
    repository: str, parameters: int, active: int, cache: tuple[int, int, int]
) -> None:
    model = find_model(repository)
    per_token, windows, state = cache
    assert model.parameters == pytest.approx(parameters, rel=WITHIN)
    assert model.active_parameters == pytest.approx(active, rel=WITHIN)
    assert model.cache_bytes_per_token() == pytest.approx(per_token, rel=WITHIN)
    assert model.state_bytes == pytest.approx(state, rel=WITHIN)
    kept = sum(2 * group.layers * group.cached_numbers * group.window for group in model.groups)
    assert kept == pytest.approx(windows, rel=WITHIN)


@pytest.mark.parametrize(
    ("name", "billions", "active_billions"),
    [
        # Names of the models, and totals of vLLM's recipes (2026-08-21).
        ("qwen3-235b-a22b", 235, 22),
        ("qwen3-coder-480b-a35b-instruct", 480, 35),
        ("qwen3.5-27b", 27, 27),
        ("deepseek-v3.2", 671, 37),
        ("glm-5.2", 743, 40),
        ("mimo-v2-flash", 309, 15),
        ("minimax-m3-nvfp4", 428, 26),
        ("step-3.7-flash", 196, 11),
        ("hy3-preview", 295, 21),
        ("mistral-large-3-675b-instruct-2512", 675, 41),
        ("laguna-xs-2.1", 33, 3),
        ("qwen3-next-80b-a3b-instruct", 80, 3.8),
        ("llama-4-scout-17b-16e-instruct", 109, 17),
        ("nemotron-3-super-120b-a12b-bf16", 121, 12.7),
        ("gemma-4-12b-it", 12, 12),
        ("kimi-k2.5", 1027, 33),
        ("llama-3.3-nemotron-super-49b-v1", 49.9, 49.9),
        ("nemotron-h-56b-base-8k", 56, 56),
    ],
)
def test_counts_are_near_the_published_ones(
    name: str, billions: float, active_billions: float
) -> None:
    model = find_model(name)
    assert model.parameters / 1e9 == pytest.approx(billions, rel=0.015)
    assert model.active_parameters / 1e9 == pytest.approx(active_billions, rel=0.05)


@pytest.mark.parametrize(
    ("name", "precision", "parts"),
    [
        ("qwen3.5-27b", "bf16", {}),
        ("deepseek-r1", "fp8", {"mixer": "fp8", "feed_forward": "fp8", "experts": "fp8"}),
        ("minimax-m2.7-nvfp4", "nvfp4", {"experts": "nvfp4"}),  # attention is left in bf16
        ("kimi-k2.5", "int4", {"experts": "int4"}),
        ("kimi-k3", "mxfp4", {"experts": "mxfp4"}),
        ("gpt-oss-120b", "mxfp4", {"experts": "mxfp4"}),
        ("deepseek-v4-flash", "mixed", {"mixer": "fp8", "experts": "mxfp4"}),
        ("deepseek-v4-flash-nvfp4", "mixed", {"mixer": "fp8", "experts": "nvfp4"}),
        ("qwen3.6-27b-nvfp4", "mixed", {"mixer": "fp8", "feed_forward": "nvfp4"}),
    ],
)
def test_weights_are_as_the_repository_stores_them(
    name: str, precision: str, parts: dict[str, str]
) -> None:
    checkpoint = find_model(name).checkpoint
    assert checkpoint.precision == precision
    assert parts.items() <= checkpoint.parts.items()


@pytest.mark.parametrize(
    ("name", "gigabytes"),
    [
        # Sizes of the weight files: the announcement of Kimi K2.5 (595 GB), gpt-oss' model card.
        ("kimi-k2.5", 595),
        ("gpt-oss-120b", 65.3),
    ],
)
def test_weights_take_what_the_files_take(name: str, gigabytes: float) -> None:
    model = find_model(name)
    taken = model.weight_bytes(model.checkpoint.precision) / 1e9
    assert taken == pytest.approx(gigabytes, rel=0.06)
