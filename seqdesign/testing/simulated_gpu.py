"""A GPU that is none: tensors say ``cuda:0``, hold their numbers on the CPU, and refuse what CUDA refuses.

``SimulatedGPU`` is a context. Inside, ``torch.cuda`` reports one GPU, and what is done on it is computed by
the CPU's kernels after the checks that a GPU makes: operations on two devices, generators of another device,
``numpy()``, gradients of cuDNN's recurrent networks in evaluation, second derivatives that fused attention
lacks. CUDA graphs are simulated, too (simulated_graphs.py). It cannot show what a kernel
computes differently, how fast it is, and how bf16 rounds.

A wrapper is a meta tensor to torch's C++, so autograd needs no CUDA; only Python sees ``cuda:0``.
"""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any
from unittest import mock

import numpy as np
import torch
from torch import Generator, Tensor, nn
from torch.optim import optimizer
from torch.utils import _foreach_utils
from torch.utils._mode_utils import no_dispatch
from torch.utils._python_dispatch import TorchDispatchMode

from seqdesign.devices import randomness
from seqdesign.testing.operations import WAITING
from seqdesign.testing.simulated_graphs import Capture, Graph, Stream, Tape, memory_of, tensors_in

DEVICE = torch.device("cuda", 0)
CPU = torch.device("cpu")
INDEXING = ("index", "index_put", "index_put_", "_index_put_impl_", "_unsafe_index", "_unsafe_index_put")
SCALARS_WELCOME = (
    "where", "masked_fill", "masked_fill_", "fill_", "fill", "lerp", "lerp_", "clamp", "clamp_",
)  # fmt: skip
"""Operations beside the pointwise ones that take a number () on the CPU as if it were Python's."""
VARYING = (
    "put_", "histc", "kthvalue", "nll_loss2d_forward", "adaptive_max_pool2d_backward",
    "_adaptive_avg_pool2d_backward", "reflection_pad1d_backward", "reflection_pad2d_backward",
    "upsample_linear1d_backward", "upsample_bilinear2d_backward", "grid_sampler_2d_backward",
)  # fmt: skip
"""What torch refuses on CUDA with ``use_deterministic_algorithms`` (torch 2.13), beside ``_varies``."""
MOVES = ("_to_copy", "copy_")
FREE_BYTES = 8 << 30


class OnGPU(Tensor):
    """Numbers ``numbers`` on the CPU that are on the simulated GPU to everybody else."""

    numbers: Tensor
    __torch_function__ = torch._C._disabled_torch_function_impl  # type: ignore[assignment]

    @staticmethod
    def __new__(cls, inner: Tensor) -> OnGPU:
        """Put numbers on the GPU."""
        made: OnGPU = Tensor._make_wrapper_subclass(
            cls, inner.shape, strides=inner.stride(), storage_offset=inner.storage_offset(),
            dtype=inner.dtype, device=torch.device("meta"),
        )  # fmt: skip
        made.numbers = inner
        return made

    @classmethod
    def __torch_dispatch__(  # type: ignore[override]
        cls, func: Any, types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        if SimulatedGPU.active is None:
            raise RuntimeError(f"{func}: a tensor of a simulated GPU was used outside of it")
        return SimulatedGPU.active.compute(func, args, kwargs or {})

    device = property(lambda self: DEVICE)
    is_cuda = property(lambda self: True)
    is_cpu = property(lambda self: False)
    is_meta = property(lambda self: False)

    def to(self, *args: Any, **kwargs: Any) -> Any:
        """As Tensor.to: itself where it is there already."""
        if args and isinstance(args[0], Tensor):
            device, dtype = args[0].device, args[0].dtype
        else:
            device, dtype, *_ = torch._C._nn._parse_to(*args, **kwargs)
        if device is not None and device.type != "cuda":
            return super().to(device, dtype or self.dtype)
        return self if dtype in (None, self.dtype) else super().to(dtype)

    def __getitem__(self, index: Any) -> Any:
        return super().__getitem__(_there(index))

    def __setitem__(self, index: Any, value: Any) -> None:
        super().__setitem__(_there(index), value)

    def cuda(self, *args: Any, **kwargs: Any) -> Any:
        """Itself."""
        return self

    def numpy(self, *args: Any, **kwargs: Any) -> Any:
        """As CUDA: refused."""
        raise TypeError("can't convert cuda:0 device type tensor to numpy. Use Tensor.cpu() first")

    __array__ = numpy

    def tolist(self) -> Any:
        """Over the CPU."""
        return self.cpu().tolist()

    def new_tensor(
        self,
        data: Any,
        dtype: Any = None,
        device: Any = None,
        requires_grad: bool = False,
        pin_memory: bool = False,
    ) -> Tensor:
        """From the host."""
        return torch.tensor(data, dtype=dtype or self.dtype).to(device or DEVICE)

    def data_ptr(self) -> int:
        """Of the memory on the CPU."""
        return self.numbers.data_ptr()

    def get_device(self) -> int:
        """The first."""
        return 0

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        if id(self) not in memo:
            copy: Tensor = self.detach().clone().requires_grad_(self.requires_grad)
            memo[id(self)] = nn.Parameter(copy) if isinstance(self, nn.Parameter) else copy
        return memo[id(self)]

    def __repr__(self, *, tensor_contents: Any = None) -> str:  # type: ignore[override]
        return f"OnGPU({self.numbers!r})"


class _Generator(Generator):
    """``torch.Generator`` of the CPU or of the simulated GPU."""

    def __new__(cls, device: Any = "cpu") -> _Generator:
        made = super().__new__(cls)
        made.place = DEVICE if torch.device(device).type == "cuda" else CPU
        if made.place == DEVICE:
            _active().generators[made._cdata] = made  # type: ignore[attr-defined]
        return made

    def __init__(self, device: Any = "cpu") -> None:
        pass

    place: torch.device
    device = property(lambda self: self.place)


class SimulatedGPU(TorchDispatchMode):
    """Inside, there is a GPU. ``moves``: copies between the devices; ``waits``: what the host waited for.

    most_bytes: larger tensors do not fit, and raise torch.OutOfMemoryError.
    """

    active: SimulatedGPU | None = None

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        return False  # nothing is compiled here, and torch._dynamo takes a second to import

    def __init__(self, most_bytes: int | None = None) -> None:
        super().__init__()
        self.most_bytes = most_bytes
        self.moves: Counter[str] = Counter()
        self.waits: Counter[str] = Counter()
        self.generators: dict[int, Generator] = {}
        self.luck = Generator().manual_seed(0).get_state()
        self.tape: Tape | None = None
        self.stream = Stream()
        self.pools: dict[object, list[Tape]] = {}
        self.replays = 0
        self.patches = contextlib.ExitStack()

    def __enter__(self) -> SimulatedGPU:
        if SimulatedGPU.active is not self:
            assert SimulatedGPU.active is None, "one GPU at a time"
            self.patches.enter_context(_patched(self))
            SimulatedGPU.active = self
            self.patches.callback(lambda: setattr(SimulatedGPU, "active", None))
            self.entered = 0
        self.entered += 1
        super().__enter__()
        return self

    def __exit__(self, *what: Any) -> None:
        super().__exit__(*what)
        self.entered -= 1
        if not self.entered:
            self.patches.close()

    @contextlib.contextmanager
    def on_stream(self, stream: Stream) -> Iterator[None]:
        """Inside, that is the current one."""
        before, self.stream = self.stream, stream
        try:
            yield
        finally:
            self.stream = before

    @contextlib.contextmanager
    def paused(self) -> Iterator[None]:
        """Inside, the CPU is itself."""
        with torch.utils._python_dispatch._disable_current_modes():
            yield

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        return self.compute(func, args, kwargs or {})

    def compute(self, func: Any, args: Any, kwargs: dict[str, Any]) -> Any:
        """One operation, checked as a GPU does it and computed on the CPU."""
        tensors = tensors_in((args, kwargs))
        assert not any(t.device.type == "meta" for t in tensors), f"{func}: a copy was made out of sight"
        device, there = kwargs.get("device"), any(isinstance(t, OnGPU) for t in tensors)
        mixed = there and any(not isinstance(t, OnGPU) for t in tensors)
        if device is not None:
            kwargs = {**kwargs, "device": CPU}
            moved = bool(tensors) and there != (device.type != "cpu")
            there = device.type != "cpu"
        else:
            moved = False
        name = func._schema.name.partition("::")[2]
        if mixed:
            moved = self._agree(func, name, args, tensors) or moved
        if there and torch.are_deterministic_algorithms_enabled() and _varies(func, name, args):
            raise RuntimeError(f"{func} does not have a deterministic implementation")
        self._note(func, name, args, moved=moved, there=there or (bool(tensors) and mixed))
        if there and torch.Tag.inplace_view in func.tags:
            return self._reshaped(func, args, kwargs)
        plain_args, plain_kwargs = _plain(args), {key: _plain(value) for key, value in kwargs.items()}
        plain_kwargs.pop("pin_memory", None)
        if self.tape is not None and there:
            self._keep_what_changes(func, plain_args, plain_kwargs)
        found = self.drawn(func, plain_args, plain_kwargs, there=there)
        if self.tape is not None and there:
            self._record(func, plain_args, plain_kwargs, found)
        return self._placed(found, tensors, there=there)

    def _reshaped(self, func: Any, args: Any, kwargs: dict[str, Any]) -> OnGPU:
        """What changes a shape in place gives the tensor another view of its memory, on a tape as well."""
        changed: OnGPU = args[0]
        changed.numbers = func(changed.numbers.view_as(changed.numbers), *args[1:], **kwargs)
        with no_dispatch():  # the wrapper's own shape
            func(*args, **kwargs)
        return changed

    def _agree(self, func: Any, name: str, args: Any, tensors: list[Tensor]) -> bool:
        """Whether tensors of two devices meet in a copy. Raises RuntimeError where CUDA does."""
        if name in MOVES:
            return True
        host = [t for t in tensors if not isinstance(t, OnGPU)]
        if name in INDEXING and isinstance(args[0], OnGPU):
            indices = [t for t in host if any(t is i for i in args[1])]
            if all(t.ndim == 0 for t in host if not any(t is i for i in indices)):
                return bool(indices)
        single = all(t.ndim == 0 for t in host)
        welcome = torch.Tag.pointwise in func.tags or name in SCALARS_WELCOME or name.startswith("_foreach")
        if not (single and welcome):
            found = ", ".join(f"{t.device} {tuple(t.shape)}" for t in tensors)
            raise RuntimeError(f"Expected all tensors to be on the same device ({func}: {found})")
        if self.tape is not None:
            raise RuntimeError(f"{func}: a number on the CPU would be captured as it is now")
        return False

    def _note(self, func: Any, name: str, args: Any, *, moved: bool, there: bool) -> None:
        """Count what makes the host wait. Raises RuntimeError where a capture forbids it."""
        wait = None
        on_gpu = there or any(isinstance(t, OnGPU) for t in tensors_in(args))
        if on_gpu and (name in WAITING or name == "_linalg_check_errors"):
            wait = name
        elif (
            on_gpu
            and name in INDEXING
            and any(isinstance(i, Tensor) and i.dtype in (torch.bool, torch.uint8) for i in args[1])
        ):
            wait = "mask"
        if moved:
            self.moves[name] += 1
        if wait:
            self.waits[wait] += 1
        if self.tape is not None and (wait or moved):
            raise RuntimeError(f"operation not permitted when stream is capturing: {func}")

    def drawn(self, func: Any, args: Any, kwargs: dict[str, Any], *, there: bool) -> Any:
        """The operation on the CPU; random numbers come from the generators of the place where it is."""
        given = [g for g in (*args, *kwargs.values()) if isinstance(g, Generator)]
        for generator in given:
            known = generator._cdata in self.generators  # type: ignore[attr-defined]
            if known != there:
                names = ("cuda", "cpu") if there else ("cpu", "cuda")
                raise RuntimeError(
                    f"Expected a '{names[0]}' device type for generator but found '{names[1]}' ({func})"
                )
        random = bool(given) or torch.Tag.nondeterministic_seeded in func.tags
        if random and self.tape is not None:
            if not there:
                raise RuntimeError(f"{func}: a random number of the CPU would be captured as it is now")
            if any(g._cdata not in self.tape.generators for g in given):  # type: ignore[attr-defined]
                raise RuntimeError(f"{func}: the generator is not registered with the graph")
        if not random or given or not there:
            return func(*args, **kwargs)
        mine = torch.default_generator.get_state()
        torch.default_generator.set_state(self.luck)
        try:
            return func(*args, **kwargs)
        finally:
            self.luck = torch.default_generator.get_state()
            torch.default_generator.set_state(mine)

    def _keep_what_changes(self, func: Any, args: Any, kwargs: dict[str, Any]) -> None:
        """Note how memory was before the capture."""
        assert self.tape is not None
        for place, argument in enumerate(func._schema.arguments):
            if argument.alias_info is None or not argument.alias_info.is_write:
                continue
            value = args[place] if place < len(args) else kwargs.get(argument.name)
            for tensor in tensors_in(value):
                memory = memory_of(tensor)
                if memory not in self.tape.made and memory not in self.tape.before:
                    whole = torch.empty(0, dtype=torch.uint8).set_(tensor.untyped_storage())
                    self.tape.before[memory] = (tensor, whole.clone())

    def _record(self, func: Any, args: Any, kwargs: dict[str, Any], found: Any) -> None:
        assert self.tape is not None
        old = {memory_of(t) for t in tensors_in((args, kwargs))}
        outputs = [(t, memory_of(t) not in old) for t in tensors_in(found)]
        self.tape.made |= {memory_of(t) for t, own in outputs if own}
        self.tape.calls.append((func, args, kwargs, outputs))

    def _placed(self, found: Any, tensors: list[Tensor], *, there: bool) -> Any:
        """Results as tensors of their device; what was changed in place is what was given."""
        if isinstance(found, list | tuple):
            return type(found)(self._placed(each, tensors, there=there) for each in found)
        if not isinstance(found, Tensor) or not there:
            return found
        for given in tensors:
            if isinstance(given, OnGPU) and given.numbers is found:
                assert given.shape == found.shape, "an operation that changes shapes in place"
                return given
        if self.most_bytes is not None and found.numel() * found.element_size() > self.most_bytes:
            raise torch.OutOfMemoryError("CUDA out of memory (simulated)")
        return OnGPU(found)


def _active() -> SimulatedGPU:
    assert SimulatedGPU.active is not None
    return SimulatedGPU.active


def _varies(func: Any, name: str, args: Any) -> bool:
    """Whether CUDA has no kernel for this call that always adds up in the same order."""
    if name in ("cumsum", "cumsum_"):
        return bool(args[0].dtype.is_floating_point)
    if name == "bincount":
        return len(args) > 1 and args[1] is not None
    if name in ("median", "nanmedian"):
        return len(func._schema.returns) == 2  # values, and where they stand
    return name in VARYING or (name.startswith("scatter_reduce") and "prod" in map(str, args[4:]))


def _plain(value: Any) -> Any:
    """The same with the numbers on the CPU."""
    if isinstance(value, OnGPU):
        return value.numbers
    return type(value)(map(_plain, value)) if isinstance(value, list | tuple) else value


def _there(index: Any) -> Any:
    """An index whose lists are tensors; of lists torch makes them itself, out of sight."""
    if isinstance(index, tuple):
        return tuple(map(_there, index))
    return torch.tensor(index).to(DEVICE) if isinstance(index, list | range | np.ndarray) else index


def _made(make: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """``torch.tensor`` and its like, whose copy to the device does not pass the dispatcher."""

    def made(data: Any, *, dtype: Any = None, device: Any = None, **given: Any) -> Tensor:
        if device is None or torch.device(device).type != "cuda":
            return make(data, dtype=dtype, **({} if device is None else {"device": device}), **given)
        if isinstance(data, OnGPU):
            return data.to(dtype=dtype or data.dtype)
        return make(data, dtype=dtype, **given).to(DEVICE)

    return made


def _recurrent(run: Callable[..., Any]) -> Callable[..., Any]:
    """A recurrent network as cuDNN has it."""

    def checked(*args: Any) -> Any:
        found = run(*args)
        packed = isinstance(args[1], Tensor) and args[1].dtype == torch.int64
        weights, training = args[3 if packed else 2], args[7 if packed else 6]
        if not isinstance(weights[0], OnGPU) or not torch.backends.cudnn.enabled:
            return found

        def backward(gradient: Tensor) -> None:
            if not training:
                raise RuntimeError("cudnn RNN backward can only be called in training mode")
            if torch.is_grad_enabled():
                raise NotImplementedError("the derivative for '_cudnn_rnn_backward' is not implemented")

        for tensor in tensors_in(found):
            if tensor.requires_grad:
                tensor.register_hook(backward)
        return found

    return checked


def _attention(run: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """Attention whose fused kernels have no second derivative."""

    def backward(gradient: Tensor) -> None:
        if torch.is_grad_enabled():
            raise NotImplementedError(
                "derivative for aten::_scaled_dot_product_efficient_attention_backward is not implemented"
            )

    def checked(*args: Any, **kwargs: Any) -> Tensor:
        found = run(*args, **kwargs)
        if isinstance(found, OnGPU) and found.requires_grad:
            found.register_hook(backward)
        return found

    return checked


def _module_to(plain: Callable[..., nn.Module]) -> Callable[..., nn.Module]:
    """``Module.to``, by which parameters stay the same objects, as they do with CUDA."""

    def to(self: nn.Module, *args: Any, **kwargs: Any) -> nn.Module:
        before = torch.__future__.get_swap_module_params_on_conversion()
        torch.__future__.set_swap_module_params_on_conversion(True)
        try:
            return plain(self, *args, **kwargs)
        finally:
            torch.__future__.set_swap_module_params_on_conversion(before)

    return to


def _without_gradient(self: Any) -> None:
    """Instead of inference mode, whose tensors wrappers cannot be; it differs by speed alone."""
    self.before = torch.is_grad_enabled()
    torch.set_grad_enabled(False)


def _as_before(self: Any, *what: object) -> None:
    torch.set_grad_enabled(self.before)


def _cuda(gpu: SimulatedGPU) -> dict[str, Any]:
    """What ``torch.cuda`` has where there is a GPU."""

    def seed(number: int) -> None:
        gpu.luck = Generator().manual_seed(number).get_state()

    def set_state(state: Tensor, device: Any = None) -> None:
        gpu.luck = state

    nothing: dict[str, Any] = dict.fromkeys(
        ("_lazy_init", "init", "synchronize", "empty_cache", "reset_peak_memory_stats", "set_device"),
        lambda *_, **__: None,
    )
    return nothing | {
        "is_available": lambda: True, "is_initialized": lambda: True, "device_count": lambda: 1,
        "current_device": lambda: 0, "get_device_name": lambda *_: "simulated GPU",
        "get_device_capability": lambda *_: (9, 0), "is_bf16_supported": lambda *_, **__: True,
        "mem_get_info": lambda *_: (FREE_BYTES, FREE_BYTES), "memory_reserved": lambda *_: 0,
        "memory_allocated": lambda *_: 0, "max_memory_allocated": lambda *_: 0,
        "manual_seed": seed, "manual_seed_all": seed, "get_rng_state": lambda *_: gpu.luck,
        "set_rng_state": set_state, "CUDAGraph": partial(Graph, gpu), "graph": partial(Capture, gpu),
        "Stream": Stream, "stream": gpu.on_stream, "current_stream": lambda *_: gpu.stream,
        "set_stream": lambda stream: setattr(gpu, "stream", stream), "graph_pool_handle": object,
        "is_current_stream_capturing": lambda: gpu.tape is not None,
    }  # fmt: skip


@contextlib.contextmanager
def _patched(gpu: SimulatedGPU) -> Iterator[None]:
    """``torch`` as it is where there is a GPU."""
    import torch._dynamo  # optimizers do, and what is replaced below confuses it while it is read

    functional, vf = nn.functional, torch._VF
    changes: list[tuple[Any, str, Any]] = [(torch.cuda, *change) for change in _cuda(gpu).items()]
    changes += [(torch, name, _made(getattr(torch, name))) for name in ("tensor", "as_tensor", "asarray")]
    changes += [(vf, name, _recurrent(getattr(vf, name))) for name in ("gru", "lstm")]
    changes += [
        (functional, "scaled_dot_product_attention", _attention(functional.scaled_dot_product_attention)),
        (nn.RNNBase, "flatten_parameters", lambda self: None),
        (nn.Module, "to", _module_to(nn.Module.to)),
        (torch.inference_mode, "__enter__", _without_gradient),
        (torch.inference_mode, "__exit__", _as_before),
        (_foreach_utils, "_foreach_supported_types", [Tensor, OnGPU]),
        (_foreach_utils, "_device_has_foreach_support", lambda device: True),
        (optimizer, "_foreach_supported_types", [Tensor, nn.Parameter, OnGPU]),
        (torch, "Generator", _Generator),
        (randomness, "Generator", _Generator),
    ]
    precision = torch.get_float32_matmul_precision()
    with contextlib.ExitStack() as stack:
        for owner, name, value in changes:
            stack.enter_context(mock.patch.object(owner, name, value, create=owner is vf))
        try:
            yield
        finally:
            torch.set_float32_matmul_precision(precision)
