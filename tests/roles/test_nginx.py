from __future__ import annotations

from collections.abc import Callable

import pytest


def test_the_site_has_the_directives_of_the_specification(render: Callable[..., str]) -> None:
    site = render(
        "nginx",
        "nginx.conf.tmpl",
        nginx_app_name="shop",
        nginx_domain="shop.homelab.local",
        nginx_php_socket="/run/php/php8.2-fpm.sock",
    )
    for line in (
        "    listen 80;",
        "    listen [::]:80;",
        "    server_name shop.homelab.local;",
        "    root /var/www/shop/current/public;",
        "    index index.php index.html;",
        "        try_files $uri $uri/ /index.php?$query_string;",
        "        fastcgi_pass unix:/run/php/php8.2-fpm.sock;",
        "        fastcgi_param SCRIPT_FILENAME $realpath_root$fastcgi_script_name;",
        "        fastcgi_param DOCUMENT_ROOT $realpath_root;",
        "    location ~ /\\.(?!well-known(/|$)) {",
        "        deny all;",
    ):
        assert line in site.splitlines(), line


def test_every_file_says_who_manages_it(render: Callable[..., str]) -> None:
    for name in ("nginx.main.conf.j2", "nginx.conf.tmpl", "unknown-hosts.conf.j2"):
        assert render("nginx", name).startswith("# Managed by ForgeLab"), name
    for name in ("index.php.j2", "index.html.j2"):
        assert "Managed by ForgeLab" in render("nginx", name)


def test_hand_made_parts_are_included_before_inside_and_after_the_server(render: Callable[..., str]) -> None:
    site = render("nginx", "nginx.conf.tmpl", nginx_app_name="shop")
    before, rest = site.split("server {", 1)
    assert "include /etc/nginx/forgelab.d/shop/before/*.conf;" in before
    inside, after = rest.rsplit("}", 1)
    assert "include /etc/nginx/forgelab.d/shop/server/*.conf;" in inside
    assert "include /etc/nginx/forgelab.d/shop/after/*.conf;" in after


def test_a_site_without_a_domain_answers_every_name(render: Callable[..., str]) -> None:
    site = render("nginx", "nginx.conf.tmpl")
    assert "    listen 80 default_server;\n" in site
    assert "    server_name _;\n" in site


def test_uploads_leave_room_for_the_form_around_the_file(render: Callable[..., str]) -> None:
    assert "client_max_body_size 108m;" in render("nginx", "nginx.conf.tmpl", nginx_upload_max_mb=100)


def test_without_a_socket_no_php_is_passed_on(render: Callable[..., str], evaluate: Callable[..., str]) -> None:
    site = render("nginx", "nginx.conf.tmpl", nginx_php_socket="")
    assert "fastcgi" not in site
    assert ".php" not in site
    assert evaluate("nginx", "nginx_placeholder", nginx_php_socket="") == "index.html"


def test_ipv6_can_be_left_out(render: Callable[..., str]) -> None:
    assert "[::]" not in render("nginx", "nginx.conf.tmpl", nginx_ipv6=False)


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("nginx_domain", "a.example; return 301 http://evil"),
        ("nginx_domain", "{{ 7*7 }}"),
        ("nginx_domain", "a.example\nb.example"),
        ("nginx_domain", "bücher.example"),
        ("nginx_domain", "`touch pwned`"),
        ("nginx_app_name", "../../etc"),
        ("nginx_app_name", "{{ 7*7 }}"),
        ("nginx_app_name", "a'b"),
        ("nginx_app_name", ""),
        ("nginx_php_socket", "/run/x;}"),
        ("nginx_php_socket", "/run/x y"),
    ],
)
def test_it_refuses_values_that_would_be_configuration(
    refusals: Callable[..., list[str]], variable: str, value: str
) -> None:
    assert [sentence.split(":")[0] for sentence in refusals("nginx", **{variable: value})] == [variable]


def test_several_domains_and_wildcards_are_allowed(
    render: Callable[..., str], refusals: Callable[..., list[str]]
) -> None:
    assert refusals("nginx", nginx_domain="a.example *.a.example", nginx_php_socket="/run/php/php8.2-fpm.sock") == []
    site = render("nginx", "nginx.conf.tmpl", nginx_domain="a.example *.a.example")
    assert "server_name a.example *.a.example;" in site


def test_an_html_placeholder_needs_no_php(render: Callable[..., str]) -> None:
    assert "<h1>shop is ready</h1>" in render("nginx", "index.html.j2", nginx_app_name="shop")
