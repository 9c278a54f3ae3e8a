"""The simulated GPU refuses what CUDA refuses, and a replay does what was captured."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import pytest
import torch
from torch import Tensor, nn

from seqdesign.devices.randomness import generator
from seqdesign.testing.simulated_gpu import SimulatedGPU

GPU = torch.device("cuda", 0)


@pytest.fixture
def gpu() -> Iterator[SimulatedGPU]:
    if torch.cuda.is_available():
        pytest.skip("there is a real GPU")
    with SimulatedGPU() as simulated:
        yield simulated


def test_nothing_of_it_is_left_behind() -> None:
    if torch.cuda.is_available():
        pytest.skip("there is a real GPU")
    with SimulatedGPU():
        x = torch.ones(2, device=GPU)
        assert torch.cuda.is_available()
    assert not torch.cuda.is_available()
    with pytest.raises(RuntimeError, match="outside of it"):
        x + 1
    with torch.inference_mode():
        assert torch.ones(2).is_inference()


REFUSED: dict[str, tuple[Callable[[Tensor], object], str]] = {
    "two devices": (lambda x: x + torch.ones(3), "same device"),
    "two devices in a list": (lambda x: torch.cat([x, torch.ones(3)]), "same device"),
    "a number that is no operand": (lambda x: torch.stack([x.sum(), torch.ones(())]), "same device"),
    "an index on the GPU": (lambda x: torch.ones(3)[x.long()], "same device"),
    "a generator": (lambda x: torch.rand(3, device=GPU, generator=generator(0)), "'cuda' device type"),
    "a generator of it": (lambda x: torch.rand(3, generator=generator(0, GPU)), "'cpu' device type"),
    "numpy": (lambda x: x.numpy(), "can't convert cuda:0"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cuda_refuses_is_refused(name: str, gpu: SimulatedGPU) -> None:
    call, message = REFUSED[name]
    with pytest.raises((RuntimeError, TypeError), match=message):
        call(torch.ones(3, device=GPU))


def test_what_cuda_takes_is_taken(gpu: SimulatedGPU) -> None:
    x = torch.arange(3.0, device=GPU)
    more = x + torch.ones(())
    assert not gpu.moves, "a number is no copy"
    assert more.tolist() == [1.0, 2.0, 3.0]
    assert x[torch.tensor([2, 0])].tolist() == x[[2, 0]].tolist() == [2.0, 0.0]
    assert gpu.moves["index"] == 1
    assert bool((x > 1).any())
    assert gpu.waits["_local_scalar_dense"] == 1
    x[x > 1] = 5.0
    assert x.tolist() == [0.0, 1.0, 5.0]
    assert gpu.waits["mask"] == 1
    assert x.device == x.new_tensor([1.0]).device == torch.zeros_like(x).device == GPU


def test_random_numbers_of_it_are_its_own(gpu: SimulatedGPU) -> None:
    first = torch.rand(3, device=GPU, generator=generator(5, GPU))
    assert torch.equal(first, torch.rand(3, device=GPU, generator=generator(5, GPU)))
    torch.manual_seed(1)
    on_cpu = torch.rand(3)
    torch.manual_seed(1)
    torch.rand(7, device=GPU)
    assert torch.equal(torch.rand(3), on_cpu)


def test_parameters_stay_the_same_objects(gpu: SimulatedGPU) -> None:
    net = nn.GRU(2, 3)
    before = list(net.parameters())
    net.to(GPU)
    assert all(a is b and b.device == GPU for a, b in zip(before, net.parameters(), strict=True))


@pytest.mark.parametrize("make", [nn.GRU, nn.LSTM])
def test_recurrent_networks_have_no_gradient_in_evaluation(make: type[nn.GRU], gpu: SimulatedGPU) -> None:
    net, x = make(2, 3).to(GPU), torch.ones(1, 4, 2, device=GPU, requires_grad=True)
    net(x)[0].sum().backward()
    with pytest.raises(RuntimeError, match="training mode"):
        net.eval()(x)[0].sum().backward()
    net.train()
    with pytest.raises(NotImplementedError, match="_cudnn_rnn_backward"):
        torch.autograd.grad(net(x)[0].sum(), x, create_graph=True)


def test_a_replay_does_what_was_captured(gpu: SimulatedGPU) -> None:
    given, total = torch.ones(2, device=GPU), torch.zeros(2, device=GPU)
    rng, graph = generator(3, GPU), torch.cuda.CUDAGraph()
    graph.register_generator_state(rng)
    with torch.cuda.graph(graph):
        drawn = torch.rand(2, device=GPU, generator=rng)
        total += (given * 2).view(1, 2)[0] + 0 * drawn
    assert total.tolist() == [0.0, 0.0], "nothing is done yet"
    assert drawn.isnan().all(), "and what will be there is not there"
    for _ in range(2):
        rng.manual_seed(3)
        graph.replay()
    assert total.tolist() == [4.0, 4.0]
    assert torch.equal(drawn, torch.rand(2, device=GPU, generator=generator(3, GPU)))
    given.fill_(10.0)
    graph.replay()
    assert total.tolist() == [24.0, 24.0]


FORBIDDEN: dict[str, tuple[Callable[[Tensor], object], str]] = {
    "reading": (lambda x: float(x[0]), "not permitted"),
    "choosing": (lambda x: x[x > 0], "not permitted"),
    "bringing": (lambda x: x + torch.tensor([1.0, 2.0]).to(GPU), "not permitted"),
    "a list": (lambda x: x[[0, 1]], "not permitted"),
    "fetching": (lambda x: x.cpu(), "not permitted"),
    "a number": (lambda x: x * torch.tensor(2.0), "as it is now"),
    "drawing there": (lambda x: torch.rand(2, device=GPU, generator=generator(0, GPU)), "not registered"),
    "drawing here": (lambda x: torch.rand(2), "as it is now"),
}


@pytest.mark.parametrize("name", FORBIDDEN)
def test_what_a_capture_forbids_is_refused(name: str, gpu: SimulatedGPU) -> None:
    call, message = FORBIDDEN[name]
    x = torch.ones(2, device=GPU)
    with (
        pytest.raises(RuntimeError, match="previous error during capture") as caught,
        torch.cuda.graph(torch.cuda.CUDAGraph()),
    ):
        call(x)
    assert re.search(message, str(caught.value.__context__))
    assert x.tolist() == [1.0, 1.0], "and the GPU goes on"


def test_the_end_of_a_capture_restores_the_stream_unless_it_failed(gpu: SimulatedGPU) -> None:
    here, side = torch.cuda.current_stream(), torch.cuda.Stream(GPU)
    with torch.cuda.graph(torch.cuda.CUDAGraph(), stream=side):
        assert torch.cuda.current_stream() is side
    assert torch.cuda.current_stream() is here
    with pytest.raises(RuntimeError), torch.cuda.graph(torch.cuda.CUDAGraph(), stream=side):
        torch.ones(2, device=GPU).tolist()
    assert torch.cuda.current_stream() is side


@pytest.mark.parametrize("shared", [False, True])
def test_what_a_graph_made_is_lost_when_another_of_its_pool_is_replayed(
    shared: bool, gpu: SimulatedGPU
) -> None:
    x, pool = torch.ones(2, device=GPU), torch.cuda.graph_pool_handle() if shared else None
    graphs, made = [torch.cuda.CUDAGraph() for _ in range(2)], []
    for graph in graphs:
        with torch.cuda.graph(graph, pool=pool):
            made.append(x * 2)
    graphs[0].replay()
    assert made[0].tolist() == [2.0, 2.0]
    graphs[1].replay()
    assert made[1].tolist() == [2.0, 2.0]
    assert bool(made[0].isnan().all()) == shared


def test_memory_may_be_made_small(gpu: SimulatedGPU) -> None:
    gpu.most_bytes = 100
    torch.ones(25, device=GPU)
    with pytest.raises(torch.OutOfMemoryError):
        torch.ones(26, device=GPU)
