"""What small networks are trained with: backbones, public weights, caches, the training loop."""
