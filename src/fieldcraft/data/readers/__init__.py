"""Readers: one file a format. `ALL` lists them in the order in which they are asked."""

from fieldcraft.data.dataset import Reader
from fieldcraft.data.readers import built_in, idx, image_folder, image_labels, image_masks, nnunet, npz, stack, table

ALL: tuple[Reader, ...] = (
    built_in.READER,
    nnunet.READER,
    image_labels.READER,
    idx.READER,
    npz.READER,
    table.READER,
    stack.READER,
    image_masks.READER,
    image_folder.READER,
)
