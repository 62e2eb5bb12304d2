"""What comes of the templates in alerts."""

import pytest

from policies.go_templates import InvalidTemplate, labels_read, says_something


@pytest.mark.parametrize(
    ("template", "says"),
    [
        ("Redis is down", True),
        (" \n ", False),
        ("", False),
        ("{{ $labels.job }}", True),
        ("{{$labels.job}}", True),
        ("{{ $labels.job | title }}", True),
        ("{{- $labels.job -}}", True),
        ('{{ index $labels "job" }}', True),
        ("{{ $labels.queue }}", False),
        ('{{ index $labels "queue" }}', False),
        ("{{ $labels.queue }}{{ $labels.job }}", True),
        ('{{ printf "%s" $labels.queue }}', False),
        ("{{ $value | humanize }}", True),
        ("{{ externalURL }}", True),
        ('{{ "text" }}', True),
        ("{{ `text` }}", True),
        ("{{ `--` }}", True),
        ('{{ "-" }}', True),
        ("x{{ }}", True),
        ('{{ "" }}', False),
        ("{{ `` }}", False),
        ('{{ " " }}', False),
        ("{{ }}", False),
        ("{{/* a remark */}}", False),
        ("{{ $x := $value }}", False),
        ("{{ $x = $value }}", False),
        ("{{ if $value }}text{{ end }}", False),
        ("{{ if $value }}text{{ else }}other{{ end }}", True),
        ("{{ if $value }}text{{ else }} {{ end }}", False),
        ("{{ if $value }}{{ else }}text{{ end }}", False),
        ("{{ if $value }}a{{ else if $value }}b{{ end }}", False),
        ("{{ if $value }}a{{ else if $value }}b{{ else }}c{{ end }}", True),
        ("{{ with query }}{{ . | first | value }}{{ else }}none{{ end }}", True),
        ("{{ range query }}x{{ end }}", False),
        ("{{ range query }}{{ continue }}{{ else }}none{{ end }}", False),
        ("{{ range query }}{{ break }}{{ else }}none{{ end }}", False),
        ("{{ if $value }}{{ with query }}a{{ end }}{{ else }}b{{ end }}", False),
        ("{{ if $value }}x{{ end }} text", True),
        ("{{ with query }}x{{ end }}{{ $labels.job }}", True),
    ],
)
def test_whether_more_than_blanks_comes_of_it(template: str, says: bool) -> None:
    assert says_something(template, lambda label: label == "job") is says


@pytest.mark.parametrize(
    "template", ["{{ if $value }}x", "{{ end }}", "x {{ $labels.job", "{{ else }}", "{{ end }}{{ if x }}"]
)
def test_what_is_no_template_is_told(template: str) -> None:
    with pytest.raises(InvalidTemplate):
        says_something(template, lambda _label: True)


def test_labels_that_are_read() -> None:
    template = (
        '{{ $labels.job }} {{ if $labels.pod }}{{ index $labels "zone" }}{{ end }} $labels.text {{ $labels.job }}'
    )
    assert labels_read(template) == ["job", "pod", "zone"]
