"""Training of the predictor's weights, and the benchmark that judges them. Nothing here is part of the product."""
