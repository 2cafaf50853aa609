"""The URL of a registry on a server: what it says of the connection, and what it must not hold."""

from __future__ import annotations

import os
import socket
import ssl
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from urllib.parse import quote

import pytest
import trustme
from hypothesis import example, given
from hypothesis import strategies as st
from support import postgres
from support.backends import CONTOSO, ServerBackend, postgresql_portal
from support.processes import command_lines
from support.thorough import InputSurvived, fuzz

from dpor_provider.errors import Invalid, Unavailable
from dpor_provider.registry import Registry, open_registry
from dpor_provider.registry.registry import operating_system_user
from dpor_provider.registry.url import resolve

DPOR = Path(sys.executable).parent / "dpor"
SECRET = "s3cr%65t-pw"
ONE = "0f7a1c52-6a0e-4c1e-9a55-1d8f6b3f2a01"


@pytest.mark.parametrize(
    "url",
    [
        f"postgresql+psycopg://bob:{SECRET}@db/registry",
        f"postgresql://bob:{SECRET}@db/registry",
        f"postgresql+psycopg://:{SECRET}@db/registry",
        f"postgresql+psycopg://bob@db/registry?password={SECRET}",
        f"postgresql+psycopg://bob@db/registry?sslmode=require&sslpassword={SECRET}",
        f"postgresql+psycopg://bob@db/registry?options=-c%20x={SECRET}",
        f"postgresql+asyncpg://bob:{SECRET}@db/registry",
        f"postgres://bob:{SECRET}@db/registry",
        f"mysql://bob:{SECRET}@db/registry",
        f"postgresql+psycopg://bob:{SECRET}@db:port/registry",
        f"postgresql+psycopg://bob:{SECRET}@[db/registry",
        f"postgresql+psycopg://bob:{SECRET}@db",
        f"sqlite://bob:{SECRET}@db/registry",
        f"sqlite://bob%3A{SECRET}@db/registry",
        f"postgresql+psycopg://bob%3A{SECRET}@db/registry",
        f"postgresql+psycopg://bob:x@{SECRET}@db/registry",
        f"postgresql+psycopg://bob/{SECRET}@db/registry",
        f"postgresql+psycopg://bob%3A/{SECRET}?@db/registry",
        f"postgresql+psycopg://db/user=bob%20password={SECRET}",
        f"postgresql+psycopg://bob@/registry?host=bob:{SECRET}@db",
        f"postgresql+psycopg://bob@db/registry?PASSWORD={SECRET}",
        f"mysql://bob%3A{SECRET}@db/registry",
        f"bob:{SECRET}",
    ],
)
def test_a_secret_in_a_url_is_refused_and_never_repeated(tmp_path: Path, url: str) -> None:
    (tmp_path / "Pulumi.yaml").write_text("name: p\nruntime: python\n")
    clean = {name: value for name, value in os.environ.items() if not name.startswith("DPOR_")}
    for environment, arguments in (({"DPOR_REGISTRY": url}, []), ({}, ["--registry", url])):
        for debug in ([], ["--debug"]):
            done = subprocess.run(
                [DPOR, *debug, *arguments, "registry", "show"],
                cwd=tmp_path,
                env=clean | environment,
                capture_output=True,
                text=True,
                check=False,
            )
            assert done.returncode == 2
            assert done.stderr.splitlines()[-1].startswith("dpor: ")
            assert "s3cr" not in done.stdout + done.stderr
    with pytest.raises(Invalid) as raised:
        open_registry(url)
    assert "s3cr" not in str(raised.value)
    assert str(raised.value).isprintable()


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("postgresql+psycopg://bob@db", "names no database"),
        ("postgresql+psycopg://bob@db/", "names no database"),
        (
            "postgresql+psycopg://bob@db/registry?hots=x",
            "unknown parameter; did you mean host\\? known are",
        ),
        ("postgresql+psycopg://bob@db/registry?x", "what follows its question mark is not NAME="),
        ("sqlite:///what?.db", "neither host, user nor parameters"),
        ("postgresql+psycopg2://bob@db/registry", "write postgresql\\+psycopg://USER@HOST"),
        ("postgresql+psycopg://bob:pw@db/registry", "set PGPASSWORD, or use a password file"),
        ("postgresql+psycopg://bob%3Apw@db/registry", "set PGPASSWORD, or use a password file"),
        ("oracle://bob@db/registry", "write sqlite:///PATH, or postgresql\\+psycopg://USER@HOST"),
    ],
)
def test_what_is_wrong_with_a_url_is_said(url: str, said: str) -> None:
    with pytest.raises(Invalid, match=said):
        resolve(url)


WORD = "s3cr3t"
"""What no other part of a URL has, and no escape alters."""

PARTS = st.sampled_from(
    ["", "bob", "db", "5432", "registry", "a b", "ä", "\0", "[::1]", "[", "..", "%"]
)
SIGNS = st.sampled_from([*":/@?&=%#;,[]+ ", "//", "://", "%3A", "%40", "%2F", "%00", "%ff"])
NAMES = st.sampled_from(["sslmode", "host", "port", "user", "password", "options", "passfile", "x"])
KINDS = [
    "postgresql",
    "postgresql+psycopg",
    "postgres",
    "mysql",
    "sqlite",
    "SQLITE",
    "oracle+x",
    "",
]


@st.composite
def urls_with_passwords(draw: st.DrawFn) -> str:
    """A URL whose password a person put where a password goes, escaped or not."""
    password = draw(st.lists(SIGNS, max_size=3).map("".join)) + WORD + draw(SIGNS | st.just(""))
    if draw(st.booleans()):
        password = quote(password, safe="")
    user, host, database = draw(PARTS), draw(PARTS), draw(PARTS)
    colon = draw(st.sampled_from([":", ":", "%3A", "%3a"]))
    name, value = draw(NAMES), draw(PARTS)
    return draw(
        st.sampled_from(
            [
                f"{user}{colon}{password}@{host}/{database}",
                f"{user}{colon}{password}@{host}/{database}?{name}={value}",
                f"{user}@{host}/{database}?password={password}&{name}={value}",
                f"{host}/user={user} password={password}",
            ]
        )
    )


@fuzz(400)
@given(kind=st.sampled_from(KINDS), rest=urls_with_passwords())
@example(kind="postgresql", rest=f"%3A/?{WORD}:@/?sslmode=bob")
@example(kind="postgresql", rest=f"bob:?{WORD}=@db/registry")
@example(kind="postgresql", rest=f"%3A/{WORD}?@/")
def test_no_error_repeats_a_password(kind: str, rest: str, input_survived: InputSurvived) -> None:
    input_survived("hostile URLs of a registry")
    try:
        read = resolve(f"{kind}://{rest}", Path("/"))
    except Invalid as error:
        said = str(error)
        assert WORD not in said
        assert said.isprintable()
    else:
        # The rest of a SQLite URL is a path; what was cut off by a sign is in no part of the URL.
        assert read.get_backend_name() == "sqlite" or WORD not in read.render_as_string(False)


@pytest.mark.skipif(sys.platform != "linux", reason="reads proc(5)")
def test_no_secret_is_in_the_list_of_processes(tmp_path: Path) -> None:
    backend = postgresql_portal(tmp_path)
    assert isinstance(backend, ServerBackend)
    server = postgres.server()
    with server.connect(postgres.OWNER, backend.database) as holder, holder.transaction():
        holder.execute("LOCK TABLE dpor.grants")
        shown = subprocess.Popen(
            [DPOR, "registry", "show"],
            env={
                **os.environ,
                "DPOR_REGISTRY": backend.url,
                "PGPASSWORD": WORD,
                "DPOR_OIDC_TOKEN": WORD,
            },
            stdout=subprocess.DEVNULL,
        )
        # It has read all of its settings, and waits for the table.
        while not holder.execute(postgres.WAITING).rowcount:
            assert shown.poll() is None
        words = b" ".join(command_lines())
    assert shown.wait() == 0
    assert b"registry\0show" in words
    assert WORD.encode() not in words


def test_the_driver_need_not_be_named() -> None:
    assert resolve("postgresql://bob@db/registry").drivername == "postgresql+psycopg"


class TlsRelay:
    """Speaks TLS to clients, as PostgreSQL does after an SSLRequest, and relays to the server.

    Source: PostgreSQL's "Message Flow", "SSL Session Encryption".
    """

    def __init__(self, authority: trustme.CA, host: str) -> None:
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert(host).configure_cert(self._context)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                threading.Thread(target=self._relay, args=(client,), daemon=True).start()

    def _relay(self, plain: socket.socket) -> None:
        with suppress(OSError):
            assert plain.recv(8)[4:] == (80877103).to_bytes(4, "big"), "no SSLRequest"
            plain.sendall(b"S")
            client = self._context.wrap_socket(plain, server_side=True)
            server = socket.socket(socket.AF_UNIX)
            server.connect(f"{postgres.server().folder}/.s.PGSQL.5432")
            threading.Thread(target=self._pump, args=(server, client), daemon=True).start()
            self._pump(client, server)

    @staticmethod
    def _pump(source: socket.socket, sink: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(65536):
                sink.sendall(data)
        with suppress(OSError):
            sink.shutdown(socket.SHUT_RDWR)


@pytest.fixture
def authority() -> trustme.CA:
    """Who vouches for the server."""
    return trustme.CA()


@pytest.fixture
def relay(authority: trustme.CA) -> Iterator[TlsRelay]:
    """The server, with TLS."""
    made = TlsRelay(authority, "localhost")
    yield made
    made.close()


def opened(tmp_path: Path, relay: TlsRelay, parameters: str, host: str = "localhost") -> Registry:
    backend = postgresql_portal(tmp_path)
    assert isinstance(backend, ServerBackend)
    return open_registry(
        f"postgresql+psycopg://{operating_system_user()}@{host}:{relay.port}/{backend.database}"
        f"?{parameters}"
    )


def test_the_settings_of_tls_pass_through_the_url(
    tmp_path: Path, authority: trustme.CA, relay: TlsRelay
) -> None:
    root = tmp_path / "root.pem"
    authority.cert_pem.write_to_path(str(root))
    registry = opened(tmp_path, relay, f"sslmode=verify-full&sslrootcert={root}")
    registry.designations.designate(ONE, CONTOSO.id, seen_version=0, owner=None)
    assert registry.read().designations[ONE].partner_id == CONTOSO.id


def test_a_server_that_another_authority_vouches_for_is_not_spoken_to(
    tmp_path: Path, relay: TlsRelay
) -> None:
    root = tmp_path / "root.pem"
    trustme.CA().cert_pem.write_to_path(str(root))
    registry = opened(tmp_path, relay, f"sslmode=verify-full&sslrootcert={root}")
    with pytest.raises(Unavailable, match="certificate verify failed") as raised:
        registry.read()
    assert str(raised.value).isprintable()


def test_a_server_of_another_name_is_not_spoken_to(
    tmp_path: Path, authority: trustme.CA, relay: TlsRelay
) -> None:
    root = tmp_path / "root.pem"
    authority.cert_pem.write_to_path(str(root))
    registry = opened(tmp_path, relay, f"sslmode=verify-full&sslrootcert={root}", host="127.0.0.1")
    with pytest.raises(Unavailable, match=r'does not match host name "127\.0\.0\.1"'):
        registry.read()


def test_a_password_comes_from_the_environment_or_a_file_and_is_not_repeated(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = postgres.server()
    backend = postgresql_portal(tmp_path)
    assert isinstance(backend, ServerBackend)
    server.run("DROP ROLE IF EXISTS with_password")
    server.run(f"CREATE ROLE with_password LOGIN PASSWORD '{SECRET}'")
    server.require_password("with_password")
    server.admit("with_password", backend.database)
    url = f"postgresql+psycopg://with_password@/{backend.database}?host={server.folder}"
    monkeypatch.delenv("PGPASSWORD", raising=False)
    with pytest.raises(Unavailable, match="no password supplied"):
        open_registry(url).read()
    monkeypatch.setenv("PGPASSWORD", SECRET)
    assert open_registry(url).principal == "with_password"
    monkeypatch.setenv("PGPASSWORD", SECRET + "x")
    with pytest.raises(Unavailable, match="password authentication failed") as raised:
        open_registry(url).read()
    assert "s3cr" not in str(raised.value)
    monkeypatch.delenv("PGPASSWORD")
    passfile = tmp_path / "pgpass"
    passfile.write_text(f"*:*:*:with_password:{SECRET}\n")
    passfile.chmod(0o600)
    assert open_registry(f"{url}&passfile={passfile}").principal == "with_password"
