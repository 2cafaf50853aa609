"""For test reports: JUnit XML, a test case for each finding and each rule without one."""

from __future__ import annotations

from xml.etree.ElementTree import Element, SubElement, indent, tostring

from dpor_provider.checker.result import Reported, Result
from dpor_provider.checker.words import rule_of, why_suppressed
from dpor_provider.printable import line
from dpor_provider.rules import all_rules


def report(result: Result) -> str:
    """Mandatory findings are failures; what is suppressed or did not run is skipped."""
    cases = [_case(one) for one in result.findings]
    found = {one.finding.rule for one in result.findings}
    for rule in all_rules().values():
        if rule.id not in found:
            case = Element("testcase", classname="dpor", name=f"{rule.id} {rule.name}")
            if rule.id in result.not_run:
                SubElement(case, "skipped", message="did not run: it needs a registry")
            cases.append(case)
    counts = {
        "tests": str(len(cases)),
        "failures": str(sum(case.find("failure") is not None for case in cases)),
        "errors": "0",
        "skipped": str(sum(case.find("skipped") is not None for case in cases)),
    }
    root = Element("testsuites", {"name": "dpor", **counts})
    SubElement(root, "testsuite", {"name": "dpor check", **counts}).extend(cases)
    indent(root)
    # As ASCII it is what it says it is, whatever the character set that it is written in.
    text: bytes = tostring(root, encoding="us-ascii", xml_declaration=True)
    return text.decode() + "\n"


def _case(one: Reported) -> Element:
    finding, rule = one.finding, rule_of(one)
    about = finding.subscription_id or finding.partner_id or ""
    case = Element(
        "testcase",
        classname=line(finding.where.file) if finding.where else "dpor",
        name=line(f"{rule.id} {rule.name} {about} [{one.fingerprint}]"),
    )
    if finding.where:
        case.set("file", line(finding.where.file))
        case.set("line", str(finding.where.line))
    text = line(f"{finding.where}: {finding.message}" if finding.where else finding.message)
    if one.suppressed:
        SubElement(case, "skipped", message=line(f"{why_suppressed(one)}; {finding.message}"))
    elif one.counts:
        failure = SubElement(case, "failure", message=line(finding.message), type=rule.name)
        failure.text = text
    else:
        SubElement(case, "system-out").text = f"advisory: {text}"
    return case
