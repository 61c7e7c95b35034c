"""Facts, no decisions: of the data and of the machine; and the measurements that a tip may ask for."""
