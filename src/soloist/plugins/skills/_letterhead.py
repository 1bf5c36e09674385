"""The head of a letter: who writes it; letters of several skills share it, and it writes none."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Business(BaseModel):
    """Who writes; further keys are ignored."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    name: str = ""
    owner: str = ""
    language: str = "en"
