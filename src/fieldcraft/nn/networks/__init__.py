"""Whole networks: linear, multilayer perceptron, stages of convolutions."""
