"""Every rewrite, in the order in which several are made."""

from fieldcraft.inspection.rewrites.add_padding import REWRITE as ADD_PADDING
from fieldcraft.inspection.rewrites.blur_pool import REWRITE as BLUR_POOL
from fieldcraft.inspection.rewrites.depthwise_separable import REWRITE as DEPTHWISE_SEPARABLE
from fieldcraft.inspection.rewrites.drop_bias import REWRITE as DROP_BIAS
from fieldcraft.inspection.rewrites.fold_norm import REWRITE as FOLD_NORM
from fieldcraft.inspection.rewrites.fuse_1x1 import REWRITE as FUSE_1X1
from fieldcraft.inspection.rewrites.group_norm import REWRITE as GROUP_NORM
from fieldcraft.inspection.rewrites.interface import Rewrite
from fieldcraft.inspection.rewrites.pooled_head import REWRITE as POOLED_HEAD
from fieldcraft.inspection.rewrites.squeeze_excitation import REWRITE as SQUEEZE_EXCITATION
from fieldcraft.inspection.rewrites.stack_kernels import REWRITE as STACK_KERNELS
from fieldcraft.inspection.rewrites.stride_to_dilation import REWRITE as STRIDE_TO_DILATION
from fieldcraft.inspection.rewrites.swap_activation import REWRITE as SWAP_ACTIVATION

ALL: tuple[Rewrite, ...] = (
    DROP_BIAS,
    FUSE_1X1,
    FOLD_NORM,
    ADD_PADDING,
    STRIDE_TO_DILATION,
    STACK_KERNELS,
    DEPTHWISE_SEPARABLE,
    BLUR_POOL,
    GROUP_NORM,
    SWAP_ACTIVATION,
    SQUEEZE_EXCITATION,
    POOLED_HEAD,
)
