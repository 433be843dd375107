"""Without tokens no client outside this machine is answered, wherever the intake listens."""

from __future__ import annotations

import pytest

from worker.errors import ConfigurationError
from worker.wiring.serving.admission import admitted

ROUTES = """\
Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT
eth0\t00000000\t010012AC\t0003\t0\t0\t0\t00000000\t0\t0\t0
eth0\t000012AC\t00000000\t0001\t0\t0\t0\t0000FFFF\t0\t0\t0
"""
NO_WAY_OUT = "\n".join(line for line in ROUTES.splitlines() if "010012AC" not in line)


@pytest.fixture
def container(tmp_path):
    """The root of a container's file system, on a network whose gateway is 172.18.0.1."""
    (tmp_path / ".dockerenv").touch()
    (tmp_path / "proc/net").mkdir(parents=True)
    (tmp_path / "proc/net/route").write_text(ROUTES)
    return tmp_path


@pytest.mark.parametrize("host", ["127.0.0.1", "127.1.2.3", "::1", "[::1]", "localhost"])
def test_loopback_may_be_listened_on_and_admits_nobody_else(host):
    """Loopback is always right."""
    assert admitted(host, trust_gateway=False) == ()


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "10.0.0.1", "example.com", ""])
def test_other_addresses_are_refused_without_a_word_about_the_gateway(host, container):
    """A public address is an error that names the key, also in a container."""
    with pytest.raises(ConfigurationError, match=r"http\.host = .*answers only on loopback"):
        admitted(host, trust_gateway=False, root=container)


def test_a_container_admits_the_machine_that_runs_it(container):
    """With ``trust_gateway`` any address may be listened on, and the default gateway alone is let in."""
    assert admitted("0.0.0.0", trust_gateway=True, root=container) == ("172.18.0.1",)


def test_trusting_the_gateway_outside_a_container_is_refused(container):
    """On a machine of its own the gateway is a router: any client may be behind it."""
    (container / ".dockerenv").unlink()
    with pytest.raises(ConfigurationError, match=r"http\.trust_gateway = true: this is no container"):
        admitted("0.0.0.0", trust_gateway=True, root=container)


@pytest.mark.parametrize("table", [NO_WAY_OUT, "", None])
def test_a_network_without_gateway_is_refused(container, table):
    """A container that cannot be called from outside has no caller to trust."""
    route = container / "proc/net/route"
    route.unlink() if table is None else route.write_text(table)
    with pytest.raises(ConfigurationError, match=r"no default gateway"):
        admitted("0.0.0.0", trust_gateway=True, root=container)
