"""What every request to the simulator has in common."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Share = Annotated[float, Field(ge=0.0, le=1.0)]


class Body(BaseModel):
    """Nothing is guessed, nothing else is taken."""

    model_config = ConfigDict(extra="forbid", strict=True)
