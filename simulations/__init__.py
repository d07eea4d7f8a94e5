"""Sessions: configuration, runner, evaluation, what people see."""
