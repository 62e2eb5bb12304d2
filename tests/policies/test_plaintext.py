"""What looks like a secret, and what only looks like what looks like one. The secrets here are made up."""

import base64
import random
import string

import pytest

from policies.plaintext import Place, forms, looks_random, names_digest, names_sealed, names_secret, settings

ANYWHERE = [
    *("password", "DB_PASSWORD", "PGPASSWORD", "adminPassword", "smtp-passwd", "passphrase", "passwords", "DB_PWD"),
    *("SMTP_PASS", "token", "apiToken", "AUTH_TOKEN2", "bearer_token", "AUTH_TOKENS", "credentials", "AWS_CREDS"),
    *("apikey", "API_KEY", "apiKey", "secret_access_key", "privateKey", "SESSION_KEY", "encryption-key", "api-keys"),
    *("SENTRY_DSN", "clientSecret", "OIDC_CLIENT_SECRET", "webhook.secret", "SMTPPassword", "requirepass"),
    *("RoutingKey", "accessKey", "signing_key", "example.org/api-token", "masterauth", "jwt_secret"),
]
NOWHERE = [
    *("PASSWORD_FILE", "password_file", "TOKEN_PATH", "SECRET_NAME", "secretName", "tokenTTL", "PASSWORD_POLICY"),
    *("publicKey", "PUBLIC_KEY", "primary_key", "PARTITION_KEY", "sort-key", "topologyKey", "key", "keys", "KEY_ID"),
    *(
        "AWS_ACCESS_KEY_ID",
        "accessTokenLifespan",
        "passwordKey.name",
        "PWD",
        "keyboard",
        "compass",
        "monkey",
        "tokenizer",
    ),
    *("encryptedPassword", "SEALED_SECRET", "", "123", "imagePullSecretName", "AUTHOR", "bypass_rules", "secretRef"),
]


@pytest.mark.parametrize("place", Place)
@pytest.mark.parametrize("name", ANYWHERE)
def test_a_literal_of_such_a_name_is_a_secret_wherever_it_stands(name: str, place: Place) -> None:
    assert names_secret(name, "hunter2", place)


@pytest.mark.parametrize("place", Place)
@pytest.mark.parametrize("name", NOWHERE)
def test_a_literal_of_such_a_name_is_none(name: str, place: Place) -> None:
    assert not names_secret(name, "hunter2", place)


@pytest.mark.parametrize(
    ("name", "places"),
    [
        ("secret", {Place.NAME, Place.TEXT}),
        ("configSecret", {Place.NAME, Place.TEXT}),
        ("TLS_SECRET", set[Place]()),
        ("IMAGE_PULL_SECRETS", set[Place]()),
        ("secretKey", {Place.NAME, Place.TEXT}),
        ("FLICKR_KEY", {Place.NAME}),
        ("flickr_keys", {Place.NAME}),
        ("OBJECT_KEY", set[Place]()),
    ],
)
def test_what_a_name_says_depends_on_where_it_stands(name: str, places: set[Place]) -> None:
    assert {place for place in Place if names_secret(name, "hunter2", place)} == places


@pytest.mark.parametrize(
    "value",
    [
        *(
            "",
            "  ",
            "true",
            "FALSE",
            "null",
            "none",
            "required",
            "string",
            "metric",
            "${PASSWORD}",
            "$(DB_PASSWORD)",
            "$PASSWORD",
        ),
        *("{{ .Values.password }}", "<password>", "%s", "****", "$__file{/run/x}", "{password}", "'${X}'", "x-${Y}-z"),
        *("/run/secrets/password", "./password.txt", "file:/etc/password", "file:///etc/password", "~/.pgpass", "/x/"),
    ],
)
def test_a_reference_a_placeholder_or_a_path_is_no_secret(value: str) -> None:
    for name in ("password", "API_TOKEN", "clientSecret", "API_KEY", "SENTRY_DSN"):
        assert not names_secret(name, value, Place.NAME), name


@pytest.mark.parametrize(
    "value", ["hunter2", "changeme", " x ", '"hunter2"', "p/a/th", "trueish", "a b", "_", "pa$word", "p%40ss", "a<b>c"]
)
def test_anything_else_is(value: str) -> None:
    for name in ("password", "API_TOKEN", "clientSecret", "API_KEY", "SENTRY_DSN"):
        assert names_secret(name, value, Place.NAME), name


def test_numbers_and_addresses_are_passwords_and_nothing_else() -> None:
    for value in ("123456", "4096", "https://auth.example/token", "arn:aws:kms:eu:1:key/2"):
        assert names_secret("password", value, Place.NAME)
        for name in ("MAX_TOKENS", "API_TOKEN", "clientSecret", "KMS_KEY"):
            assert not names_secret(name, value, Place.NAME), name
    assert names_secret("SENTRY_DSN", "https://key@sentry.example/1", Place.NAME)


def test_a_random_text_is_no_path() -> None:
    assert names_secret("password", "/k8GhY2pQ/9zXw3Lb7RtV5nMcJ1dF6sA0eU4i", Place.NAME)
    assert looks_random("/k8GhY2pQ/9zXw3Lb7RtV5nMcJ1dF6sA0eU4i")


# In two parts, so that nobody takes them for leaked ones.
FORMS = [
    ("-----BEGIN " + "PRIVATE KEY-----\nMIIE", "a private key"),
    ("x\n-----BEGIN RSA " + "PRIVATE KEY-----", "a private key"),
    ("-----BEGIN PGP " + "PRIVATE KEY BLOCK-----", "a private key"),
    ("AGE-SECRET-" + "KEY-1" + "QPZRY9X8GF2TVDW0S3JN", "a private key"),
    ("postgres://app:" + "hunter2@db:5432/app", "a URL with a password"),
    ("postgres://app:" + "p%dbss$word@db:5432/app", "a URL with a password"),
    ("see redis://:" + "hunter2@redis:6379/0 there", "a URL with a password"),
    ("app:" + "hunter2@tcp(db:3306)/app", "a URL with a password"),
    ("Authorization: Basic " + "YXBwOmh1bnRlcjI=", "an Authorization header"),
    ("Bearer " + "abcdefghijk1", "an Authorization header"),
    ("eyJhbGciOi" + "JIUzI1.eyJzdWIiOi" + "IxMjM0.SflKxwRJ" + "SMeKKF2Q", "a JSON web token"),
    ("AKIA" + "IOSFODNN7EXAMPLE", "a key of AWS"),
    ("ghp_" + "a1" * 18, "a token of GitHub"),
    ("github_pat_" + "a1" * 11, "a token of GitHub"),
    ("glpat-" + "a1" * 10, "a token of GitLab"),
    ("xoxb-" + "1234567890", "a token of Slack"),
    ("https://hooks.slack.com/" + "services/T1/B2/x3", "a token of Slack"),
    ("sk_live_" + "a1" * 8, "a key of Stripe"),
    ("whsec_" + "a1" * 8, "a key of Stripe"),
    ("AIza" + "a1" * 17 + "b", "a key of Google"),
    ("GOCSPX-" + "a1" * 10, "a key of Google"),
    ("sk-ant-" + "a1" * 10, "a key of a model's API"),
    ("sk-" + "a1" * 10, "a key of a model's API"),
    ("npm_" + "a1" * 18, "a token of a package registry"),
    ("pypi-" + "a1" * 25, "a token of a package registry"),
    ("SG." + "a1" * 8 + "." + "a1" * 8, "a key of SendGrid"),
    ("hvs." + "a1" * 10, "a token of Vault"),
    ("glsa_" + "a1" * 10, "a token of Grafana"),
    ("pul-" + "a1" * 20, "a token of Pulumi"),
    ("dckr_pat_" + "a1" * 10, "a token of Docker Hub"),
    (base64.b64encode(b"-----BEGIN EC " + b"PRIVATE KEY-----\nMHcCAQ").decode(), "a private key in base64"),
    (base64.b64encode(b"-----BEGIN OPENSSH " + b"PRIVATE KEY-----\nb3BlbnNzaA").decode(), "a private key in base64"),
]


@pytest.mark.parametrize(("text", "form"), FORMS)
def test_secrets_are_known_by_their_form(text: str, form: str) -> None:
    assert forms(text) == [form]
    assert forms(f"first line\nx: '{text}'\n") == [form]


@pytest.mark.parametrize(
    "text",
    [
        "-----BEGIN PUBLIC KEY-----",
        "-----BEGIN CERTIFICATE-----",
        "postgres://app@db:5432/app",
        "redis://redis:6379/0",
        "redis://:$(PASSWORD)@redis:6379/0",
        "postgres://app:${PASSWORD}@db/app",
        "postgres://<user>:<password>@db/app",
        "postgres://user:$PASSWORD@db/app",
        "postgres://%s:%s@db/app",
        "https://example.org:8443/@scope",
        "http://loki:3100/path?mail=a@b",
        "Bearer token",
        "Basic authentication",
        "Bearer AuthenticationScheme",
        "Bearer abcdefghij1",
        "eyJhbGciOiJIUzI1",
        "AKIA",
        "ghp_short",
        "task-" + "a1" * 10,
        base64.b64encode(b"-----BEGIN CERTIFICATE-----\nMIIBszCCAVmgAwIBAgIUP").decode(),
    ],
)
def test_near_misses_of_a_form_are_none(text: str) -> None:
    assert forms(text) == []


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("password: hunter2\n", [(1, "password")]),
        ("a: b\n  password : 'hunter2'\n", [(2, "password")]),
        ('{"user": "x", "password": "hunter2"}', [(1, "password")]),
        ("user=x password=hunter2 host=db", [(1, "password")]),
        ("PASSWORD := hunter2", [(1, "PASSWORD")]),
        ('"password": {"name": "x"}', []),
        ("password: [hunter2]", []),
        ("password: $(PASSWORD)", []),
        ("`pulumi config set secrets:<name>` asks", []),
        ("password: {{ password }}", []),
        ("export DB_PASSWORD=hunter2; run", [(1, "DB_PASSWORD")]),
        ("port 6379\n  requirepass hunter2\nmasterauth hunter3", [(2, "requirepass"), (3, "masterauth")]),
        ("spring.datasource.password=hunter2", [(1, "spring.datasource.password")]),
        ("secret_key: hunter2", [(1, "secret_key")]),
        ('"secret": "hunter2"', [(1, "secret")]),
        ("password: |\n  hunter2\n", [(1, "password")]),
        ("password: >-\n  hunter2\n", [(1, "password")]),
        ("password: |x\n", [(1, "password")]),
        ("password: | x\n", []),
        ("\npassword: x\n", [(2, "password")]),
        ("password: ${PASSWORD}\n", []),
        ("password: ''\n", []),
        ('"password": ""', []),
        ("password_file: /run/password\n", []),
        ("passwordPolicy: length(12)\n", []),
        ("primary_key: id\nkey: value\nsort_key: name", []),
        ('token=~"a.*"', []),
        ('token=="x"', []),
        ("token::x", []),
        ("token://x", []),
        ("the requirepass directive", []),
        ("my-password", []),
        ("expiresPassword hunter2", []),
    ],
)
def test_settings_within_a_file_are_found_with_their_line(text: str, found: list[tuple[int, str]]) -> None:
    assert list(settings(text)) == found


def generated(alphabet: str, length: int, seed: int) -> str:
    return "".join(random.Random(seed).choices(alphabet, k=length))  # noqa: S311


LETTERS = string.ascii_letters + string.digits


@pytest.mark.parametrize("length", [32, 43, 64])
@pytest.mark.parametrize("alphabet", [LETTERS, LETTERS + "-_", LETTERS + "+"])
def test_what_generators_make_looks_random(alphabet: str, length: int) -> None:
    found = sum(looks_random(f"x: {generated(alphabet, length, seed)}") for seed in range(200))
    assert found >= 195


@pytest.mark.parametrize("length", [32, 64])
def test_hexadecimal_keys_look_random(length: int) -> None:
    assert looks_random("012345678" * 4)
    assert looks_random("key: " + "012345678" * 4)
    assert all(looks_random(generated("0123456789abcdef", length, seed)) for seed in range(100))


@pytest.mark.parametrize(
    "text",
    [
        "a1B2" * 3 + "c3D4" * 2 + "e5F",  # 23 characters
        "aB1" * 10,
        "the-quick-brown-fox-jumps-over-the-lazy-dog",
        "KubernetesPodNotReadyFor15MinutesInNamespace",
        "ServiceLevelObjectiveBurnsFastInProduction2026",
        "GF_ANALYTICS_CHECK_FOR_PLUGIN_UPDATES_V2",
        "https://git.example/shop/blob/main/docs/runbooks/ServiceErrorRateHigh2Times",
        "sha256:" + generated("0123456789abcdef", 64, 1),
        "image@sha256:" + generated("0123456789abcdef", 64, 2),
        "sha384-" + generated(LETTERS, 64, 3),
        "commit: " + generated("0123456789abcdef", 40, 4),
        '"checksum": "' + generated("0123456789abcdef", 64, 5) + '"',
        "0" * 64,
        "deadbeef" * 4,
        "01234567" * 4,
        "6f9619ff-8b86-d011-b42d-00cf4fc964ff",
        generated("0123456789abcdef", 31, 6),
        "ssh-ed25519 " + generated(LETTERS, 68, 7),
        "ecdsa-sha2-nistp256 " + generated(LETTERS, 68, 8),
        "-----BEGIN CERTIFICATE-----\n" + generated(LETTERS, 64, 9) + "\n-----END CERTIFICATE-----",
        "-----BEGIN RSA PUBLIC KEY-----\n" + generated(LETTERS, 64, 9) + "\n-----END RSA PUBLIC KEY-----",
        base64.b64encode(b"-----BEGIN CERTIFICATE-----\nMIIBszCCAVmgAwIBAgIUP" * 4).decode(),
        "",
    ],
)
def test_words_paths_digests_and_public_keys_do_not(text: str) -> None:
    assert not looks_random(text)


def test_what_stands_beside_a_public_key_is_still_looked_at() -> None:
    certificate = "-----BEGIN CERTIFICATE-----\nMII\n-----END CERTIFICATE-----"
    assert looks_random(f"{certificate}\n{generated(LETTERS, 40, 1)}\n{certificate}")


@pytest.mark.parametrize(
    "name",
    [
        *("mainstay.dev/fingerprint", "checksum/config", "GIT_COMMIT", "IMAGE_DIGEST", "sha256", "CLIENT_ID", "uid"),
        *(
            "encryptedData",
            "sealed",
            "BUILD_VERSION",
            "integrity",
            "etag",
            "passwordHash",
            "ciphertext",
            "hash_of",
            "release",
            "build",
            "revision",
            "shaSum",
            "uuid",
        ),
    ],
)
def test_digests_and_ids_are_told_by_their_names(name: str) -> None:
    assert names_digest(name)


@pytest.mark.parametrize(
    "name",
    ["", "BUILD_NUMBER", "HASH_KEY", "COMMIT_TOKEN", "DIGEST_SECRET", "hashPassword", "VERSIONS", "identity", "a"],
)
def test_and_not_what_only_has_one_in_its_name(name: str) -> None:
    assert not names_digest(name)


def test_words_before_the_last_one_tell_secrets_from_their_names() -> None:
    for word in ("api", "app", "client", "cookie", "hmac", "jwt", "session", "shared", "webhook"):
        assert names_secret(f"{word}Secret", "hunter2", Place.FIELD), word
    for word in ("existing", "image", "pull", "tls"):
        assert not names_secret(f"{word}_secret", "hunter2", Place.NAME), word
    opening = ("access", "account", "api", "auth", "encryption", "license", "master", "private", "routing", "service")
    for word in (*opening, "session", "signing"):
        assert names_secret(f"{word}Key", "hunter2", Place.FIELD), word
    other = ("cache", "foreign", "group", "index", "label", "lookup", "map", "object", "partition", "primary", "public")
    for word in (*other, "row", "sort", "topology"):
        assert not names_secret(f"{word}_key", "hunter2", Place.NAME), word
    for word in ("cipher", "ciphertext", "encrypted", "sealed"):
        assert not names_secret(f"{word}_password", "hunter2", Place.NAME), word
        assert names_sealed(word)
        assert names_digest(word)
