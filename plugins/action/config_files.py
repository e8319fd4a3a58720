"""Controller side of config_files: renders the calling role's templates, then makes one call on the device."""

from __future__ import annotations

import json
from pathlib import Path

from ansible.errors import AnsibleActionFail, AnsibleError
from ansible.plugins.action import ActionBase
from ansible.template import trust_as_template

HIDDEN = "(not shown)"


def as_text(content: object, dest: str) -> str:
    """Text of a `content` option. Raises AnsibleActionFail for a list or mapping, naming the file."""
    if content is None:
        return ""
    if isinstance(content, (str, int, float)):
        return str(content)
    raise AnsibleActionFail(f"content of {dest} must be text, not a {type(content).__name__}.")


def without_texts(files: list[dict]) -> list[dict]:
    """The file options as they may appear in results and logs: no content at all."""
    return [{key: value for key, value in item.items() if key not in ("content", "src")} for item in files]


class ActionModule(ActionBase):
    """Action plugin of the module config_files."""

    TRANSFERS_FILES = False
    _arguments: dict | None = None

    def run(self, tmp: str | None = None, task_vars: dict | None = None) -> dict:
        """Render, and call the module once, leaving no content behind in the task that callbacks report."""
        super().run(tmp, task_vars)
        # A retried task calls the same plugin again, after the task's own arguments were hidden.
        arguments = self._arguments = self._arguments or dict(self._task.args)
        files = arguments.get("files") or []
        self._task.args = {**arguments, "files": [{**item, "content": HIDDEN} for item in without_texts(files)]}
        texts = [self._text(item, task_vars or {}) for item in files]
        result = self._execute_module(
            module_name="forgelab.homelab.config_files",
            module_args={**arguments, "files": without_texts(files), "contents": json.dumps(texts) if texts else None},
            task_vars=task_vars,
        )
        result.pop("invocation", None)
        return result

    def _text(self, item: dict, task_vars: dict) -> str:
        dest = item.get("dest", "a file without dest")
        if ("src" in item) == ("content" in item):
            raise AnsibleActionFail(f"{dest} needs either src (a template) or content (its text).")
        if "content" in item:
            return as_text(item["content"], dest)
        return self._rendered(item["src"], task_vars)

    def _rendered(self, src: str, task_vars: dict) -> str:
        try:
            path = self._find_needle("templates", src)
        except AnsibleError as problem:
            raise AnsibleActionFail(f"The template {src} was not found: {problem}") from problem
        roots = [*task_vars.get("ansible_search_path", []), self._loader.get_basedir(), Path(path).parent]
        search = [folder for root in roots for folder in (f"{root}/templates", str(root))]
        templar = self._templar.copy_with_new_env(searchpath=search, available_variables=task_vars)
        text = trust_as_template(self._loader.get_text_file_contents(path))
        rendered = templar.template(text, escape_backslashes=False, overrides={"trim_blocks": True})
        return "" if rendered is None else str(rendered)
