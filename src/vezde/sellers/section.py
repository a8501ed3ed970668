"""The programme's section `sellers`, as marketers write it."""

from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from vezde.sellers import model


def _checked(inn: str) -> str:
    cleaned = model.clean_inn(inn)
    if cleaned is None:
        raise ValueError(f"«{inn}» is not an INN: 10 digits of a company or 12 of a person")
    if not model.is_inn(cleaned):
        raise ValueError(f"«{inn}» has wrong check digits; look for a mistyped digit")
    return cleaned


class SellersSection(BaseModel):
    """Whose receipts are the brand's own: such an INN earns as `own_site` or `own_shop`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    own_inns: tuple[Annotated[str, AfterValidator(_checked)], ...] = Field(
        default=(),
        description="INNs of the legal persons that run the brand's own site and shops",
    )
