"""Files to typed settings: schema, load with line numbers, secrets by reference, watch."""
