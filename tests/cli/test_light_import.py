"""The command line starts without any library of models."""

from bench import agents


def test_no_model_library_is_loaded_by_the_command_line():
    assert agents.loaded() == []
