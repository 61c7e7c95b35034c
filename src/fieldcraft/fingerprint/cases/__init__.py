"""Facts of images with masks: objects, intensities, mirrorings; each case is read once."""
