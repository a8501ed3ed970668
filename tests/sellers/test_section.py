"""The programme's section `sellers`."""

import pytest
from pydantic import ValidationError

from vezde.sellers.section import SellersSection


class TestSellersSection:
    def test_is_empty_by_default(self):
        assert SellersSection().own_inns == ()

    def test_takes_inns_with_stray_spaces(self):
        section = SellersSection.model_validate({"own_inns": [" 7801234564", "540000000240"]})
        assert section.own_inns == ("7801234564", "540000000240")

    @pytest.mark.parametrize(
        ("inn", "says"), [("7801234565", "mistyped digit"), ("Лунария", "10 digits of a company")]
    )
    def test_says_what_is_wrong_with_an_inn(self, inn, says):
        with pytest.raises(ValidationError, match=says):
            SellersSection.model_validate({"own_inns": [inn]})

    def test_refuses_fields_it_does_not_know(self):
        with pytest.raises(ValidationError):
            SellersSection.model_validate({"own_inn": ["7801234564"]})
