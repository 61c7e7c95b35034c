"""The know-how: one file a tip. `ALL` lists them in the order in which they decide."""

from fieldcraft.tips import (
    activation,
    allocator,
    architecture,
    augmentation,
    batch_size,
    denormals,
    depth_and_strides,
    device,
    epochs,
    initialisation,
    label_smoothing,
    norm,
    one_cycle,
    one_thread,
    optimiser,
    padding,
    precision_and_layout,
    residual_connections,
    small_kernels,
    threads,
    weight_averaging,
    weight_decay,
    width,
)
from fieldcraft.tips.interface import Tip

ALL: tuple[Tip, ...] = (
    # What the networks are.
    architecture.TIP,
    small_kernels.TIP,
    padding.TIP,
    depth_and_strides.TIP,
    residual_connections.TIP,
    width.TIP,
    # How they learn; the norm and the rate follow the batch.
    batch_size.TIP,
    norm.TIP,
    activation.TIP,
    initialisation.TIP,
    optimiser.TIP,
    one_cycle.TIP,
    weight_decay.TIP,
    label_smoothing.TIP,
    augmentation.TIP,
    weight_averaging.TIP,
    # How the machine runs them, then for how long: both ask for times of the plan so far.
    device.TIP,
    threads.TIP,
    denormals.TIP,
    allocator.TIP,
    precision_and_layout.TIP,
    one_thread.TIP,
    epochs.TIP,
)
