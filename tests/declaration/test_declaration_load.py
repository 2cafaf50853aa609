import os
import shutil
from pathlib import Path

import pytest

from dpor_provider.declaration import Loaded, load
from dpor_provider.errors import Invalid

ONE = "11111111-1111-4111-8111-111111111111"
TWO = "22222222-2222-4222-8222-222222222222"


@pytest.fixture(autouse=True)
def _in_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def write(path: str, text: str = "version: 1\n") -> Path:
    file = Path(path)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, "utf-8")
    return file


def subscription(id_: str, partner: str = "undecided") -> str:
    return f"subscriptions: [{{id: {id_}, partner: {partner}}}]\n"


def ids(loaded: Loaded) -> list[str]:
    return [declared.subscription_id for declared in loaded.estate.subscriptions]


def lines(loaded: Loaded) -> list[str]:
    return [str(finding) for finding in loaded.findings]


def test_several_files_are_one_estate() -> None:
    write("a.yaml", "version: 1\n" + subscription(ONE, "contoso"))
    write("b.yaml", 'version: 1\npartners: {contoso: {id: "4567890", name: Contoso}}\n')
    write("c.yaml", "version: 1\n" + subscription(TWO))

    loaded = load(["a.yaml", "b.yaml", Path("c.yaml")])

    assert ids(loaded) == [ONE, TWO]
    assert loaded.estate.files == ("a.yaml", "b.yaml", "c.yaml")
    assert loaded.findings == ()


def test_a_broken_file_does_not_stop_the_others() -> None:
    write("a.yaml", "version: [\n")
    write("b.yaml", "version: 1\n" + subscription(ONE))

    loaded = load(["a.yaml", "b.yaml"])

    assert ids(loaded) == [ONE]
    assert [finding.where.file for finding in loaded.findings if finding.where] == ["a.yaml"]
    assert loaded.estate.files == ("a.yaml", "b.yaml")


def test_a_partner_that_a_broken_file_may_have_is_not_called_unknown() -> None:
    write("a.yaml", "version: [\n")
    write("b.yaml", "version: 1\n" + subscription(ONE, "contoso"))

    loaded = load(["a.yaml", "b.yaml"])

    assert ids(loaded) == []
    assert len(loaded.findings) == 1


def test_folder_has_declarations_by_their_names() -> None:
    for name in ("partners.yaml", "b/partners.yml", "b/retail.partners.yaml", "c/x.partners.yml"):
        write(f"estate/{name}")
    for name in ("values.yaml", "Pulumi.yaml", ".hidden/partners.yaml", "partners.json"):
        write(f"estate/{name}", "no declaration")

    loaded = load(["estate"])

    assert loaded.findings == ()
    assert loaded.estate.files == (
        "estate/partners.yaml",
        "estate/b/partners.yml",
        "estate/b/retail.partners.yaml",
        "estate/c/x.partners.yml",
    )


def test_glob_pattern() -> None:
    for name in ("a/one.yaml", "a/b/two.yaml", "a/folder.yaml/partners.yaml"):
        write(name)

    assert load(["a/**/*.yaml"]).estate.files == (
        "a/b/two.yaml",
        "a/folder.yaml/partners.yaml",
        "a/one.yaml",
    )
    assert load(["a/*"]).estate.files == ("a/one.yaml", "a/folder.yaml/partners.yaml")


def test_a_name_with_brackets_is_a_file_before_it_is_a_pattern() -> None:
    write("a[1].yaml")

    assert load(["a[1].yaml"]).estate.files == ("a[1].yaml",)


def test_a_file_that_is_reached_twice_is_read_once() -> None:
    write("estate/partners.yaml", "version: 1\n" + subscription(ONE))
    Path("link.yaml").symlink_to("estate/partners.yaml")

    loaded = load(["estate/partners.yaml", "estate", "./estate/../estate", "link.yaml"])

    assert ids(loaded) == [ONE]
    assert loaded.estate.files == ("estate/partners.yaml",)


@pytest.mark.parametrize("path", ["missing.yaml", "empty", "*.yml", "empty/*", "x" * 300])
def test_nothing_to_read(path: str) -> None:
    Path("empty").mkdir()

    with pytest.raises(Invalid) as caught:
        load([path])

    assert path in str(caught.value)
    assert "\n" not in str(caught.value)


def test_no_path() -> None:
    with pytest.raises(Invalid, match="no declaration is given"):
        load([])


def test_unreadable_file() -> None:
    Path("partners.yaml").symlink_to("nowhere")

    (line,) = lines(load(["partners.yaml"]))

    assert line.startswith("partners.yaml:1:1: the file cannot be read: No such file or directory;")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_forbidden_file_and_folder() -> None:
    write("partners.yaml").chmod(0)
    write("folder/partners.yaml").parent.chmod(0)

    found = lines(load(["."]))
    Path("folder").chmod(0o700)

    assert len(found) == 2
    assert all("Permission denied" in line for line in found)


def test_too_large_a_file() -> None:
    with write("partners.yaml").open("ab") as stream:
        stream.truncate(16 * 2**20 + 1)

    (line,) = lines(load(["partners.yaml"]))

    assert line.startswith("partners.yaml:1:1: the file is over 16 MiB; split the declaration")


def test_a_file_of_16_mib_is_read() -> None:
    text = "version: 1\n" + "#" * (16 * 2**20 - 11)

    assert load([write("partners.yaml", text)]).findings == ()


@pytest.mark.parametrize(
    "text", ["key: 1\n" * 5000, "version: 1\nsubscriptions:\n" + "- {}\n" * 5000]
)
def test_too_many_problems_are_cut_short(text: str) -> None:
    findings = load([write("partners.yaml", text)]).findings

    assert len(findings) == 1001
    assert "there are more problems than these 1000" in findings[-1].message


def test_directory_is_relative_to_the_file_that_names_it() -> None:
    write("shared/directory.yaml", 'version: 1\npartners: {contoso: {id: "1", name: A}}\n')
    write("team/a.yaml", "version: 1\ndirectory: ../shared/directory.yaml\n" + subscription(ONE))
    write("team/b.yaml", "version: 1\ndirectory: ../shared/directory.yaml\n")

    loaded = load(["team/a.yaml", "team/b.yaml"])

    assert loaded.findings == ()
    assert loaded.estate.files == ("team/a.yaml", "team/b.yaml", "shared/directory.yaml")
    assert [*loaded.estate.partners] == ["contoso"]


def test_directory_brings_its_subscriptions_only_as_a_path() -> None:
    write("shared.yaml", "version: 1\n" + subscription(TWO))
    write("a.yaml", "version: 1\ndirectory: shared.yaml\n" + subscription(ONE))

    assert ids(load(["a.yaml"])) == [ONE]
    assert ids(load(["a.yaml", "shared.yaml"])) == [ONE, TWO]


def test_directory_behind_a_linked_folder() -> None:
    write("real/deep/a.yaml", "version: 1\ndirectory: ../shared.yaml\n" + subscription(ONE))
    write("real/shared.yaml", 'version: 1\npartners: {contoso: {id: "1", name: A}}\n')
    Path("link").symlink_to("real/deep")

    loaded = load(["link/a.yaml"])

    assert loaded.findings == ()
    assert loaded.estate.files == ("link/a.yaml", "link/../shared.yaml")


@pytest.mark.parametrize("name", ['"a\\0b"', "/dev/zero", "x" * 5000, '"\\ud7ff"'])
def test_strange_directories(name: str) -> None:
    loaded = load([write("a.yaml", f"version: 1\ndirectory: {name}\n")])

    assert len(loaded.findings) == 1
    assert loaded.findings[0].message.isprintable()


def test_same_partner_twice_alike() -> None:
    write("a.yaml", 'version: 1\npartners: {contoso: {id: "4567890", name: Contoso}}\n')
    write("b.yaml", "version: 1\npartners:\n  contoso:\n    name: Contoso\n    id: 4567890\n")

    assert load(["a.yaml", "b.yaml"]).findings == ()


def test_same_partner_twice_and_different() -> None:
    write("a.yaml", 'version: 1\npartners: {contoso: {id: "4567890", name: Contoso}}\n')
    write(
        "b.yaml",
        'version: 1\npartners: {contoso: {id: "4567890", name: Contoso Ltd}}\n'
        + subscription(ONE, "contoso"),
    )

    loaded = load(["a.yaml", "b.yaml"])

    (line,) = lines(loaded)
    assert line.startswith("b.yaml:2:12: the partner 'contoso' is declared differently at ")
    assert "a.yaml:2:12 (name); make the two alike" in line
    assert ids(loaded) == []


def test_findings_are_sorted_by_place() -> None:
    folder = Path(__file__).parent / "examples" / "invalid"
    shutil.copytree(folder, "invalid")

    findings = load(["invalid/*.yaml"]).findings

    places = [finding.where for finding in findings]
    assert places == sorted(place for place in places if place)
    assert len({(finding.where, finding.message) for finding in findings}) == len(findings)


def test_absolute_paths_stay_absolute(tmp_path: Path) -> None:
    write("a.yaml", "version: 2\n")

    assert lines(load([tmp_path / "a.yaml"]))[0].startswith(f"{tmp_path}/a.yaml:1:10: ")


def test_a_pattern_below_a_folder_that_is_not_there_matches_nothing(tmp_path: Path) -> None:
    with pytest.raises(Invalid, match="no declaration matches this pattern"):
        load([tmp_path / "nope" / "**"])
