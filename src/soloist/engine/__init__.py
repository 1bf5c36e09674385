"""The machinery below the stages: store, durable runs, registry, the outbound door; it holds no business rules."""
