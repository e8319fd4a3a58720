"""Documentation made from what is declared: a page per recipe and a README per role.

A page is made once and shown twice: as Markdown in files, and by the web pages. It depends on no date, so that what is
generated stays current until what it is generated from changes.
"""

from forgelab.recipes.docs.page import Page, Section, Table, markdown
from forgelab.recipes.docs.recipe import recipe_page
from forgelab.recipes.docs.role import role_page

__all__ = ["Page", "Section", "Table", "markdown", "recipe_page", "role_page"]
