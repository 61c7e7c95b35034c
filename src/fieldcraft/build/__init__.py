"""From the plan to things: network, loss, optimiser, schedule, augmentations, regime, metric.

The only place that matches on `kind`.
"""
