"""The network as a function of arrays: what it finds, batches, arithmetic, devices."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import torch
from green_plants import draw_pot, green_model, leaf_areas

from phenopipe.config import PredictSettings
from phenopipe.encoding import encode_distance, encode_embedding
from phenopipe.errors import ModelError
from phenopipe.model.wnet import WNet
from phenopipe.predict import Network

torch.set_num_threads(1)
SIDE = 64
CROPS = np.random.default_rng(0).integers(0, 256, (5, SIDE, SIDE, 3), dtype=np.uint8)


def settings(**changed) -> PredictSettings:
    return PredictSettings(**{"device": "cpu", "precision": "fp32"} | changed)


@pytest.fixture
def random_network() -> WNet:
    """An untrained network: every weight and normalisation takes part."""
    torch.manual_seed(0)
    model = WNet("tiny", 6)
    with torch.no_grad():  # statistics that folding must not ignore
        model.train()(torch.from_numpy(CROPS).permute(0, 3, 1, 2))
    return model.eval()


def ready(model: WNet, **changed) -> Network:
    """Make a copy ready: the model itself would be folded."""
    return Network(copy.deepcopy(model), settings(**changed))


def test_it_finds_what_is_green() -> None:
    rgb = draw_pot(128)
    distance, embedding = Network(green_model(), settings())(rgb[None])
    leaf = embedding[0] @ np.full(4, -0.5) < np.cos(np.pi / 4)
    green = rgb[..., 1].astype(int) - rgb[..., 0] > 0
    assert np.array_equal(leaf, green)
    assert leaf.sum() == pytest.approx(sum(leaf_areas(128)), rel=0.02)
    assert (distance[0][~green] < 1e-6).all()
    assert (distance[0][green] > 0.15).all()
    assert distance[0][int(0.3 * 128), int(0.3 * 128)] > 0.5


def test_shapes_ranges_and_types(random_network: WNet) -> None:
    distance, embedding = ready(random_network)(CROPS)
    assert distance.shape == (5, SIDE, SIDE)
    assert distance.dtype == embedding.dtype == np.float32
    assert 0 <= distance.min() <= distance.max() <= 1
    np.testing.assert_allclose(np.linalg.norm(embedding, axis=-1), 1, atol=1e-5)
    assert embedding.shape == (5, SIDE, SIDE, 6)


def test_what_is_no_number_is_not_stored_as_soil(random_network: WNet) -> None:
    broken = copy.deepcopy(random_network)
    with torch.no_grad():
        broken.embedding_head.weight.fill_(float("nan"))
    with pytest.raises(ModelError, match="the network gives NaN or infinite values in"):
        Network(broken, settings()).encode(CROPS)


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_the_distance_alone_is_that_of_both(random_network: WNet, precision: str) -> None:
    network = ready(random_network, precision=precision)
    np.testing.assert_array_equal(network.distance(CROPS), network(CROPS)[0])


@pytest.mark.parametrize("batch_size", [1, 2, 5, 64])
def test_batches_change_nothing(random_network: WNet, batch_size: int) -> None:
    one_by_one = [ready(random_network)(crop[None]) for crop in CROPS]
    distance, embedding = ready(random_network, batch_size=batch_size)(CROPS)
    np.testing.assert_allclose(distance, np.concatenate([d for d, _ in one_by_one]), atol=1e-5)
    np.testing.assert_allclose(embedding, np.concatenate([e for _, e in one_by_one]), atol=1e-4)


def test_folding_and_memory_layout_change_nothing(random_network: WNet) -> None:
    with torch.inference_mode():
        plain, vectors = random_network(torch.from_numpy(CROPS).permute(0, 3, 1, 2))
    distance, embedding = ready(random_network)(CROPS)
    np.testing.assert_allclose(distance, (plain / 10).clamp(0, 1).numpy(), atol=1e-5)
    np.testing.assert_allclose(embedding, vectors.permute(0, 2, 3, 1).numpy(), atol=1e-4)


def test_bfloat16_is_close_to_float32(random_network: WNet) -> None:
    exact = ready(random_network)
    reduced = ready(random_network, precision="bf16")
    assert reduced.dtype == torch.bfloat16
    (d32, e32), (d16, e16) = exact(CROPS), reduced(CROPS)
    assert d16.dtype == e16.dtype == np.float32
    np.testing.assert_allclose(d16, d32, atol=0.02)
    cosines = np.einsum("...e,...e->...", e16, e32)
    assert np.quantile(cosines, 0.01) > 0.99
    np.testing.assert_allclose(np.linalg.norm(e16, axis=-1), 1, atol=1e-5)


def test_no_crops_give_no_predictions() -> None:
    distance, embedding = Network(green_model(), settings())(np.zeros((0, 32, 48, 3), np.uint8))
    assert distance.shape == (0, 32, 48)
    assert embedding.shape == (0, 32, 48, 4)


def test_pictures_of_any_strides(random_network: WNet) -> None:
    network = ready(random_network)
    turned = CROPS[:2, ::-1, :, ::-1]
    np.testing.assert_array_equal(network(turned)[0], network(turned.copy())[0])


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU here")
def test_a_missing_gpu_is_one_clear_line() -> None:
    with pytest.raises(ModelError, match=r"^predict\.device: is cuda, but .* set it to") as caught:
        Network(green_model(), PredictSettings(device="cuda"))
    assert len(caught.value.problems) == 1


def test_auto_takes_a_device_that_is_there() -> None:
    expected = "cuda" if torch.cuda.is_available() else "cpu"
    assert Network(green_model(), PredictSettings()).device.type == expected


@pytest.mark.parametrize("batch_size", [1, 3, 64])
def test_encoded_on_the_device_is_encoded_in_numpy(random_network: WNet, batch_size: int) -> None:
    network = ready(random_network, batch_size=batch_size)
    exact = network(CROPS)
    distance, embedding = network.encode(CROPS)
    np.testing.assert_array_equal(distance, encode_distance(exact[0]))
    np.testing.assert_array_equal(embedding, encode_embedding(exact[1], exact[0]))


def limited_to(monkeypatch: pytest.MonkeyPatch, most: int) -> list[int]:
    """Let passes of more crops run out of memory; returns the sizes of those that were tried."""
    tried: list[int] = []

    def limit(run):
        def limited(self: WNet, rgb: torch.Tensor):
            tried.append(len(rgb))
            if len(rgb) > most:
                raise torch.OutOfMemoryError("tried to allocate 20 GiB\nof which ...")
            return run(self, rgb)

        return limited

    monkeypatch.setattr(WNet, "forward", limit(WNet.forward))
    monkeypatch.setattr(WNet, "distance", limit(WNet.distance))
    return tried


def test_a_batch_that_does_not_fit_is_halved_for_good(
    random_network: WNet, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    expected = ready(random_network, batch_size=1)(CROPS)
    tried = limited_to(monkeypatch, 1)
    network = ready(random_network, batch_size=4)
    for ours, theirs in zip(network(CROPS), expected, strict=True):
        np.testing.assert_array_equal(ours, theirs)
    assert tried == [4, 2, 1, 1, 1, 1, 1]
    assert network.batch_size == 1
    assert "4 crops of 64x64 px do not fit into the memory of cpu: going on with 2" in caplog.text


def test_one_crop_waits_for_the_memory_of_another_pass(
    random_network: WNet, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = ready(random_network)(CROPS[:1])
    free, plain = iter([False, False, True]), WNet.forward

    def forward(self: WNet, rgb: torch.Tensor):
        if next(free):
            return plain(self, rgb)
        raise torch.OutOfMemoryError("another pass has it")

    network = ready(random_network)
    monkeypatch.setattr(WNet, "forward", forward)
    for ours, theirs in zip(network(CROPS[:1]), expected, strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_a_size_that_another_thread_has_halved_is_not_raised_again(
    random_network: WNet, monkeypatch: pytest.MonkeyPatch
) -> None:
    network = ready(random_network, batch_size=4)
    plain = WNet.forward

    def forward(self: WNet, rgb: torch.Tensor):
        if len(rgb) == 4:
            network.batch_size = 1  # as by a thread that failed meanwhile
            raise torch.OutOfMemoryError("full")
        return plain(self, rgb)

    monkeypatch.setattr(WNet, "forward", forward)
    network(CROPS)
    assert network.batch_size == 1


def test_a_network_that_does_not_fit_is_one_clear_line(monkeypatch: pytest.MonkeyPatch) -> None:
    def to(*_: object, **__: object) -> None:
        raise torch.OutOfMemoryError("full")

    monkeypatch.setattr(WNet, "to", to)
    with pytest.raises(ModelError, match=r"predict\.device: the network does not fit .* of cpu"):
        Network(green_model(), settings())


def test_too_little_memory_for_one_crop_names_the_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("phenopipe.predict.network.RETRIES_S", (0.0,))
    limited_to(monkeypatch, 0)
    network = Network(green_model(), settings(batch_size=2))
    for run in (network, network.encode, network.distance):
        with pytest.raises(
            ModelError, match=r"^predict\.network_size: 1 crop of 64x64 px does not .* lower it"
        ):
            run(CROPS)


def test_where_compiling_fails_it_goes_on_without(
    random_network: WNet, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def no_compiler(_function, **_options):
        def fail(_images: torch.Tensor) -> None:
            raise RuntimeError("no C++ compiler\nlong story")

        return fail

    monkeypatch.setattr(torch, "compile", no_compiler)
    network = ready(random_network, compile=True)
    np.testing.assert_array_equal(network(CROPS)[0], ready(random_network)(CROPS)[0])
    assert "predict.compile: going on without, since it fails here (no C++ compiler)" in caplog.text


def test_the_largest_batch_alone_is_compiled(
    random_network: WNet, monkeypatch: pytest.MonkeyPatch
) -> None:
    compiled: list[int] = []

    def compiler(function, **_options):
        def call(images: torch.Tensor):
            compiled.append(len(images))
            return function(images)

        return call

    monkeypatch.setattr(torch, "compile", compiler)
    network = ready(random_network, compile=True, batch_size=3)
    for _ in range(2):
        network.encode(CROPS)  # 3 and 2
    assert compiled == [3, 3]


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_a_gpu_says_what_a_cpu_says(random_network: WNet, precision: str) -> None:
    """Within the tolerance that docs/formats.md states."""
    here = ready(random_network, precision="fp32")(CROPS)
    there = ready(random_network, device="cuda", precision=precision)
    there.probe_batch_size(SIDE, SIDE)
    distance, embedding = there(CROPS)
    tolerance = 0.001 if precision == "fp32" else 0.02
    np.testing.assert_allclose(distance, here[0], atol=tolerance)
    cosines = np.einsum("...e,...e->...", embedding, here[1])
    assert np.quantile(cosines, 0.01) > 1 - 2 * tolerance


@pytest.mark.parametrize(
    ("seconds", "size"), [([np.inf] * 9, 4), ([1.0, np.inf], 4), ([1.0, 0.5, 0.49], 8)]
)
def test_probing_ends_where_more_crops_do_not_pay_or_none_fit(
    random_network, monkeypatch, seconds, size
):
    network = ready(random_network, device="cpu")
    assert network.batch_size == 4
    answers = iter(seconds)
    monkeypatch.setattr(network, "device", torch.device("cuda"))
    monkeypatch.setattr(network, "_seconds_per_crop", lambda *_: next(answers))
    network.probe_batch_size(SIDE, SIDE)
    assert network.batch_size == size
