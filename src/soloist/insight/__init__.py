"""The read side: what the console, the CLI and the API show of the rows; it renders and decides nothing."""
