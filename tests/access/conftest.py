import pytest

from vezde.kit.vault import Vault


@pytest.fixture
def vault() -> Vault:
    return Vault(bytes(range(32)))
