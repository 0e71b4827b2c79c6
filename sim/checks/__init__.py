"""Is the simulation worth learning from? What rules and small networks can recover from it."""
