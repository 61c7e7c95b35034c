"""How a network learns from what there is: plain values with one step; no trainer inside."""
